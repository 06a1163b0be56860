"""The failures of a sweep in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.results.status import failed_alike

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep

KINDS = 4
NAMED = 3


def failure_line(opened: OpenSweep) -> str:
    """`3 of 64 failed: 2 × ValueError: no such layer (t3, t9), 1 × oom (t17)`; empty: none did."""
    found = failed_alike(opened)
    if not found:
        return ""
    most = sorted(found.items(), key=lambda item: (-len(item[1]), min(item[1])))
    told = [f"{len(trials)} × {word} ({_named(trials)})" for word, trials in most[:KINDS]]
    rest = sum(len(trials) for _, trials in most[KINDS:])
    if rest:
        told.append(f"{rest} × others")
    return f"{sum(map(len, found.values()))} of {opened.plan.trials} failed: {', '.join(told)}"


def _named(trials: list[int]) -> str:
    more = ", …" if len(trials) > NAMED else ""
    return ", ".join(f"t{trial}" for trial in trials[:NAMED]) + more
