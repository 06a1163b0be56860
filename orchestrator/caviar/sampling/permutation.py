"""Keyed permutations of whole numbers, each number's place computed alone.

A balanced Feistel network (Luby and Rackoff 1988, "How to construct pseudorandom permutations from pseudorandom
functions").
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

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
        mixed = (right + key) * _MIX  # wraps at 2^64, as meant
        mixed ^= mixed >> np.uint64(29)
        mixed *= _MIX
        left, right = right, left ^ (mixed >> np.uint64(64 - half))
    return np.asarray((left << bits) | right)


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
