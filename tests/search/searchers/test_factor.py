"""The growing factor solves as a fresh one would."""

import numpy as np
import pytest

from caviar.search.searchers.gp_kernel import Factor


def covariance(count: int = 12) -> np.ndarray:
    half = np.random.default_rng(0).normal(size=(count, count))
    return half @ half.T + np.eye(count)


def grown(factor: Factor, whole: np.ndarray, new: list[int]) -> None:
    there = [trial for trial, _ in factor.keys]
    factor.grow([(k, 0.0) for k in new], whole[np.ix_(there, new)], whole[np.ix_(new, new)])


def solved(whole: np.ndarray, order: list[int]) -> np.ndarray:
    return np.linalg.solve(whole[np.ix_(order, order)], np.arange(len(order), dtype=float))


def test_rows_that_come_in_turns_are_as_good_as_all_at_once() -> None:
    whole, factor = covariance(), Factor()
    for new in ([0], [1, 2, 3], [7], [9, 8]):
        grown(factor, whole, new)

    assert factor.solve(np.arange(7.0)) == pytest.approx(solved(whole, [0, 1, 2, 3, 7, 9, 8]))


def test_rows_that_go_take_those_behind_them_along() -> None:
    whole, factor = covariance(), Factor()
    grown(factor, whole, [0, 1, 2, 3, 4])

    assert factor.keep([(0, 0.0), (1, 0.0), (3, 0.0), (4, 0.0)]) == 2
    grown(factor, whole, [4, 3, 6])
    assert [trial for trial, _ in factor.keys] == [0, 1, 4, 3, 6]
    assert factor.solve(np.arange(5.0)) == pytest.approx(solved(whole, [0, 1, 4, 3, 6]))


def test_what_is_all_wanted_stays() -> None:
    whole, factor = covariance(), Factor()
    grown(factor, whole, [2, 0])

    assert factor.keep([(0, 0.0), (2, 0.0), (5, 0.0)]) == 2
    assert factor.solve(np.arange(2.0)) == pytest.approx(solved(whole, [2, 0]))
