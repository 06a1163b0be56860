"""Checkpoints of trials that are replayed: the newest of each, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from caviar.schedule.work import Work
from caviar_workers.checkpoint import Checkpoint, Save
from caviar_workers.living import Living


class Shelf:
    """Keeps checkpoints while this process lives; see `Keeper`."""

    folders = "", ""

    def __init__(self) -> None:
        self._newest: dict[int, Checkpoint] = {}

    def take(self, saves: Sequence[Save]) -> None:
        """Keep the newest ones; see `Keeper`."""
        for save in saves:
            self._newest[save.trial] = Checkpoint(save.step, save.data or b"")

    def forget(self, trials: Iterable[int]) -> None:
        """Nothing is taken away; see `Keeper`."""

    def bury(self, lease: int) -> None:
        """Nothing is written; see `Keeper`."""

    def restore(self, work: Work) -> dict[int, Checkpoint]:
        """Give back what there is; see `Keeper`."""
        again = (trial for trial, attempt in zip(work.trials, work.attempts, strict=True) if attempt)
        return {trial: self._newest[trial] for trial in again if trial in self._newest}

    def living(self, restored: Mapping[int, Checkpoint]) -> dict[int, Living]:
        """Nothing is known of curves here; see `Keeper`."""
        return {}
