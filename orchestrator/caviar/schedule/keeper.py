"""The seam of checkpoints: who keeps them while a sweep runs, and gives them to trials that go on.

Contract, held by tests/contracts/test_keeper_contract.py over every keeper:

* A trial that is tried again gets its newest checkpoint, whichever attempt saved it; one that saved nothing gets none,
  and neither does a first attempt.
* Checkpoints are heard of after the rows before them went to the sink, in the order in which they were saved.
* That a trial ended takes nothing from it: it may be tried again by a later driver.
* With a checkpoint goes what its trial's curve was up to there: an attempt that goes on carries that curve on.
* It belongs to the scheduler's loop: one thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from caviar.schedule.work import Work
from caviar_workers.checkpoint import Checkpoint, Save
from caviar_workers.living import Living


class Keeper(Protocol):
    """Keeps checkpoints; see the contract above."""

    @property
    def folders(self) -> tuple[str, str]:
        """Where workers that see it show and write checkpoints by themselves; empty: they send the bytes."""

    def take(self, saves: Sequence[Save]) -> None:
        """Hear of checkpoints."""

    def forget(self, trials: Iterable[int]) -> None:
        """Executions of these trials ended, in whatever way."""

    def bury(self, lease: int) -> None:
        """The process of a lease died."""

    def restore(self, work: Work) -> Mapping[int, Checkpoint]:
        """Trial → its newest checkpoint, of those of a work that were tried before."""

    def living(self, restored: Mapping[int, Checkpoint]) -> Mapping[int, Living]:
        """Trial → its curve up to the checkpoint that it was given; of a trial that is left out nothing is known."""
