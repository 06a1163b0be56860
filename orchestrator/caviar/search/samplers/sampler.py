"""The seam of samplers: which point of the unit cube a trial gets, and what its points hang on.

Contract of every sampler (`tests/contracts/test_sampler_contract.py` holds all of them to it):

* `points(start, count)` is a pure function: row i depends on the sweep seed, the number of dimensions and
  start + i only, never on how a range is cut up, on earlier calls or on the number of trials. So a sweep can
  be resumed, extended and run at any parallelism.
* Coordinates are in [0, 1); only a grid's last level, and what a user listed, can be at 1.
* The result is the caller's: changing it changes nothing.
* One thread at a time; samplers cache. Nothing is written anywhere, so a crash leaves nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError

FIRST_POINTS = 16
VERSIONS = ("numpy", "scipy")


def digest(points: npt.NDArray[np.float64]) -> str:
    """Return the SHA-256, in hex, of points [n, d] as little-endian float64, row by row."""
    return hashlib.sha256(np.ascontiguousarray(points, dtype="<f8").tobytes()).hexdigest()


def check_identity(stored: Mapping[str, object], current: Mapping[str, object]) -> None:
    """Raise SpecError when the sampler draws other points than it did when the sweep was made.

    Another version of a library is no reason by itself: it may draw the same points.

    Args:
        stored: what `identity()` gave when the sweep was made.
        current: what it gives now.
    """
    if _essence(stored) == _essence(current):
        return
    raise SpecError(
        f"A sweep is extended only with the points it began with, those of {_named(stored)}, got others from "
        f"{_named(current)}; use what it began with, or start a new sweep"
    )


def _essence(identity: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in identity.items() if key not in VERSIONS}


def _named(identity: Mapping[str, object]) -> str:
    versions = ", ".join(f"{key} {identity[key]}" for key in VERSIONS if key in identity)
    return f"{identity.get('name')}" + (f" ({versions})" if versions else "")


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
