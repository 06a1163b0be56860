"""One trial in the calling thread, what it prints shown as it comes: to try a train function, and to debug it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from caviar_workers.attempt_records import Attempt
from caviar_workers.capture import Piece
from caviar_workers.data import LoadedData
from caviar_workers.lease import Training
from caviar_workers.messages import Batch, Lease, Program
from caviar_workers.recorder import Recorder
from caviar_workers.states import Action
from caviar_workers.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of it.

    Attributes:
        batch: all that a lease would have said; of its checkpoints, the last two.
        raised: what train raised; None: it returned, or was told to stop.
        started_at: the step at which the trial began: 0 unless it loaded a checkpoint.
    """

    batch: Batch | None
    raised: BaseException | None
    started_at: int


def try_lease(program: Program, lease: Lease, data: LoadedData | None, *, one_report: bool = False) -> Tried:
    """Train the one trial of a lease here.

    Args:
        program: The user's code.
        lease: Of one trial.
        data: What the program's `data` function returned; None: it has none.
        one_report: End it at its first report.
    """
    recorder = _Recorder(lease, one_report=one_report)
    training = _Tryout(program, lease, recorder, None if data is None else lambda: data, own_process=False)
    training.run()
    batch = recorder.flush()
    return Tried(batch=batch, raised=training.raised, started_at=recorder.started_at)


class _Tryout(Training):
    """Remembers what train raised, with its frames: somebody may want to look into them."""

    raised: BaseException | None = None

    def _call(self, function: Callable[..., Any], attempt: Attempt, position: int) -> None:
        try:
            super()._call(function, attempt, position)
        except Exception as error:
            self.raised = error
            raise


class _Recorder(Recorder):
    """Keeps the last two checkpoints alone."""

    def __init__(self, lease: Lease, *, one_report: bool) -> None:
        super().__init__(lease, _Shown())
        self._one_report = one_report
        self.started_at = 0

    def begin(self, position: int) -> Attempt:
        attempt = super().begin(position)
        if self._one_report:
            attempt.trial.interrupt(Action.STOP)
        return attempt

    def end(self, attempt: Attempt) -> None:
        self.started_at = attempt.trial.start
        super().end(attempt)

    def keep(self, trial: Trial, step: int, data: Any) -> None:
        super().keep(trial, step, data)
        del self._saves[:-2]


class _Shown:
    """In the place of a `Capture`: lets the output pass."""

    def begin(self, trial: Trial) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def pop_pieces(self) -> list[Piece]:
        """Return none."""
        return []
