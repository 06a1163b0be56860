"""What stands in Ray's place where trials run in the process that drives them."""

from collections.abc import Iterator
from contextlib import contextmanager

from caviar.display.progress import ProgressDisplay
from caviar.run import driver, ray_cluster, resume
from caviar.run.engine.leases import surrounded
from caviar.run.executors.inline import InlineExecutor
from caviar.spec.plan import Plan
from caviar_workers.messages import Program


@contextmanager
def session(*_: object) -> Iterator[None]:
    """No Ray is started."""
    yield


@contextmanager
def executor_of(plan: Plan, program: Program, progress: ProgressDisplay) -> Iterator[InlineExecutor]:
    """An executor of this process."""
    executor = InlineExecutor(surrounded(program, plan))
    try:
        yield executor
    finally:
        executor.close()


def inline() -> None:
    """Put them there, for the rest of this process: it is a driver of its own."""
    for room in (driver, resume):
        room.session, room.executor_of = session, executor_of  # type: ignore[attr-defined]
    ray_cluster.start_ray_early = lambda *_: None  # type: ignore[assignment]
