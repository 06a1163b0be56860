"""Which of many points no other one beats in all that counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def pareto_set(costs: Floats) -> npt.NDArray[np.bool_]:
    """Which points are in the Pareto set: no other one is as good in every objective and better in one.

    Args:
        costs: [n, m], finite; small is good. Of points that are equal all are in the set, or none.

    Returns:
        [n]
    """
    if not len(costs):
        return np.zeros(0, np.bool_)
    different, which = np.unique(costs, axis=0, return_inverse=True)  # sorted by the first objective, then the next …
    found = _of_two(different) if costs.shape[1] == 2 else _of_many(different)
    return found[which.reshape(-1)]


def _of_two(costs: Floats) -> npt.NDArray[np.bool_]:
    """Of points in order, those whose second cost is below all before."""
    before = np.concatenate([[np.inf], np.minimum.accumulate(costs[:, 1])[:-1]])
    return costs[:, 1] < before


def _of_many(costs: Floats) -> npt.NDArray[np.bool_]:
    """Of points in order, each that is left removes those behind it that it beats; nobody behind can beat it."""
    left = np.arange(len(costs))
    others = np.ascontiguousarray(costs[:, 1:].T)  # in the first objective nobody behind is better
    place = 0
    while place < len(left):
        behind = others[:, place + 1 :]
        better = behind[0] < others[0, place]
        for one, own in zip(behind[1:], others[1:, place], strict=True):
            better |= one < own
        if not better.all():
            keep = np.concatenate([np.ones(place + 1, np.bool_), better])
            left, others = left[keep], np.ascontiguousarray(others[:, keep])
        place += 1
    found = np.zeros(len(costs), np.bool_)
    found[left] = True
    return found
