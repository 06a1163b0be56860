"""The checkpoints of a sweep while it runs: written where workers cannot, thinned out, and found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pyarrow as pa

from caviar.execute.clock import Clock
from caviar.plan import Plan
from caviar.schedule.sink import Sink
from caviar.schedule.work import Work
from caviar.store import Store, SweepDir
from caviar.store.checkpoints import (
    folder_for_workers,
    newest_restorable,
    path_of,
    saves_of,
    thinned,
    write_carried,
)
from caviar.store.living import living_of
from caviar_workers.checkpoint import Checkpoint, Save
from caviar_workers.living import Living

DELAY_S = 5.0
"""Seconds for which a checkpoint that is not needed any more stays: the rows that make the next one restorable are
published by then, whatever happens to this process."""


class Vault:
    """Keeps checkpoints in the store; see `Keeper`.

    Args:
        store: The store.
        sweep_dir: The sweep.
        plan: Says how many checkpoints stay, and what is the best one.
        sink: Where the sweep's rows go; only published ones make a checkpoint restorable.
        clock: The time.
    """

    def __init__(self, store: Store, sweep_dir: SweepDir, plan: Plan, sink: Sink, clock: Clock) -> None:
        self._store = store
        self._sweep_dir = sweep_dir
        self._plan = plan
        self._sink = sink
        self._clock = clock
        self._held: dict[int, list[Save]] = {}
        self._doomed: list[tuple[float, Save]] = []
        self.folder = folder_for_workers(sweep_dir)
        """Where workers that see it write by themselves."""

    def take(self, saves: Sequence[Save]) -> None:
        """Hear of checkpoints, after the rows before them went to the sink; write those that came with their bytes.

        Raises:
            StoreError: One cannot be written.
        """
        for save in saves:
            if save.data is not None:
                write_carried(self._sweep_dir, save)
            held = self._held.get(save.trial)
            if held is None:  # an earlier driver's are thinned out too
                held = [one for one in saves_of(self._sweep_dir, save.trial) if one.attempt < save.attempt]
            stay, go = thinned([*held, replace(save, data=None)], self._plan.keep_checkpoints, self._plan.mode)
            self._held[save.trial] = stay
            self._doomed += [(self._clock.monotonic() + DELAY_S, one) for one in go]
        self.clean()

    def forget(self, trials: pa.ChunkedArray) -> None:
        """Trials ended: what they have stays."""
        for trial in trials.to_pylist() if self._held else ():
            self._held.pop(trial, None)

    def clean(self, *, all_of_it: bool = False) -> None:
        """Delete what is not needed any more, once it has been so for long enough; or all of it, at the end."""
        now = self._clock.monotonic()
        due = [save for when, save in self._doomed if all_of_it or when <= now]
        if due:
            self._doomed = self._doomed[len(due) :]  # they are in the order of their time
            with suppress(OSError):  # they harm nobody
                self._sweep_dir.disk.delete(path_of(self._sweep_dir, save) for save in due)

    def restore(self, work: Work) -> dict[int, Checkpoint]:
        """Trial → its newest checkpoint that is whole and restorable, of trials that were tried before.

        Raises:
            StoreError: The store cannot be read.
        """
        again = (trial for trial, attempt in zip(work.trials, work.attempts, strict=True) if attempt)
        found = ((trial, self.find(trial)) for trial in again)
        return {trial: checkpoint for trial, checkpoint in found if checkpoint is not None}

    def living(self, restored: Mapping[int, Checkpoint]) -> dict[int, Living]:
        """Trial → its curve up to its checkpoint, of trials that were given one: their rows are published by now.

        Raises:
            StoreError: The store cannot be read.
        """
        return living_of(self._store, self._sweep_dir, {trial: one.step for trial, one in restored.items()})

    def find(self, trial: int) -> Checkpoint | None:
        """The newest checkpoint of a trial that is whole and restorable; None: there is none."""
        if not saves_of(self._sweep_dir, trial):
            return None
        self._sink.flush()
        return newest_restorable(self._store, self._sweep_dir, trial)
