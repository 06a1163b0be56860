"""Whatever is a number can be drawn and written: from the smallest float to the largest, at the last step there is."""

import itertools
import math
import warnings
from collections.abc import Iterator

import pytest

from caviar.display.axis import axis_of, axis_text
from caviar.display.glyphs import ASCII, BLOCKS, BRAILLE
from caviar.display.numbers import number
from caviar.display.plot_ticks import value_ticks
from caviar.display.sparkline import chart, sparklines

MOST = 2**63 - 1
VALUES = (1.7e308, -1.7e308, 5e-324, -5e-324, 1e-323, 0.0, 1.0)
PAIRS = list(itertools.combinations(VALUES, 2))


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """A warning is an error here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("log", [True, False, None])
@pytest.mark.parametrize("pair", PAIRS)
def test_two_values_that_differ_are_drawn_apart(pair: tuple[float, float], log: bool | None) -> None:
    axis = axis_of([pair], log)
    shares = [axis.share(value) for value in pair]
    there = [share for share in shares if share is not None]
    assert all(0 <= share <= 1 for share in there)
    if len(there) == 2:
        assert {0.0, 1.0} == set(there)
    for glyphs in (BRAILLE, BLOCKS, ASCII):
        steps = [(0, MOST), (MOST - 1, MOST)]
        lines = sparklines([pair, pair[::-1]], steps=steps, width=6, axis=axis, spark=glyphs.spark)
        assert [len(line) for line in lines] == [6, 6]
        lines = chart(pair, (0, MOST), glyphs, axis=axis)
        assert bool(lines) == bool(there)
        assert not lines or str(MOST) in lines[-1]
    assert axis_text(axis)


@pytest.mark.parametrize("pair", PAIRS)
def test_an_axis_of_values_has_marks_between_its_ends(pair: tuple[float, float]) -> None:
    marks = value_ticks(*sorted(pair))

    assert all(-1e-6 <= share <= 1 + 1e-6 for share, _ in marks)
    assert len({label for _, label in marks}) == len(marks) >= 2 or max(map(abs, pair)) < 1e-320
    assert not any("inf" in label or "nan" in label for _, label in marks)


@pytest.mark.parametrize("value", [*VALUES, math.nan, math.inf, -math.inf, MOST])
def test_any_number_can_be_written(value: float) -> None:
    text = number(value)

    assert len(text) < 24
    assert float(text) == pytest.approx(value, rel=1e-3, abs=1e-323, nan_ok=True)
