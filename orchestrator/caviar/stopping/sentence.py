"""A decision in one sentence, with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_DONE = {
    "go_on": "went on",
    "stop": "was stopped",
    "pause": "was paused",
    "promote": "was promoted",
    "ask": "was asked for",
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
    """What was decided and why; the arguments are a row of the table `decisions`, and whether the trial did so.

    >>> sentence(action="stop", by="asha:eta=3", step=3, value=0.7, bar=0.5, numbers={"rank": 7, "of": 9, "kept": 3})
    'was stopped at step 3 by asha:eta=3: 0.7 ranked 7 of 9 there, and the best 3 go on (0.5 or better)'
    """
    done = _DONE.get(action, action) if heeded else _TOLD.get(action, action)
    where = f" at step {step}" if step is not None else ""
    if action == "ask":
        return f"{done} by {by}: {_origin(numbers)}"
    why = _REASONS.get(by.partition(":")[0], _plain)(action, value, bar, numbers)
    return f"{done}{where} by {by}" + (f": {why}" if why else "")


def _origin(numbers: Mapping[str, Any]) -> str:
    if "parent" in numbers:
        return f"a step away from trial {numbers['parent']}, one of the best"
    if "rows" in numbers:
        return f"a draw of the model of {numbers['rows']} rows has its minimum here, at step {numbers.get('step')}"
    return "a random point" if numbers.get("origin") == "random" else "a point of its model"


def _halving(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
    rank, of, kept = numbers.get("rank"), numbers.get("of"), numbers.get("kept")
    bracket = f" of bracket {numbers['bracket']}" if "bracket" in numbers else ""
    if action == "stop" and "rung" in numbers and rank is not None and kept is not None and rank <= kept:
        return f"{_number(value)} is not a number to go on with"
    value_text, bar_text = _apart(value, bar)
    goes = "only the best one goes on" if kept == 1 else f"the best {kept} go on ({bar_text} or better)"
    goes = goes if kept else "none goes on yet"
    tied = numbers.get("tied", 0)
    level = f", level with {tied} other{'' if tied == 1 else 's'}" if tied else ""
    if tied and kept and rank is not None and rank <= kept < rank + tied:
        goes += ", with those level with them" if kept > 1 else ", with those level with it"
    if action == "promote" and rank is not None and kept is not None and rank > kept:
        goes = "it is the best that waits, and no trial had completed"
    return f"{value_text} ranked {rank} of {of} there{bracket}{level}, and {goes}"


def _median(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
    mine, median = _apart(value, bar)
    than = "worse than" if action == "stop" else "no worse than"
    if action != "stop" and value == bar:
        return f"its best value {mine} is just the median of {numbers.get('of')} averages, and ties go on"
    return f"its best value {mine} was {than} {median}, the median of {numbers.get('of')} averages"


def _patience(_action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
    return (
        f"its best value {_number(bar)} is of step {numbers.get('best_step')}, and patience lasts "
        f"{numbers.get('patience')} steps (now {_number(value)})"
    )


def _extrapolation(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
    return (
        f"from {_number(value)} its curve leads to about {_number(numbers.get('expected'))} at step "
        f"{numbers.get('end')}, where the best completed trial has {_number(bar)}: a chance of "
        f"{_number(numbers.get('chance'))} to be better"
        + (", and so far it is no worse than that one was" if action == "go_on" and numbers.get("level_with") else "")
    )


def _divergence(_action: str, value: float | None, _bar: float | None, _numbers: Mapping[str, Any]) -> str:
    return f"it diverged ({_number(value)}), and nothing comes back from there"


def _plain(_action: str, value: float | None, bar: float | None, _numbers: Mapping[str, Any]) -> str:
    if value is None:
        return ""
    return f"it had {_number(value)}" + (f" against {_number(bar)}" if bar is not None else "")


_REASONS: dict[str, Callable[[str, float | None, float | None, Mapping[str, Any]], str]] = {
    "asha": _halving,
    "hyperband": _halving,
    "median": _median,
    "patience": _patience,
    "extrapolate": _extrapolation,
    "stop_on_divergence": _divergence,
}


def _number(value: Any) -> str:
    return "nothing" if value is None else f"{float(value):.4g}"


def _apart(value: float | None, bar: float | None) -> tuple[str, str]:
    """Both as text, with so many digits that they look different where they are."""
    if value is not None and bar is not None and value != bar:
        for digits in (4, 7, 11):
            texts = f"{value:.{digits}g}", f"{bar:.{digits}g}"
            if texts[0] != texts[1]:
                return texts
        return repr(float(value)), repr(float(bar))
    return _number(value), _number(bar)
