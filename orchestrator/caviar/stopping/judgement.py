"""What a stop policy decides about a trial, with the numbers that it looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from caviar_workers.states import Action

Number = float | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One decision about one trial."""

    trial: int
    action: Action
    step: int
    """At which the trial was compared."""
    value: float
    """The metric there, as reported: NaN stays NaN."""
    bar: float | None = None
    """What the value was held against, in the metric's own direction; None: nothing to compare with yet."""
    numbers: Mapping[str, Number] = field(default_factory=dict)
    """What else it rests on; each policy says which."""


def score(value: float, mode: str) -> float:
    """The metric's value as something to be small: NaN and infinities are +inf, for they never win."""
    if not math.isfinite(value):
        return math.inf
    return value if mode == "min" else -value


def unscore(found: float, mode: str) -> float:
    """The value of a score; +inf gives NaN."""
    if not math.isfinite(found):
        return math.nan
    return found if mode == "min" else -found
