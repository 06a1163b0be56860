"""The mean of the rule `smoothed`, to the last bit."""

import functools
import itertools
import math
import operator

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from caviar.results.ranking_sql import SMOOTHED, _scores

VALUES = st.floats(-10.0, 10.0) | st.sampled_from([1e307, -1e307, 1.7e308, -1.7e308, 5e-324, 1e16, -1e16, 1.0])


def mean(values: tuple[float, ...]) -> float:
    """What the store says of a curve with these reports."""
    rows = ", ".join(f"(0, {step}, {value!r}::DOUBLE, {step})" for step, value in enumerate(values))
    query = _scores(f"SELECT * FROM (VALUES {rows}) AS rows(trial, step, value, _row)", "min", "smoothed")
    found: float = duckdb.execute(query).fetchall()[0][1]
    return found


@given(values=st.lists(VALUES, min_size=1, max_size=SMOOTHED))
def test_it_is_the_sum_from_the_smallest_to_the_largest_and_so_the_same_in_every_order(values: list[float]) -> None:
    ordered = sorted(values)
    total = functools.reduce(operator.add, ordered)
    if math.isfinite(total):
        expected = total / len(ordered)
    else:
        expected = functools.reduce(operator.add, [value / len(ordered) for value in ordered])
    expected = max(ordered[0], min(ordered[-1], expected))

    orders = list(itertools.permutations(values))
    assert {mean(order) for order in orders[:: max(1, len(orders) // 6)]} == {expected}
