"""Checkpoints of trials that are replayed: the newest of each, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future

from caviar.schedule.background import done
from caviar.schedule.leases import Kept, Work
from caviar_workers.checkpoint import Checkpoint, Save


class MemoryCheckpoints:
    """Keeps checkpoints while this process lives; see `Checkpoints`. Of curves nothing is known here."""

    def __init__(self) -> None:
        self._newest: dict[int, Checkpoint] = {}

    def take(self, saves: Sequence[Save]) -> None:
        """Keep the newest ones."""
        for save in saves:
            self._newest[save.trial] = Checkpoint(save.step, save.data or b"")

    def forget(self, trials: Iterable[int]) -> None:
        """Take nothing away."""

    def bury(self, lease: int) -> None:
        """Do nothing: nothing is written."""

    def look_up(self, work: Work) -> Future[Kept]:
        """Give back what there is."""
        again = (trial for trial, attempt in zip(work.trials, work.attempts, strict=True) if attempt)
        return done(Kept(restore={trial: self._newest[trial] for trial in again if trial in self._newest}))
