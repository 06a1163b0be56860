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
    """`error` or `oom`; without an error what the trial was told (`stop`, `pause`, `cancel`); None: train returned."""
    returned: str = ""
    """Type name of what train returned, if that was not None."""


Ending = tuple[int, int, float, float, int, float, str | None, str | None, str]
"""An attempt that is over: trial, attempt, started, ended, first step, busy, error, kind, returned; as in Attempt."""


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
