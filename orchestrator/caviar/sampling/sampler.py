"""The sampler seam: which point of the unit cube a trial gets.

Contract of every sampler (`tests/contracts/test_sampler_contract.py` holds all of them to it):

* `points(start, count)` is a pure function: row i depends on the sweep seed, the number of dimensions and
  start + i only, never on how a range is cut up, on earlier calls or on the number of trials. So a sweep can
  be resumed, extended and run at any parallelism.
* Coordinates are in [0, 1); only a grid's last level, and what a user listed, can be at 1.
* The result is the caller's: changing it changes nothing.
* One thread at a time; samplers cache. Nothing is written anywhere, so a crash leaves nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class Sampler(Protocol):
    """Draws points without feedback; see the contract above."""

    @property
    def name(self) -> str:
        """`random`, `sobol`, `halton`, `grid`, `shuffled_grid` or `list`."""

    @property
    def size(self) -> int | None:
        """How many points there are; None when there is no end (short of 2^32)."""

    @property
    def own(self) -> Sequence[Mapping[str, Any]]:
        """Configurations that a user listed: theirs are the first points."""

    def points(self, start: int, count: int) -> npt.NDArray[np.float64]:
        """Return points start .. start + count - 1, float64 [count, d]; SpecError beyond `size`."""

    def identity(self) -> dict[str, object]:
        """Return JSON values that are equal while the points are; see `check_identity`."""
