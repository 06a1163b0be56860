"""Trials on their way to a lease, as columns: thousands of them are cheap to cut, to join and to send."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from caviar_workers.messages import Origin, row_of
from caviar_workers.schedule import Change
from caviar_workers.states import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of the trials of a work that were tried before."""

    folders: tuple[str, str] = ("", "")
    """Where workers that see the sweep's folder show checkpoints, and where they write them before."""
    restore: Mapping[int, tuple[Origin, ...]] = field(default_factory=dict)
    """Trial → the checkpoints that it may go on from, the one to take first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """n trials, each about to be executed once."""

    trials: tuple[int, ...]
    """Trial numbers, increasing, [n]."""
    attempts: tuple[int, ...]
    """Which attempt of the trial this will be, from 0, [n]."""
    seeds: tuple[int, ...]
    """0 … 2^32 − 1, [n]."""
    configs: Mapping[str, tuple[Any, ...]]
    """Parameter name → values, each [n]."""
    causes: Mapping[int, Cause] = field(default_factory=dict)
    """Trial → why this attempt is made, of those that are not a trial's first."""
    changes: Mapping[int, tuple[Change, ...]] = field(default_factory=dict)
    """Trial → how its configuration changes, of those that were edited; known when they are handed out."""
    branches: Mapping[int, int] = field(default_factory=dict)
    """Trial → how often it was rolled back, of those that were; likewise."""
    halts: Mapping[int, int] = field(default_factory=dict)
    """Trial → the step from which on it pauses by itself when it saves; likewise."""
    final: bool = False
    """They are for the sweep's `final` function, not for `train`."""

    def __len__(self) -> int:
        return len(self.trials)

    def cut(self, start: int, stop: int | None = None) -> Work:
        """Return the trials at positions start … stop − 1."""
        return replace(
            self,
            trials=self.trials[start:stop],
            attempts=self.attempts[start:stop],
            seeds=self.seeds[start:stop],
            configs={name: column[start:stop] for name, column in self.configs.items()},
        )

    def pick(self, positions: Sequence[int]) -> Work:
        """Return the trials at these positions."""
        return replace(
            self,
            trials=tuple(self.trials[i] for i in positions),
            attempts=tuple(self.attempts[i] for i in positions),
            seeds=tuple(self.seeds[i] for i in positions),
            configs={name: tuple(column[i] for i in positions) for name, column in self.configs.items()},
        )

    def position(self, trial: int) -> int | None:
        """Return the place of a trial; None: it is not among them."""
        place = bisect_left(self.trials, trial)
        return place if place < len(self) and self.trials[place] == trial else None

    def one(self, trial: int) -> Work:
        """Return one of these trials."""
        return self.pick([bisect_left(self.trials, trial)])

    def without(self, trials: Collection[int]) -> Work:
        """Return the same trials but for some."""
        return self.pick([i for i, trial in enumerate(self.trials) if trial not in trials]) if trials else self

    def again(self, cause: Cause = Cause.RETRY) -> Work:
        """Return the same trials, each at its next attempt: a number that was in a process is never used a second
        time.
        """
        return replace(self, attempts=tuple(attempt + 1 for attempt in self.attempts)).because(cause)

    def because(self, cause: Cause) -> Work:
        """Return the same attempts, made for this reason."""
        return replace(self, causes=dict.fromkeys(self.trials, cause))

    def cause(self, position: int) -> Cause:
        """Return why the attempt at `position` is made."""
        return self.causes.get(self.trials[position], Cause.FIRST)

    def of(self, cause: Cause, trials: Collection[int]) -> Work:
        """Return the same attempts, of which those of some trials are made for this reason."""
        return replace(self, causes={**self.causes, **dict.fromkeys(trials, cause)}) if trials else self

    def config_of(self, trial: int) -> dict[str, Any]:
        """Return the configuration of one of these trials."""
        return row_of(self.configs, bisect_left(self.trials, trial))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A trial whose checkpoint was asked for, as the store has it."""

    work: Work
    """The trial, at its newest attempt of which there is a trace."""
    state: str
    """As the store shows it."""
