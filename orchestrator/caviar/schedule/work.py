"""Trials on their way to a lease, as columns: thousands of them are cheap to cut, to join and to send."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from caviar.plan import Plan
from caviar.secret import referred, resolved
from caviar_workers.absent import row_of
from caviar_workers.checkpoint import Checkpoint
from caviar_workers.living import Living
from caviar_workers.messages import Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of the trials of a work that were tried before."""

    folders: tuple[str, str] = ("", "")
    """Where workers that see the sweep's folder show checkpoints, and where they write them before."""
    restore: Mapping[int, Checkpoint] = field(default_factory=dict)
    """Trial → the checkpoint from which it goes on."""
    living: Mapping[int, Living] = field(default_factory=dict)
    """Trial → its curve up to there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """n trials, each about to be executed once."""

    trials: tuple[int, ...]
    """Trial numbers, increasing, [n]."""
    attempts: tuple[int, ...]
    """Which execution of the trial this will be, from 0, [n]."""
    seeds: tuple[int, ...]
    """0 … 2^32 − 1, [n]."""
    configs: Mapping[str, tuple[Any, ...]]
    """Parameter name → values, each [n]."""
    promoted: frozenset[int] = frozenset()
    """Trials that go on because they were promoted after a pause."""

    def __len__(self) -> int:
        return len(self.trials)

    def cut(self, start: int, stop: int | None = None) -> Work:
        """The trials at positions start … stop − 1."""
        return Work(
            trials=self.trials[start:stop],
            attempts=self.attempts[start:stop],
            seeds=self.seeds[start:stop],
            configs={name: column[start:stop] for name, column in self.configs.items()},
            promoted=self.promoted,
        )

    def pick(self, positions: Sequence[int]) -> Work:
        """The trials at these positions."""
        return Work(
            trials=tuple(self.trials[i] for i in positions),
            attempts=tuple(self.attempts[i] for i in positions),
            seeds=tuple(self.seeds[i] for i in positions),
            configs={name: tuple(column[i] for i in positions) for name, column in self.configs.items()},
            promoted=self.promoted,
        )

    def again(self) -> Work:
        """The same trials, each at its next attempt: a number that was in a process is never used a second time."""
        return Work(
            trials=self.trials,
            attempts=tuple(attempt + 1 for attempt in self.attempts),
            seeds=self.seeds,
            configs=self.configs,
        )

    def config(self, position: int) -> dict[str, Any]:
        """The configuration of the trial at `position`."""
        return row_of(self.configs, position)


def lease_of(
    plan: Plan,
    sweep: str,
    number: int,
    work: Work,
    kept: Kept,
    *,
    whole_gpu: bool = False,
) -> Lease:
    """The lease that carries some trials of a sweep.

    Args:
        plan: The sweep's.
        sweep: Its id.
        number: Counts the driver's leases from 0.
        work: The trials.
        kept: What is kept of those that were tried before.
        whole_gpu: Nobody else gets a share of its GPU: what it lacks is then its own affair.
    """
    return Lease(
        checkpoints=kept.folders[0],
        pen=kept.folders[1],
        restore=kept.restore,
        living=kept.living,
        promoted=work.promoted,
        id=number,
        sweep=sweep,
        metric=plan.metric,
        trials=work.trials,
        attempts=work.attempts,
        seeds=work.seeds,
        configs=work.configs,
        train_args=resolved(plan.train_args),
        hidden=tuple(referred(plan.train_args)),
        cpus=plan.cpus,
        gpus=float(math.ceil(plan.gpus)) if whole_gpu else plan.gpus,
        fresh=plan.process == "fresh",
    )
