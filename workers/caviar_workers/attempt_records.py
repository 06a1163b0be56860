"""Attempts as the training thread leaves them, and as the recorder remembers them from one flush to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

from caviar_workers.messages import Summary
from caviar_workers.trial import Trial


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One attempt while it lasts; written by the training thread."""

    trial: Trial
    started: float
    """Seconds since 1970."""
    busy: float = 0.0
    """Seconds that train took."""
    error: str | None = None
    """Traceback or sentence; None: train returned."""
    kind: str | None = None
    """`error` or `oom`; without an error what the trial was told (`stop`, `pause`, `rollback`, `cancel`); None: train
    returned."""
    returned: str = ""
    """Type name of what train returned, if that was not None."""


@dataclass(slots=True)
class Endings:
    """Attempts that are over, in the order of their ends, as columns [k]; each as in Attempt, or in its Trial.

    Columns of numbers and texts, for there may be thousands of attempts in a second: an object for each would be looked
    at by Python's garbage collector again and again.
    """

    trials: list[int] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """First steps."""
    started: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    errors: list[str | None] = field(default_factory=list)
    kinds: list[str | None] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """How many they are."""
        return len(self.trials)

    def append(self, attempt: Attempt, ended: float) -> None:
        """Add an attempt that ended at this time."""
        trial = attempt.trial
        self.trials.append(trial.number)
        self.attempts.append(trial.attempt)
        self.starts.append(trial.first_step)
        self.started.append(attempt.started)
        self.ended.append(ended)
        self.busy.append(attempt.busy)
        self.errors.append(attempt.error)
        self.kinds.append(attempt.kind)
        self.returned.append(attempt.returned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The part of an attempt that earlier flushes took, where it went on after them."""

    rows: int = 0
    step: int = -1
    """Of the last row; −1: none."""
    diverged: bool = False
    metrics: dict[str, Summary] = field(default_factory=dict)
    fault: str | None = None
    """Why rows were refused; the attempt fails with it."""
