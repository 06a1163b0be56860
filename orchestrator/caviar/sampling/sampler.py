"""The sampler seam: which point of the unit cube a trial gets.

Contract of every sampler (`tests/contracts/test_sampler_contract.py` holds all of them to it):

* `points(start, count)` is a pure function: row i depends on the sweep seed, the number of dimensions and
  start + i only, never on how a range is cut up, on earlier calls or on the number of trials. So a sweep can
  be resumed, extended and run at any parallelism.
* Coordinates are in [0, 1); only a grid's last level is at 1.
* The result is the caller's: changing it changes nothing.
* One thread at a time; samplers cache. Nothing is written anywhere, so a crash leaves nothing.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.sampling.grid import Grid, GridSampler
from caviar.sampling.seeds import MOST_TRIALS
from caviar.sampling.sobol import SobolSampler
from caviar.sampling.uniform import RandomSampler
from caviar.space import Space, did_you_mean

SAMPLERS = ("random", "sobol", "grid")


class Sampler(Protocol):
    """Draws points without feedback; see the contract above."""

    @property
    def name(self) -> str:
        """One of `SAMPLERS`."""

    @property
    def size(self) -> int | None:
        """How many points there are; None when there is no end (short of 2^32)."""

    def points(self, start: int, count: int) -> npt.NDArray[np.float64]:
        """Return points start .. start + count - 1, float64 [count, d]; SpecError beyond `size`."""

    def identity(self) -> dict[str, object]:
        """Return JSON values that are equal while the points are; see `check_identity`."""


def make_sampler(sampler: str | Grid | Mapping[str, object], space: Space, seed: int, trials: int) -> Sampler:
    """Return the sampler of a sweep.

    Args:
        sampler: "random", "sobol", "grid", a `Grid`, or its JSON form {"name": "grid", "levels": …}.
        space: gives the dimensions, and a grid its levels.
        seed: of the sweep, 0 .. 2^63 - 1; a grid ignores it.
        trials: how many points the sweep needs, >= 1; the default levels of a grid depend on it.

    Raises:
        SpecError: there is no such sampler, the seed or the levels are wrong, or a grid has fewer points than
            trials.
    """
    name, grid = _described(sampler)
    _check_trials(trials)
    if name == "random":
        return RandomSampler(len(space), seed)
    if name == "sobol":
        return SobolSampler(len(space), seed)
    chosen = GridSampler(space, grid, trials)
    if trials > chosen.size:
        raise SpecError(f"This grid has {chosen.size:,} points, got trials={trials:,}; ask for fewer, or more levels")
    return chosen


def _check_trials(trials: object) -> None:
    if isinstance(trials, bool) or not isinstance(trials, int) or not 1 <= trials <= MOST_TRIALS:
        raise SpecError(f"A sweep needs a whole number of trials in 1 .. 2^32, got {trials!r}")


def _described(sampler: object) -> tuple[str, Grid]:
    """Return the sampler's name, and the grid where it is one."""
    if isinstance(sampler, Grid):
        return "grid", sampler
    if isinstance(sampler, Mapping):
        name = sampler.get("name")
        if name == "grid":
            return "grid", Grid.from_json(sampler)
        if set(sampler) == {"name"}:
            sampler = name
    if not isinstance(sampler, str) or sampler not in SAMPLERS:
        raise SpecError(f"There is no sampler {sampler!r}{did_you_mean(sampler, SAMPLERS)}")
    return sampler, Grid()
