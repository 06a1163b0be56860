import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.display.axis import axis_of
from caviar.display.glyphs import Spark
from caviar.display.sparkline import Canvas, plots, sparklines

FALLING = [1.0, 0.5, 0.25, 0.125]


def test_a_falling_curve_falls() -> None:
    assert sparklines([FALLING], width=4, spark="blocks") == ["█▄▂▁"]
    assert sparklines([FALLING], width=4, spark="ascii") == ["^.__"]
    assert sparklines([[3.0, 2.0, 1.0, 0.0]], width=2) == ["⠑⢄"]


def test_a_log_axis_makes_a_geometric_curve_straight() -> None:
    assert sparklines([FALLING], width=4, spark="ascii", axis=axis_of([FALLING], True)) == ["^-._"]


def test_shown_curves_share_the_y_axis() -> None:
    high, low = sparklines([[1.0, 0.9], [0.1, 0.0]], width=2, spark="blocks")
    assert high == "█▇"
    assert low == "▂▁"


def test_shown_curves_share_the_x_axis() -> None:
    long, short = sparklines([[0.0] * 8, [1.0] * 4], width=8, spark="blocks")
    assert long == "▁" * 8
    assert short == "████    "


@pytest.mark.parametrize("hole", [math.nan, math.inf, -math.inf, None])
def test_what_is_not_finite_leaves_a_gap(hole: float | None) -> None:
    assert sparklines([[0.0, hole, 1.0]], width=3, spark="blocks") == ["▁ █"]


def test_not_above_zero_leaves_a_gap_on_a_log_axis() -> None:
    holed = [1.0, 0.0, 10.0]
    assert sparklines([holed], width=3, spark="blocks", axis=axis_of([holed], True)) == ["▁ █"]


def test_more_points_than_columns_are_averaged() -> None:
    assert sparklines([[0.0, 0.0, 7.0, 7.0]], width=2, spark="blocks") == ["▁█"]
    assert sparklines([[0.0, math.nan, 7.0, 7.0]], width=2, spark="blocks") == ["▁█"]


def test_a_flat_curve_runs_in_the_middle() -> None:
    assert sparklines([[5.0, 5.0]], width=2, spark="ascii") == ["--"]


def test_nothing_to_draw_is_blank() -> None:
    assert sparklines([[], [math.nan]], width=3) == ["   ", "   "]
    assert sparklines([], width=3) == []


def test_a_tall_picture_is_read_from_the_top() -> None:
    rows = plots([[1.0, 0.0]], Canvas(width=2, height=2, spark="ascii"))[0]
    assert rows == ["^ ", " _"]
    braille = plots([[7.0, 0.0]], Canvas(width=1, height=2))[0]
    assert braille == ["⢱", "⢸"]


@given(
    st.lists(st.lists(st.floats() | st.none(), max_size=30), max_size=4),
    st.integers(1, 12),
    st.integers(1, 3),
    st.sampled_from(["braille", "blocks", "ascii"]),
    st.sampled_from([True, False, None]),
)
def test_any_curves_fill_exactly_the_space(
    curves: list[list[float | None]], width: int, height: int, spark: Spark, log: bool | None
) -> None:
    pictures = plots(curves, Canvas(width=width, height=height, spark=spark, axis=axis_of(curves, log)))
    assert len(pictures) == len(curves)
    assert all(len(rows) == height and all(len(row) == width for row in rows) for rows in pictures)


def test_curves_are_compared_at_equal_steps() -> None:
    often, seldom = sparklines([[0.0] * 9, [0.0, 1.0, 0.0]], steps=[range(9), (0, 4, 8)], width=9, spark="ascii")
    assert often == "_________"
    assert seldom[4] == "^"
    assert seldom == seldom[::-1]
