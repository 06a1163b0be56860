"""Points of a scrambled Halton sequence: even in every count of points, not in powers of two only.

Digits of i in the base of the j-th prime, each digit permuted at random (Owen 2017, "A randomized Halton algorithm in
R"), as in `scipy.stats.qmc.Halton`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from caviar.search.samplers.sampler import FIRST_POINTS, digest
from caviar.search.samplers.seeds import check_range, check_seed, stream_key


class HaltonSampler:
    """Point i is the i-th of a Halton sequence scrambled by the seed.

    Any point is computed alone. scipy is imported at the first one.

    Args:
        dimensions: d, >= 1.
        seed: of the sweep, 0 .. 2^63 - 1.
    """

    name = "halton"
    size = None
    own = ()

    def __init__(self, dimensions: int, seed: int) -> None:
        self._dimensions = dimensions
        self._seed = check_seed(seed)
        self._engine: Any = None

    def points(self, start: int, count: int) -> npt.NDArray[np.float64]:
        """Return points start .. start + count - 1, float64 [count, d]; ValueError beyond 2^32."""
        check_range(start, count)
        if not count:
            return np.empty((0, self._dimensions))
        if self._engine is None:
            self._engine = _engine(self._dimensions, self._seed)
        self._engine.num_generated = start
        return np.asarray(np.minimum(self._engine.random(count), np.nextafter(1.0, 0.0)), order="C")

    def identity(self) -> dict[str, object]:
        """Return the name, the versions of numpy and scipy and the SHA-256 of the first 16 points."""
        from scipy import __version__ as scipy_version  # noqa: PLC0415 (slow; only for these points)

        first = digest(self.points(0, FIRST_POINTS))
        return {"name": self.name, "numpy": np.__version__, "scipy": scipy_version, "first_points": first}


def _engine(dimensions: int, seed: int) -> Any:
    """Return scipy's engine, scrambled by the seed."""
    from scipy.stats import qmc  # noqa: PLC0415 (slow; only for these points)

    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(stream_key(seed, "halton"))))
    try:
        return qmc.Halton(dimensions, scramble=True, rng=generator)
    except TypeError:  # scipy before 1.15 calls it seed
        return qmc.Halton(dimensions, scramble=True, seed=generator)
