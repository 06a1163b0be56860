"""Independent uniform points, from a counter-based generator.

Philox4x64-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") turns a key and a counter
into four 64-bit words, so that any point is drawn at once, without those before it, and nothing need be
cached. The raw words are used, for numpy promises to keep them, but not what its `Generator` makes of them.
"""

import numpy as np
import numpy.typing as npt

from caviar.search.samplers.sampler import FIRST_POINTS, digest
from caviar.search.samplers.seeds import check_range, check_seed, stream_key

_WORDS = 4  # 64-bit words a counter gives
_CHUNK = 1 << 16  # words drawn at a time: they stay in the processor's cache


class RandomSampler:
    """Point i is uniform in [0, 1)^d, independent of all others, a multiple of 2^-53.

    Args:
        dimensions: d, >= 1.
        seed: of the sweep, 0 .. 2^63 - 1.
    """

    name = "random"
    size = None
    own = ()

    def __init__(self, dimensions: int, seed: int) -> None:
        self._dimensions = dimensions
        self._key = stream_key(check_seed(seed), "random")
        self._counters = -(-dimensions // _WORDS)  # counters a point takes

    def points(self, start: int, count: int) -> npt.NDArray[np.float64]:
        """Return points start .. start + count - 1, float64 [count, d]; ValueError beyond 2^32."""
        check_range(start, count)
        drawn = np.empty((count, self._dimensions))
        words = np.random.Philox(key=self._key, counter=start * self._counters)
        width = self._counters * _WORDS
        rows = max(1, _CHUNK // width)
        for row in range(0, count, rows):
            block = drawn[row : row + rows]
            raw = words.random_raw(len(block) * width).reshape(len(block), width)[:, : self._dimensions]
            np.multiply(raw >> np.uint64(11), 2.0**-53, out=block)  # 53 bits: rounding can never reach 1
        return drawn

    def identity(self) -> dict[str, object]:
        """Return the name, numpy's version and the SHA-256 of the first 16 points."""
        return {
            "name": self.name,
            "numpy": np.__version__,
            "first_points": digest(self.points(0, FIRST_POINTS)),
        }
