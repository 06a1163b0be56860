"""Where the diverged trials lie: the one cut through one parameter that parts them best from the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from caviar.results.statistics.axis import Axis, BoolArray, FloatArray, IntArray
from caviar.results.statistics.importance import LEVEL

MOST_PERMUTATIONS, LEAST_PERMUTATIONS = 499, 199
PERMUTED = 1_000_000
"""Trials that are dealt out at a time: with more than 2,000 there are fewer permutations."""
FEWEST = 3
"""Diverged trials that a cut needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DivergedCut:
    """One side of a cut, in which most of the diverged trials lie.

    Attributes:
        axis: number of the parameter.
        side: `high`: they lie at or above `row`'s place; `low`: at or below it.
        row: the trial whose value is the last on that side.
        diverged: how many of the diverged trials lie there.
        there: how many trials lie there.
        p: how often chance alone parts as many as well, over all cuts of all parameters.
    """

    axis: int
    side: Literal["low", "high"]
    row: int
    diverged: int
    there: int
    p: float


def diverged_cut(axes: Sequence[Axis], diverged: BoolArray, rng: np.random.Generator) -> DivergedCut | None:
    """The cut that parts the diverged trials best from the others; None: chance does as well, or they are few.

    Judged by the largest difference of the two shares on one side, as Kolmogorov and Smirnov do, over all ordered
    parameters that exist in every trial; by permutation, the largest of all of them counts.

    Args:
        axes: the parameters, of n trials each.
        diverged: which trials diverged, [n].
        rng: for the permutations.
    """
    count = int(diverged.sum())
    asked = [j for j, axis in enumerate(axes) if axis.ordered and axis.exists.all()]
    if count < FEWEST or count == len(diverged) or not asked:
        return None
    permutations = int(np.clip(PERMUTED // len(diverged), LEAST_PERMUTATIONS, MOST_PERMUTATIONS))
    dealt = np.argpartition(rng.random((permutations, len(diverged))), count, axis=1)[:, :count]
    sets = np.vstack([np.flatnonzero(diverged), dealt])
    largest, found = np.zeros(len(sets)), (0.0, 0)
    for j in asked:
        gaps = _gaps(axes[j].places, sets)[0]
        largest = np.maximum(largest, gaps)
        found = max(found, (float(gaps[0]), j), key=lambda one: one[0])
    p = float(np.count_nonzero(largest >= largest[0] * (1 - 1e-9)) / len(sets))
    return _cut(axes[found[1]].places, diverged, found[1], p) if p < LEVEL else None


def _gaps(places: FloatArray, sets: IntArray) -> tuple[FloatArray, FloatArray]:
    """Of sets of trials, [r, m]: the largest difference between their share below a place and the others', [r].

    Beside it the same of the first set at each different place, ascending.
    """
    different, group = np.unique(places, return_inverse=True)
    below = np.searchsorted(np.sort(places), different, side="right")
    m, n = sets.shape[1], len(places)
    largest = np.zeros(len(sets))
    first = np.zeros(len(different))
    size = max(1, PERMUTED // len(different))
    for start in range(0, len(sets), size):
        some = sets[start : start + size]
        offset = np.arange(len(some))[:, None] * len(different)
        counts = np.bincount((group[some] + offset).ravel(), minlength=len(some) * len(different))
        inside = np.cumsum(counts.reshape(len(some), -1), axis=1)
        gap = inside / m - (below - inside) / (n - m)
        largest[start : start + len(some)] = np.abs(gap).max(axis=1)
        first = gap[0] if start == 0 else first
    return largest, first


def _cut(places: FloatArray, diverged: BoolArray, axis: int, p: float) -> DivergedCut:
    gap = _gaps(places, np.flatnonzero(diverged)[None])[1]
    different = np.unique(places)
    at = int(np.abs(gap).argmax())
    low = gap[at] > 0
    place = different[at] if low else different[at + 1]
    there = places <= place if low else places >= place
    return DivergedCut(
        axis=axis,
        side="low" if low else "high",
        row=int(np.flatnonzero(places == place)[0]),
        diverged=int(np.count_nonzero(diverged & there)),
        there=int(np.count_nonzero(there)),
        p=p,
    )
