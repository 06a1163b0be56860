"""Ray for a run of sweeps, and an executor for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caviar.drive.signals import terminable
from caviar.errors import SpecError
from caviar.execute.ray_session import RaySession
from caviar.execute.slots import slots_of
from caviar.secret import resolved

if TYPE_CHECKING:
    from caviar.execute.executor import Executor
    from caviar.plan import Plan
    from caviar.show.progress import Progress
    from caviar_workers.messages import Program


@contextmanager
def session(plan: Plan, address: str | None, progress: Progress) -> Iterator[None]:
    """Ray, started or joined, with room for a trial of the plan."""
    progress.start("starting Ray…" if address is None else f"joining the Ray cluster at {address}…")
    try:
        with terminable(), RaySession(address=address) as ray, terminable():  # Ray has its own idea of SIGTERM
            resources = ray.resources()
            if not slots_of(resources, {"CPU": plan.cpus, "GPU": plan.gpus}):
                lack = (
                    f"a trial needs {plan.cpus:g} CPU and {plan.gpus:g} GPU, but this "
                    f"{'machine' if address is None else 'cluster'} has "
                    f"{resources.get('CPU', 0):g} and {resources.get('GPU', 0):g}"
                )
                if address is None:
                    raise SpecError(f"{lack}: lower --cpus or --gpus, or join a cluster")
                progress.note(f"{lack}: waiting for it to grow")
            yield
    finally:
        progress.end()


@contextmanager
def executor_of(plan: Plan, program: Program, progress: Progress) -> Iterator[Executor]:
    """An executor for this program, in the session that is open. One a sweep: leases are numbered from 0 in each."""
    from caviar.execute.ray_tasks import RayExecutor  # noqa: PLC0415

    executor = RayExecutor(program, cpus=plan.cpus, gpus=plan.gpus, fresh=plan.process == "fresh")
    try:
        if program.data:
            progress.start("loading the data…")
            executor.load(resolved(plan.train_args))
        yield executor
    finally:
        executor.close()
