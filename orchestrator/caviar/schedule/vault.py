"""The checkpoints of a sweep while it runs: written where workers cannot, thinned out, and found again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from caviar.errors import StoreError
from caviar.plan import Plan
from caviar.schedule.sink import Sink
from caviar.schedule.work import Work
from caviar.store import Store, SweepDir
from caviar.store.checkpoints import (
    discard_unfinished,
    folders_for_workers,
    newest_restorable,
    orphans,
    path_of,
    saves_of,
    thinned,
    trials_with_saves,
    write_carried,
)
from caviar.store.living import living_of
from caviar_workers.checkpoint import Checkpoint, Save
from caviar_workers.living import Living


class Vault:
    """Keeps checkpoints in the store; see `Keeper`.

    A checkpoint that is not needed any more stays until the rows before the newer one are published, however long the
    disk takes: of every trial, the newest one that may be restored is always there.

    Args:
        store: The store.
        sweep_dir: The sweep.
        plan: Says how many checkpoints stay, and what is the best one.
        sink: Where the sweep's rows go; only published ones make a checkpoint restorable.
        epoch: Of the owner.
    """

    def __init__(self, store: Store, sweep_dir: SweepDir, plan: Plan, sink: Sink, epoch: int) -> None:
        self._store = store
        self._sweep_dir = sweep_dir
        self._plan = plan
        self._sink = sink
        self._epoch = epoch
        self._held: dict[int, list[Save]] = {}
        self._doomed: deque[tuple[int, Save]] = deque()
        self.folders = folders_for_workers(sweep_dir, epoch)
        """Where workers that see it write by themselves; see `Keeper`."""

    def __len__(self) -> int:
        """Trials of which checkpoints are remembered: some of those that run."""
        return len(self._held)

    def take(self, saves: Sequence[Save]) -> None:
        """Hear of checkpoints, after the rows before them went to the sink; write those that came with their bytes.

        Raises:
            StoreError: One cannot be written.
        """
        for save in saves:
            if save.data is not None:
                write_carried(self._sweep_dir, self._epoch, save)
            held = self._held.get(save.trial)
            if held is None:  # an earlier driver's are thinned out too
                held = [one for one in saves_of(self._sweep_dir, save.trial) if one.attempt < save.attempt]
            stay, go = thinned([*held, replace(save, data=None)], self._plan.keep_checkpoints, self._plan.mode)
            self._held[save.trial] = stay
            self._doomed += [(self._sink.mark(), one) for one in go]
        self.clean()

    def forget(self, trials: Iterable[int]) -> None:
        """Executions of these trials ended: what they have stays, and is looked up when it is needed again."""
        for trial in trials if self._held else ():
            self._held.pop(trial, None)

    def bury(self, lease: int) -> None:
        """A lease's process died: what it left unfinished goes."""
        with suppress(OSError):  # it goes with the sweep's end, or its next owner's claim
            discard_unfinished(self._sweep_dir, self._epoch, lease)

    def clean(self) -> None:
        """Delete what is not needed any more, where the newer one's rows are published."""
        due = []
        while self._doomed and self._sink.reached(self._doomed[0][0]):  # they are in the order of their marks
            due.append(self._doomed.popleft()[1])
        if due:
            with suppress(OSError):  # they harm nobody
                self._sweep_dir.disk.delete(path_of(self._sweep_dir, save) for save in due)

    def close(self) -> None:
        """All trials have ended, and all rows are published: delete what nothing can go on from."""
        self.clean()
        with suppress(OSError, StoreError):  # `caviar store check` names it
            gone = orphans(self._store, self._sweep_dir)
            self._sweep_dir.disk.delete(path_of(self._sweep_dir, save) for save in gone)

    def restore(self, work: Work) -> dict[int, Checkpoint]:
        """Trial → its newest checkpoint that is whole and restorable, of trials that were tried before.

        Raises:
            StoreError: The store cannot be read.
        """
        again = [trial for trial, attempt in zip(work.trials, work.attempts, strict=True) if attempt]
        saved = trials_with_saves(self._sweep_dir, again)
        if not saved:
            return {}
        self._sink.flush()
        return newest_restorable(self._store, self._sweep_dir, saved)

    def living(self, restored: Mapping[int, Checkpoint]) -> dict[int, Living]:
        """Trial → its curve up to its checkpoint, of trials that were given one: their rows are published by now.

        Raises:
            StoreError: The store cannot be read.
        """
        return living_of(self._store, self._sweep_dir, {trial: one.step for trial, one in restored.items()})
