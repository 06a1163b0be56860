"""Seeds of the sweep and of its trials, keys of random streams that must not touch, and keyed permutations.

A balanced Feistel network (Luby and Rackoff 1988, "How to construct pseudorandom permutations from pseudorandom
functions").

The seed of trial i is a keyed bijection of i on the 32-bit integers. So no two trials of a
sweep share a seed, and any of them is computed alone. 32 bits are what numpy's and torch's seeding and a
store's column all take.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError

_ROUNDS = 8
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, the golden ratio's bits: spreads a half over the upper bits
MOST_BITS = 62

UintArray = npt.NDArray[np.uint64]


def round_keys(text: str) -> list[np.uint64]:
    """Return the keys that a text stands for."""
    found = hashlib.sha512(text.encode()).digest()
    return [np.uint64(int.from_bytes(found[8 * i : 8 * i + 8], "little")) for i in range(_ROUNDS)]


def permuted(numbers: UintArray, keys: list[np.uint64], half: int) -> UintArray:
    """Return where the numbers, below 2^(2 · half), go: a bijection on these; uint64 of the same shape."""
    bits, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = numbers >> bits, numbers & mask
    for key in keys:
        left, right = right, left ^ _mixed(right, key, half)
    return np.asarray((left << bits) | right)


def unpermuted(found: UintArray, keys: list[np.uint64], half: int) -> UintArray:
    """Return which numbers `permuted` sends there; uint64 of the same shape."""
    bits, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = found >> bits, found & mask
    for key in reversed(keys):
        left, right = right ^ _mixed(left, key, half), left
    return np.asarray((left << bits) | right)


def _mixed(right: UintArray, key: np.uint64, half: int) -> UintArray:
    mixed = (right + key) * _MIX  # wraps at 2^64, as meant
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MIX
    return np.asarray(mixed >> np.uint64(64 - half))


def shuffled(numbers: npt.NDArray[np.int64], size: int, text: str) -> npt.NDArray[np.int64]:
    """Return where the numbers 0 … size − 1 (size ≤ 2^62) go in a permutation of these, int64 [n].

    Walks along the cycles of a permutation of the next power of four (Black and Rogaway 2002, "Ciphers with arbitrary
    finite domains"), four steps a number on average at most.
    """
    keys, half = round_keys(text), max(1, -(-(size - 1).bit_length() // 2))
    found = permuted(numbers.astype(np.uint64), keys, half)
    while (outside := found >= np.uint64(size)).any():
        found[outside] = permuted(found[outside], keys, half)
    return found.astype(np.int64)


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
    keys = _seed_keys(sweep_seed)
    check_range(start, count)
    number = np.arange(start, start + count, dtype=np.uint64)
    return permuted(number, keys, 16).astype(np.uint32)


def trials_with(seeds: npt.NDArray[np.uint32], sweep_seed: int) -> npt.NDArray[np.int64]:
    """Return which trials of a sweep would have these seeds, int64 of the same shape: the inverse of `trial_seeds`."""
    return unpermuted(seeds.astype(np.uint64), _seed_keys(sweep_seed), 16).astype(np.int64)


def _seed_keys(sweep_seed: int) -> list[np.uint64]:
    return round_keys(f"caviar trial seeds {check_seed(sweep_seed)}")


def stream_key(seed: int, stream: str) -> int:
    """Return a 128-bit key for the named stream of a sweep, unrelated to that of other streams and seeds."""
    return int.from_bytes(hashlib.sha256(f"caviar {stream} {seed}".encode()).digest()[:16], "little")
