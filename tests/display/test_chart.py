import math

from rich.cells import cell_len

from caviar.display.axis import axis_of
from caviar.display.glyphs import ASCII, BRAILLE
from caviar.display.sparkline import chart


def test_the_axes_are_labelled() -> None:
    lines = chart([3.0, 2.0, 1.0, 0.5], [0, 10, 20, 30], ASCII, size=(20, 3))
    assert lines == [
        "  3 |^-._",
        "    |    ^^._",
        "0.5 |        ^--..__",
        "     0       step 30",
    ]


def test_it_keeps_its_size() -> None:
    curve = [1e-300 * step for step in range(1, 100)]
    lines = chart(curve, range(99), BRAILLE, size=(60, 8))
    assert len(lines) == 9
    assert all(cell_len(line) <= 60 for line in lines)


def test_what_cannot_be_drawn_draws_nothing() -> None:
    assert chart([math.nan, None, math.inf], [0, 1, 2], BRAILLE) == []
    assert chart([-1.0, 0.0], [0, 1], BRAILLE, axis=axis_of([[-1.0, 0.0]], True)) == []
