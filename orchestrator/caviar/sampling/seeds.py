"""Seeds: of the sweep, of its trials, and keys of random streams that must not touch.

The seed of trial i is a keyed bijection of i on the 32-bit integers. So no two trials of a
sweep share a seed, and any of them is computed alone. 32 bits are what numpy's and torch's seeding and a
store's column all take.
"""

import hashlib

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.sampling.permutation import permuted, round_keys

LARGEST_SEED = 2**63 - 1
MOST_TRIALS = 2**32  # as many as there are 32-bit seeds


def check_seed(seed: object) -> int:
    """Return the sweep seed as an int in 0 .. 2^63 - 1, numpy integers converted; SpecError otherwise."""
    plain = seed.item() if isinstance(seed, np.generic) else seed
    if isinstance(plain, bool) or not isinstance(plain, int):
        raise SpecError(f"A sweep's seed must be an integer, got {seed!r} ({type(seed).__name__})")
    if not 0 <= plain <= LARGEST_SEED:
        raise SpecError(f"A sweep's seed must lie in 0 .. 2^63 - 1, got {plain}")
    return plain


def check_range(start: int, count: int) -> None:
    """Raise ValueError unless start .. start + count are trial numbers within 0 .. 2^32."""
    if start < 0 or count < 0 or start + count > MOST_TRIALS:
        raise ValueError(f"trial numbers lie in 0 .. 2^32 - 1, got start={start} and count={count}")


def trial_seeds(sweep_seed: int, start: int, count: int) -> npt.NDArray[np.uint32]:
    """Return the seeds of trials start .. start + count - 1.

    Args:
        sweep_seed: 0 .. 2^63 - 1.
        start: number of the first trial, >= 0.
        count: how many; start + count <= 2^32.

    Returns:
        uint32, shape [count], all different; each a pure function of the sweep seed and the trial's number.

    Raises:
        SpecError: the sweep seed is not one.
        ValueError: the trial numbers are out of range.
    """
    keys = round_keys(f"caviar trial seeds {check_seed(sweep_seed)}")
    check_range(start, count)
    number = np.arange(start, start + count, dtype=np.uint64)
    return permuted(number, keys, 16).astype(np.uint32)


def stream_key(seed: int, stream: str) -> int:
    """Return a 128-bit key for the named stream of a sweep, unrelated to that of other streams and seeds."""
    return int.from_bytes(hashlib.sha256(f"caviar {stream} {seed}".encode()).digest()[:16], "little")
