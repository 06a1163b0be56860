"""Attempts as the training thread leaves them, and as the recorder remembers them from one flush to the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

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


def never_reported(objective: str, reported: Iterable[str], returned: str) -> str:
    """The sentence for a trial that ended without one value of the sweep's metric."""
    names = list(reported)
    if not names and returned == "coroutine":
        return "train is an async function, which nobody awaits: write def train, and asyncio.run(…) in it"
    if not names:
        hint = f"train returned a {returned} but reported" if returned else "train reported"
        return f"the metric '{objective}' was never reported: {hint} nothing; call trial.report(step, {objective}=…)"
    return f"the metric '{objective}' was never reported, {only(objective, names)}"


def only(objective: str, names: list[str]) -> str:
    """Say what was reported in the metric's place, and what to do about it."""
    close = nearest(objective, names, 0.5)
    ask = f"did you mean metric='{close}'?" if close else "set metric= to one of them or report it"
    return f"only {', '.join(names[:8])}{', …' if len(names) > 8 else ''}: {ask}"


def nearest(objective: str, names: list[str], cutoff: float) -> str | None:
    """The name that looks most like the metric's, whatever the case; None: none does, in a share of its letters."""
    folded = {name.casefold(): name for name in reversed(names)}
    close = get_close_matches(objective.casefold(), folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None
