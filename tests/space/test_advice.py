"""The scale check speaks where the lecture would, and is silent where a range is fine."""

import pytest

from caviar.space import Choice, Constant, Float, Int, Space, repeat_advice, scale_advice


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


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ((1e-3, 1), "Float(0.001, 1)"),
        ((1, 8), "Int(1, 8)"),
        ((0.9, 0.1), "Float(0.1, 0.9)"),
        ((-1, 1.5), "Float(-1, 1.5)"),
    ],
)
def test_a_pair_of_numbers_that_looks_like_a_range_is_told(pair, words):
    (line,) = scale_advice(Space({"x": pair, "ok": Float(0, 1)}))

    assert line.startswith("x: ")
    assert words in line
    assert f"Choice([{min(pair)!r}, {max(pair)!r}])" in line


@pytest.mark.parametrize("given", [[1e-3, 1], Choice((1e-3, 1)), ("a", "b"), (True, False), (1, 2, 3), (None, 1)])
def test_other_choices_are_no_ranges(given):
    assert scale_advice(Space({"x": given})) == ()


@pytest.mark.parametrize(
    ("space", "trials", "repeats"),
    [
        ({"a": [1, 2], "b": ["x", "y"]}, 16, 12),
        ({"a": [1, 2], "b": ["x", "y"]}, 4, 0),
        ({"a": Int(1, 3), "b": Constant(1)}, 4, 1),
        ({"a": Float(0, 1, step=0.5)}, 4, 1),
        ({"a": [1, 2], "b": Float(0, 1)}, 10**6, 0),
        ({"a": [1, 2], "b": Choice([1, 2], when={"a": 1})}, 5, 1),
    ],
)
def test_more_trials_than_configurations_are_told(space, trials, repeats):
    lines = repeat_advice(Space(space), trials)

    assert len(lines) == bool(repeats)
    assert all(f" {repeats} of the {trials} trials" in line for line in lines)
