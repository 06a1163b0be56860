"""Ray for a run of sweeps, and an executor for each of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from caviar.errors import SpecError
from caviar.run.engine.leases import demand_of, may_be_forked, surrounded, wants_forks
from caviar.run.executors.cluster_probe import clusters_here
from caviar.run.executors.cluster_room import lack, machines, most_of_this_machine
from caviar.run.executors.ray_session import RaySession, connected, joined, start_early
from caviar.run.executors.servers import fallen
from caviar.run.function_output import show_output
from caviar.run.signals import terminable
from caviar_workers.failure import headline

if TYPE_CHECKING:
    from caviar.display.progress import ProgressDisplay
    from caviar.run.executors.executor import Executor
    from caviar.spec.plan import Plan
    from caviar_workers.messages import Program


MOST_EARLY = 16
"""Processes that are started before anybody knows how many trials will run at a time."""


def start_ray_early(file: Path, concurrency: int | None, process: str | None = None) -> None:
    """Start Ray on this machine, and processes for trials, while an experiment's file is imported.

    Nothing happens where the file speaks of Ray itself: it may want to start its own. No process is made ready to be
    forked where it speaks of GPUs, for their trials never are.

    Args:
        file: The experiment's.
        concurrency: Trials at a time, at most, if that is known.
        process: The sweep's setting, if it is known; else a file that speaks of `forked` is taken to set it.
    """
    with suppress(OSError, UnicodeDecodeError):
        source = file.read_text("utf-8")
        if not re.search(r"\bray\b", source):
            process = process or ("forked" if re.search(r"\bforked\b", source) else "warm")
            forks = wants_forks(process) and not re.search(r"\bgpus\b", source)
            libraries = (source, str(file.absolute().parent)) if forks else None
            start_early(min(concurrency or MOST_EARLY, MOST_EARLY), libraries)


@contextmanager
def session(plan: Plan, program: Program, address: str | None, progress: ProgressDisplay) -> Iterator[None]:
    """Ray, started or joined, with room for a trial of the plan."""
    demand = {"CPU": plan.cpus, "GPU": plan.gpus}
    if address is None:  # where Ray is to be started, it may find less, but no more
        there = machines() if connected() and not fallen() else [most_of_this_machine()]
        if word := lack(demand, there, "machine"):
            raise SpecError(f"{word}: lower --cpus or --gpus, or join a cluster")
    file, source = program.files.get(program.module, ("", ""))
    libraries = (source, os.path.dirname(file)) if may_be_forked(plan) else None
    progress.start("starting Ray…" if address is None else f"joining the Ray cluster at {address}…")
    try:
        with (
            terminable(),
            RaySession(address=address, keep=not plan.gpus, forked=libraries),
            terminable(),
        ):  # Ray has its own idea of SIGTERM
            if word := lack(demand, machines(), "machine" if address is None else "cluster"):
                if address is None:
                    raise SpecError(f"{word}: lower --cpus or --gpus, or join a cluster")
                progress.note(f"{word}: waiting for it to grow")
            if address == "auto" and (count := clusters_here()) > 1:
                progress.note(
                    f"{count} Ray clusters run on this machine; auto is the one at {joined()}, by RAY_ADDRESS or as "
                    "ray start noted it last: --address HOST:PORT joins another"
                )
            yield
    finally:
        progress.end()


@contextmanager
def executor_of(plan: Plan, program: Program, progress: ProgressDisplay) -> Iterator[Executor]:
    """An executor for this program, in the session that is open. One a sweep: leases are numbered from 0 in each."""
    from caviar.run.executors.ray_tasks import RayExecutor  # noqa: PLC0415

    executor = RayExecutor(surrounded(program, plan), demand_of(plan))
    try:
        if program.data:
            loading = "loading the data…"
            progress.start(loading)
            said = executor.load(
                plan.arguments(),
                plan.hidden,
                lambda lack: progress.start(f"{loading} waiting for room: {lack}" if lack else loading),
            )
            show_output(progress.note, "data", f"{said.printed}\n{said.error or ''}")
            if said.error is not None:
                raise SpecError(f"the sweep's data function raised {headline(said.error)}")
        yield executor
    finally:
        executor.close()
