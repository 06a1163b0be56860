"""The scale check speaks where the lecture would, and is silent where a range is fine."""

import pytest

from caviar.space import Choice, Float, Int, Space, scale_advice


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (Float(1e-4, 1.0), ["90% of the draws lie above 0.1", "scale='log'"]),
        (Int(1, 4096), ["90% of the draws lie above 409.6", "scale='log'"]),
        (Float(0.9, 0.999), ["only 9% of the draws lie above 0.99", "reverse_log"]),
        (Float(50, 100, "log"), ["a factor of 2", "hardly differs"]),
        (Int(50, 100, "log"), ["a factor of 2"]),
        (Int(2, 4, "log"), ["3 integers", "too few for a log scale"]),
        (Int(1, 5, "log"), ["5 integers"]),
    ],
)
def test_it_says_what_is_odd(parameter, words):
    (line,) = scale_advice(Space({"x": parameter, "ok": Float(0, 1)}))
    assert line.startswith("x: ")
    assert "\n" not in line
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    "parameter",
    [
        Float(1e-4, 1.0, "log"),
        Float(0.9, 0.999, "reverse_log"),
        Float(0.0, 1.0),
        Float(0.5, 0.9),
        Float(-1e6, 1.0),
        Int(50, 100),
        Int(16, 512, "log"),
        Int(0, 10_000),
        Choice([1, 1000]),
    ],
)
def test_it_is_silent_where_all_is_well(parameter):
    assert scale_advice(Space({"x": parameter})) == ()
