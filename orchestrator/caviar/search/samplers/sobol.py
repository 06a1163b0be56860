"""Points of a scrambled Sobol sequence: random to the eye, but spread evenly over every part of the cube.

Sobol numbers with the directions of Joe and Kuo (2008), scrambled by a random linear map and a digital shift
(Matousek 1998, "On the L2-discrepancy for anchored boxes"), as in `scipy.stats.qmc.Sobol`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.search.samplers.sampler import FIRST_POINTS, digest
from caviar.search.samplers.seeds import check_range, check_seed, stream_key
from caviar.search.samplers.sobol_numbers import BITS, SobolNumbers

_BLOCK = 1 << 10  # points; a power of 2, so that scipy has no complaint about balance
_LONGEST_SKIP = 1 << 30  # scipy counts a skip in a C int
_MOST_DIMENSIONS = 21201  # of the table of directions


class SobolSampler:
    """Point i is the i-th of a Sobol sequence scrambled by the seed; any first 2^k are evenly spread.

    Blocks of 2^10 points are drawn one after another, and the newest is kept: reading on costs O(count). A
    jump back begins again at 0.

    Args:
        dimensions: d, 1 .. 21201.
        seed: of the sweep, 0 .. 2^63 - 1.

    Raises:
        SpecError: too many dimensions, or a wrong seed.
    """

    name = "sobol"
    size = None
    own = ()

    def __init__(self, dimensions: int, seed: int) -> None:
        if dimensions > _MOST_DIMENSIONS:
            raise SpecError(f"Sobol points have at most {_MOST_DIMENSIONS} dimensions, got {dimensions}; use 'random'")
        self._dimensions = dimensions
        self._seed = check_seed(seed)
        self._engine: Any = None  # stands at block `_next`
        self._next = 0
        self._newest: tuple[int, npt.NDArray[np.float64]] | None = None

    def points(self, start: int, count: int) -> npt.NDArray[np.float64]:
        """Return points start .. start + count - 1, float64 [count, d]; ValueError beyond 2^32."""
        check_range(start, count)
        drawn = np.empty((count, self._dimensions))
        stop = start + count
        for number in range(start // _BLOCK, -(-stop // _BLOCK) if count else 0):
            first = number * _BLOCK
            low, high = max(start, first), min(stop, first + _BLOCK)
            drawn[low - start : high - start] = self._block(number)[low - first : high - first]
        return drawn

    def identity(self) -> dict[str, object]:
        """Return the name, the versions of numpy and scipy and the SHA-256 of the first 16 points."""
        from scipy import __version__ as scipy_version  # noqa: PLC0415 (slow; only for Sobol)

        first = digest(_engine(self._dimensions, self._seed).random(FIRST_POINTS))
        return {"name": self.name, "numpy": np.__version__, "scipy": scipy_version, "first_points": first}

    def _block(self, number: int) -> npt.NDArray[np.float64]:
        if self._newest is not None and self._newest[0] == number:
            return self._newest[1]
        engine, self._engine = self._engine, None  # an interrupt must not leave one that stands elsewhere
        if engine is None or number < self._next:
            engine, self._next = _engine(self._dimensions, self._seed), 0
        ahead = (number - self._next) * _BLOCK
        while ahead:
            skip = min(ahead, _LONGEST_SKIP)
            engine.fast_forward(skip)
            ahead -= skip
        block: npt.NDArray[np.float64] = engine.random(_BLOCK)
        self._newest, self._next, self._engine = (number, block), number + 1, engine
        return block


def _engine(dimensions: int, seed: int) -> Any:
    """Return what draws the points, at point 0, scrambled by the seed."""

    def generator() -> np.random.Generator:
        return np.random.Generator(np.random.Philox(np.random.SeedSequence(stream_key(seed, "sobol"))))

    try:
        return SobolNumbers(dimensions, generator())
    except LookupError:
        return _scipys(dimensions, generator())


def _scipys(dimensions: int, generator: np.random.Generator) -> Any:
    """The same points, drawn by scipy."""
    from scipy.stats import qmc  # noqa: PLC0415 (slow)

    try:
        return qmc.Sobol(dimensions, scramble=True, bits=BITS, rng=generator)
    except TypeError:  # scipy before 1.15 calls it seed
        return qmc.Sobol(dimensions, scramble=True, bits=BITS, seed=generator)
