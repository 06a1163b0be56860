"""Scrambled Sobol numbers, bit for bit those of `scipy.stats.qmc.Sobol`, without the second that its import takes.

The directions are those of Joe and Kuo (2008), from scipy's own table; point i is the exclusive or of those that the
Gray code of i names (Antonov and Saleev 1979), so a jump costs nothing.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

BITS = 32
"""2^32 points, one for each trial seed. With more, scipy (1.13 to 1.17 at least) could not skip ahead."""
_TABLE = "stats/_sobol_direction_numbers.npz"
Bits = npt.NDArray[np.uint32]


class SobolNumbers:
    """A sequence that stands at point 0; scrambled by a linear map and a shift that the generator draws.

    Args:
        dimensions: d, as many as the table has at most.
        generator: Its first child draws them.

    Raises:
        LookupError: scipy has no such table.
    """

    def __init__(self, dimensions: int, generator: np.random.Generator) -> None:
        (generator,) = generator.spawn(1)
        directions = _directions(dimensions)
        powers = np.uint32(1) << np.arange(BITS, dtype=np.uint32)
        shift = generator.integers(0, 2, size=(dimensions, BITS), dtype=np.uint32)
        self._shift: Bits = (shift * powers).sum(axis=1, dtype=np.uint32)
        lower = np.tril(generator.integers(0, 2, size=(dimensions, BITS, BITS), dtype=np.uint32))
        lower[:, range(BITS), range(BITS)] = 1
        rows = (lower * powers[::-1]).sum(axis=2, dtype=np.uint32)
        mapped = _parity(rows[:, :, None] & directions[:, None, :])  # [d, bit of the result, direction]
        self._directions: Bits = (mapped * powers[::-1, None]).sum(axis=1, dtype=np.uint32).T.copy()
        self._next = 0

    def fast_forward(self, count: int) -> None:
        """Skip so many points."""
        self._next += count

    def random(self, count: int) -> npt.NDArray[np.float64]:
        """Return the next points, ≥ 1 of them, float64 [count, d]."""
        first = self._shift.copy()
        gray = self._next ^ (self._next >> 1)
        for bit in range(BITS):
            if gray >> bit & 1:
                first ^= self._directions[bit]
        later = np.arange(self._next + 1, self._next + count)
        changed = np.log2(later & -later).astype(np.int64)  # the one bit in which two Gray codes differ
        steps = np.concatenate([first[None], self._directions[changed]])
        self._next += count
        points: npt.NDArray[np.float64] = np.bitwise_xor.accumulate(steps, axis=0) * (1.0 / 2**BITS)
        return points


def _directions(dimensions: int) -> Bits:
    """The first directions of the table, [d, bit]; the highest bit first."""
    scipy = find_spec("scipy")
    places = scipy.submodule_search_locations if scipy is not None else None
    if not places or not (table := Path(places[0], _TABLE)).exists():
        raise LookupError(f"there is no {_TABLE}")
    with np.load(table) as stored:
        polynomials, initial = stored["poly"][:dimensions], stored["vinit"][:dimensions]
    v = np.ones((dimensions, BITS), dtype=np.uint64)
    degrees = np.array([int(one).bit_length() - 1 for one in polynomials])
    for degree in np.unique(degrees[1:]):
        of = np.flatnonzero(degrees == degree)
        of = of[of > 0]  # the first dimension has no polynomial
        v[of, :degree] = initial[of, :degree]
        for j in range(degree, BITS):
            new = v[of, j - degree]
            for k in range(degree):
                chosen = (polynomials[of] >> (degree - 1 - k) & 1).astype(np.uint64)
                new ^= chosen * (v[of, j - k - 1] << np.uint64(k + 1))
            v[of, j] = new
    shifts = np.arange(BITS - 1, -1, -1, dtype=np.uint64)
    return (v << shifts).astype(np.uint32)


def _parity(x: Bits) -> Bits:
    for half in (16, 8, 4, 2, 1):
        x = x ^ (x >> np.uint32(half))
    return x & np.uint32(1)
