"""The configuration of a trial that is forked by population based training: its parent's, changed here and there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.run.engine.forks import point_of
from caviar.space import Choice, Constant

if TYPE_CHECKING:
    from caviar.space import Space

ANEW = 0.25
"""The share of values that are drawn anew."""
FAR = 0.1
"""Standard deviation of the others' way, as a share of the parameter's range on its scale."""


def explored(space: Space, config: Mapping[str, Any], seed: int, child: int) -> dict[str, Any]:
    """A configuration near another one, within all bounds and on all scales; a function of its arguments.

    Args:
        space: The sweep's.
        config: The parent's.
        seed: The sweep's.
        child: Number of the new trial.
    """
    draws = np.random.Generator(np.random.Philox(key=[seed & (2**64 - 1), child]))
    point = point_of(space, config)
    for place, (name, parameter) in enumerate(space.items()):
        anew, way, fresh = draws.random(), draws.normal(0.0, FAR), draws.random()  # always all: each has its own
        if isinstance(parameter, Constant) or name not in config:
            continue
        if anew < ANEW:
            point[place] = fresh
        elif not isinstance(parameter, Choice):
            point[place] = _reflected(point[place] + way)
    constants = {name: value for name, value in config.items() if isinstance(space[name], Constant)}
    return {**space.config(point), **constants}


def _reflected(u: float) -> float:
    """A coordinate that went beyond its range, as far within."""
    inside = abs(u) % 2.0
    return float(2.0 - inside if inside > 1.0 else inside)
