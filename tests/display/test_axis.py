"""The y-axis: logarithmic where that shows more, and stretched by no single value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.display.axis import Axis, axis_of, axis_text, wants_log
from caviar.display.sparkline import sparklines

FALLING = [[2.3 * math.exp(-step / 5) + 0.003 * trial for step in range(30)] for trial in range(1, 8)]


def test_curves_that_span_much_want_a_log_axis() -> None:
    assert wants_log([[2.3, 0.1], [0.5]])
    assert not wants_log([[0.9, 0.1]])
    assert not wants_log([[0.0, 10.0]])
    assert not wants_log([[-1.0, 10.0]])
    assert wants_log([[math.inf, 20.0, 1.0, None]])
    assert not wants_log([[], [math.nan]])


def test_a_quality_that_climbs_is_told_apart_at_the_top() -> None:
    assert not wants_log([[0.05, 0.5, 0.9], [0.04, 0.6, 0.95]])
    assert wants_log([[1.0, 0.01], [1.0, 0.02], [1.0, 0.9]]), "most end low"


@pytest.mark.parametrize("bad", [1e5, 1e30, -1e9, 1e308, -1e308])
def test_one_value_far_out_flattens_nothing(bad: float) -> None:
    curves = [*FALLING, [2.0] * 10 + [bad]]
    axis = axis_of(curves)
    assert axis.low >= 0.001
    assert axis.high <= 10
    assert axis.beyond == 1
    assert axis.share(bad) == (1.0 if bad > 0 else None if axis.log else 0.0)
    good = sparklines(curves, width=30, axis=axis)[:-1]
    assert all(len(set(line)) > 2 for line in good), good


def test_the_text_says_what_is_beyond() -> None:
    assert axis_text(axis_of([[1.0, 0.5]])) == "from 0.5 to 1"
    assert axis_text(axis_of([[1.0, 0.05]])) == "from 0.05 to 1, log"
    assert axis_text(Axis(low=0, high=1, beyond=1)) == "from 0 to 1; 1 value beyond that is drawn at the edge"
    assert axis_text(Axis(low=0, high=1, beyond=2)) == "from 0 to 1; 2 values beyond that are drawn at the edge"


def test_one_can_choose() -> None:
    assert not axis_of(FALLING, False).log
    assert axis_of([[1.0, 0.9]], True).log


@given(st.lists(st.lists(st.floats() | st.none(), max_size=12), max_size=3), st.sampled_from([True, False, None]))
def test_every_value_has_a_share_or_none(curves: list[list[float | None]], log: bool | None) -> None:
    axis = axis_of(curves, log)
    values = [value for curve in curves for value in curve if value is not None and math.isfinite(value)]
    drawn = [value for value in values if value > 0 or not axis.log]
    shares = [axis.share(value) for value in drawn]
    assert all(share is not None and 0 <= share <= 1 for share in shares)
    assert sum(not axis.low <= value <= axis.high for value in drawn) == axis.beyond
    assert 2 * axis.beyond <= len(drawn)
    assert axis.share(None) is axis.share(math.nan) is None
