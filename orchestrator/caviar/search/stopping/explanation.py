"""A decision in one sentence, with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from caviar.search.stopping.divergence import BY as DIVERGENCE
from caviar.search.stopping.divergence import DivergencePolicy
from caviar.search.stopping.policy import number
from caviar.search.stopping.registry import KINDS

_DONE = {
    "go_on": "went on",
    "stop": "was stopped",
    "pause": "was paused",
    "promote": "was promoted",
    "fork": "was forked",
}


_TOLD = {"stop": "was told to stop", "pause": "was told to pause"}
"""Of a trial that did not: it came to its end before it heard, or has not heard yet."""


def sentence(
    *,
    action: str,
    by: str,
    step: int | None,
    value: float | None,
    bar: float | None,
    numbers: Mapping[str, Any],
    heeded: bool = True,
) -> str:
    """Say what was decided and why; the arguments are a row of the table `decisions`, and whether the trial did so.

    >>> sentence(action="stop", by="asha:eta=3", step=3, value=0.7, bar=0.5, numbers={"rank": 7, "of": 9, "kept": 3})
    'was stopped at step 3 by asha:eta=3: 0.7 ranked 7 of 9 there, and the best 3 go on (0.5 or better)'
    """
    done = _DONE.get(action, action) if heeded else _TOLD.get(action, action)
    where = f" at step {step}" if step is not None else ""
    why = _REASONS.get(by.partition(":")[0], _plain)(action, value, bar, numbers)
    return f"{done}{where} by {by}" + (f": {why}" if why else "")


def _plain(_action: str, value: float | None, bar: float | None, _numbers: Mapping[str, Any]) -> str:
    if value is None:
        return ""
    return f"it had {number(value)}" + (f" against {number(bar)}" if bar is not None else "")


_REASONS: dict[str, Callable[[str, float | None, float | None, Mapping[str, Any]], str]] = {
    DIVERGENCE: DivergencePolicy.reason,
    **{name: kind.reason for name, kind in KINDS.items()},
}
