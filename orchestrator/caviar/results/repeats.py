"""Whether a sweep may have trained a configuration several times, with other seeds: most cannot, and need not look."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from caviar.results.imported import imported_from
from caviar.store.sweep_dir import stored_plan

SELDOM = 1e-3
"""Repeats that are expected by chance, below which nobody looks for them."""


def may_repeat(description: Mapping[str, Any]) -> bool:
    """Whether trials of a sweep may have the same configuration, as far as its plan says.

    They may where the user listed several configurations, where the space has few enough for the number of trials (of
    which n, drawn from N, some n² / 2N are repeats) or is finite and has a searcher, and where an imported table does.
    """
    if (origin := imported_from(description)) is not None:
        return origin.repeated
    plan = stored_plan(description["plan"])
    sampler = description["plan"].get("sampler")
    if isinstance(sampler, Mapping) and sampler.get("name") == "list" and len(sampler.get("configs") or ()) > 1:
        return True
    counts = [_count(one) for one in plan.parameters.values()]
    if not counts or any(count is None for count in counts):
        return False
    different = math.prod(count for count in counts if count is not None)
    return bool(description["plan"].get("searcher")) or plan.trials**2 >= 2 * SELDOM * different


def _count(parameter: Mapping[str, Any]) -> int | None:
    """How many values a parameter has, at most; None: a continuum, or nobody knows."""
    kind = parameter.get("type")
    if kind == "constant":
        return 1
    if kind == "choice":
        return len(parameter.get("options") or ())
    step = parameter.get("step", 1 if kind == "int" else None)
    bounds = [one for one in (parameter.get("low"), parameter.get("high")) if isinstance(one, (int, float))]
    if len(bounds) < 2 or not isinstance(step, (int, float)) or step <= 0:
        return None
    return max(int((bounds[1] - bounds[0]) / step) + 1, 1)
