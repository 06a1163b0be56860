"""For a driver in a process of its own: its trials run in that process, without Ray."""

from collections.abc import Iterator
from contextlib import contextmanager

from caviar.display.progress import ProgressDisplay
from caviar.run import driver, ray_cluster, resume
from caviar.run.executors.inline import InlineExecutor
from caviar.spec.plan import Plan
from caviar_workers.messages import Program


@contextmanager
def _session(*_: object) -> Iterator[None]:
    yield


@contextmanager
def _executor_of(plan: Plan, program: Program, progress: ProgressDisplay) -> Iterator[InlineExecutor]:
    executor = InlineExecutor(program)
    try:
        yield executor
    finally:
        executor.close()


def inline() -> None:
    """Put an executor of this process in the place of Ray."""
    for room in (driver, resume):
        room.session, room.executor_of = _session, _executor_of  # type: ignore[attr-defined]
    ray_cluster.start_ray_early = lambda *_: None  # type: ignore[assignment]
