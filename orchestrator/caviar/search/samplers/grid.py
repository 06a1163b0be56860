"""The classic grid: every combination of a few levels of each parameter. A foil for the other samplers."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.search.samplers.sampler import FIRST_POINTS, digest
from caviar.search.samplers.seeds import MOST_BITS, check_range, check_seed, shuffled
from caviar.space import Choice, Parameter, Space, did_you_mean
from caviar.space.call_hints import called_as

_MOST_LEVELS = 1_000_000


@called_as("Grid(levels)")
@dataclass(frozen=True, slots=True)
class Grid:
    """How many levels each parameter of a grid has.

    Args:
        levels: one number for all, or a number for some by name, or None. A parameter that is left out gets
            the smallest number, the same for all of these, with which the grid has a point for every trial. A
            Choice takes all its options unless it is named; no parameter has more levels than values.
        shuffle: whether the points come in an order that the seed decides, rather than the last parameter fastest: so
            that any first few of them are spread over the whole.

    Raises:
        SpecError: a number is not a whole one in 1 .. 1,000,000.
    """

    levels: int | Mapping[str, int] | None = None
    shuffle: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.shuffle, bool):
            raise SpecError(f"A grid has shuffle=True or shuffle=False, got shuffle={self.shuffle!r}")
        if self.levels is None:
            return
        if isinstance(self.levels, Mapping):
            object.__setattr__(self, "levels", {name: _whole(one) for name, one in self.levels.items()})
        else:
            object.__setattr__(self, "levels", _whole(self.levels))

    def to_json(self) -> dict[str, object]:
        """Return {"name": "grid" or "shuffled_grid", "levels": …}, which `from_json` and `make_sampler` read."""
        return {"name": "shuffled_grid" if self.shuffle else "grid", "levels": self.levels}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Grid":
        """Return the grid that `to_json` described; SpecError when a field is unknown."""
        for key in data:
            if key not in {"name", "levels"}:
                raise SpecError(f"A grid in JSON has no field {key!r}{did_you_mean(key, ['name', 'levels'])}")
        return cls(data.get("levels"), shuffle=data.get("name") == "shuffled_grid")

    def counts(self, space: Space, trials: int) -> dict[str, int]:
        """Return the number of levels of each parameter of `space`, in order, for a sweep of `trials` (>= 1).

        Raises:
            SpecError: `levels` names a parameter that the space does not have.
        """
        named = dict(self.levels) if isinstance(self.levels, Mapping) else {}
        for name in named:
            if name not in space:
                raise SpecError(f"Grid levels name no parameter {name!r} of the space{did_you_mean(name, space)}")
        for name, parameter in space.items():
            if isinstance(parameter, Choice):
                named.setdefault(name, parameter.count)

        def with_rest(rest: int) -> dict[str, int]:
            return {name: _capped(one, named.get(name, rest)) for name, one in space.items()}

        if isinstance(self.levels, int):
            return with_rest(self.levels)
        enough = bisect_left(
            range(1, min(trials, _MOST_LEVELS)), trials, key=lambda rest: math.prod(with_rest(rest).values())
        )
        return with_rest(1 + enough)


class GridSampler:
    """Point i of a grid, the last parameter going fastest; shuffled, point p(i), where the seed decides p.

    Float levels lie at u = j / (n - 1), so that both bounds are among them (one level: at 0.5). Levels of an
    Int or a Choice are different values, each at the centre of its cell.

    Args:
        space: the parameters.
        grid: their levels.
        trials: points that default levels must reach, >= 1.
        seed: of the sweep, 0 .. 2^63 - 1.

    Raises:
        SpecError: the grid to shuffle has more than 2^62 points, or the seed is none.
    """

    own = ()

    def __init__(self, space: Space, grid: Grid, trials: int, seed: int = 0) -> None:
        self.name = "shuffled_grid" if grid.shuffle else "grid"
        self.counts = grid.counts(space, trials)
        self.size = math.prod(self.counts.values())
        self._order = f"caviar shuffled grid {check_seed(seed)}" if grid.shuffle else ""
        if grid.shuffle and self.size > 2**MOST_BITS:
            raise SpecError(f"A grid to shuffle has at most 2^{MOST_BITS} points, got {self.size:,}; lower its levels")
        self._levels = [space[name].levels(count) for name, count in self.counts.items()]

    def points(self, start: int, count: int) -> npt.NDArray[np.float64]:
        """Return points start .. start + count - 1, float64 [count, d]; SpecError beyond the grid's size."""
        check_range(start, count)
        if start + count > self.size:
            raise SpecError(f"This grid has {self.size:,} points, got a request for {start + count:,}")
        drawn = np.empty((count, len(self._levels)))
        left = np.arange(start, start + count, dtype=np.int64)
        if self._order:
            left = shuffled(left, self.size, self._order)
        for j in reversed(range(len(self._levels))):
            left, digit = np.divmod(left, len(self._levels[j]))
            drawn[:, j] = self._levels[j][digit]
        return drawn

    def identity(self) -> dict[str, object]:
        """Return the name, the levels of each parameter and the SHA-256 of the first (at most 16) points."""
        first = digest(self.points(0, min(FIRST_POINTS, self.size)))
        return {"name": self.name, "levels": dict(self.counts), "first_points": first}


def _capped(parameter: Parameter, levels: int) -> int:
    return levels if parameter.count is None else min(levels, parameter.count)


def _whole(levels: object) -> int:
    plain = levels.item() if isinstance(levels, np.generic) else levels
    if isinstance(plain, bool) or not isinstance(plain, int) or not 1 <= plain <= _MOST_LEVELS:
        raise SpecError(f"Grid levels are whole numbers in 1 .. {_MOST_LEVELS:,}, got {levels!r}")
    return plain
