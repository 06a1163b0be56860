"""The laws of the scales: shares of decades, exact bounds, order, and the way back."""

import warnings
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from caviar.space.scale import KNOWN, SCALES, Scale, cells, forward, inverse, unit_points

DRAWS = np.random.default_rng(1).random(200_000)
STANDARD_ERROR = 4 * 0.5 / np.sqrt(len(DRAWS))  # four of them, at the widest

units = st.floats(0.0, 1.0)


@st.composite
def ranges(draw, scale):
    """A range that float64 can resolve on its scale."""
    if scale == "linear":
        low = draw(st.floats(-1e6, 1e6))
        return low, low + draw(st.floats(1e-3, 1e6))
    a, b = sorted((draw(st.floats(-12.0, 12.0)), draw(st.floats(-12.0, 12.0))))
    low, high = sorted((KNOWN[scale].off_axis(a), KNOWN[scale].off_axis(b)))
    assume(abs(inverse(scale, low, high, np.nextafter(low, high))) < 1e-6)
    assume(abs(1.0 - inverse(scale, low, high, np.nextafter(high, low))) < 1e-6)
    assume(b - a > 0.01)
    return low, high


def share(values, low, high):
    return np.mean((values >= low) & (values < high))


def test_log_gives_each_decade_a_quarter():
    values = forward("log", 1e-4, 1.0, DRAWS)
    for decade in (1e-4, 1e-3, 1e-2, 1e-1):
        assert share(values, decade, 10 * decade) == pytest.approx(0.25, abs=STANDARD_ERROR)


def test_linear_puts_nine_tenths_in_the_top_decade():
    values = forward("linear", 1e-4, 1.0, DRAWS)
    assert share(values, 0.1, 1.0) == pytest.approx(0.9, abs=STANDARD_ERROR)


def test_reverse_log_gives_the_last_decade_of_beta_half():
    values = forward("reverse_log", 0.9, 0.999, DRAWS)
    assert share(values, 0.99, 0.999) == pytest.approx(0.5, abs=STANDARD_ERROR)


def test_linear_gives_the_last_decade_of_beta_a_eleventh():
    values = forward("linear", 0.9, 0.999, DRAWS)
    assert share(values, 0.99, 0.999) == pytest.approx(0.009 / 0.099, abs=STANDARD_ERROR)


def test_corners_of_decades_are_round_numbers():
    fifths = np.arange(5) / 4
    assert forward("log", 1e-4, 1.0, fifths).tolist() == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0], rel=3e-16)
    assert forward("reverse_log", 0.9, 0.999, [0.5])[0] == pytest.approx(0.99, rel=3e-16)


@pytest.mark.parametrize("scale", SCALES)
@settings(deadline=None)
@given(data=st.data())
def test_bounds_are_exact_and_never_passed(scale, data):
    low, high = data.draw(ranges(scale))
    u = np.array([0.0, 5e-324, 1e-17, *data.draw(st.lists(units, max_size=20)), 1.0 - 2.0**-53, 1.0])
    values = forward(scale, low, high, u)
    assert values[0] == low
    assert values[-1] == high
    assert (values >= low).all()
    assert (values <= high).all()


@pytest.mark.parametrize("scale", SCALES)
def test_no_value_near_a_bound_rounds_past_it(scale):
    """Unclipped, some of these powers land a last digit outside."""
    near = np.array([2.0**-53, 2.0**-52, 1.0 - 2.0**-52, 1.0 - 2.0**-53])
    for below, above in np.random.default_rng(4).uniform([-6.0, -1.0], [-1.0, 0.0], (2000, 2)):
        low, high = sorted((KNOWN[scale].off_axis(below), KNOWN[scale].off_axis(above)))
        values = forward(scale, low, high, near)
        assert (values >= low).all()
        assert (values <= high).all()


@pytest.mark.parametrize("scale", SCALES)
@settings(deadline=None)
@given(data=st.data())
def test_unit_undoes_value(scale, data):
    low, high = data.draw(ranges(scale))
    u = data.draw(units)
    value = forward(scale, low, high, [u])[0]
    # What a value's own rounding moves u by, a few times.
    near = [inverse(scale, low, high, min(max(value + k * np.spacing(value), low), high)) for k in (-4, 4)]
    assert min(near) - 1e-9 <= u <= max(near) + 1e-9


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [("linear", 0.0, 1.0), ("log", 1e-8, 10.0), ("reverse_log", 0.9, 0.999), ("reverse_log", 0.0, 1 - 1e-6)],
)
def test_unit_undoes_value_to_nine_digits_in_common_ranges(scale, low, high):
    u = DRAWS[:2000]
    back = np.array([inverse(scale, low, high, value) for value in forward(scale, low, high, u)])
    np.testing.assert_allclose(back, u, rtol=0, atol=1e-9)


@pytest.mark.parametrize("scale", SCALES)
@settings(deadline=None)
@given(data=st.data())
def test_values_increase_with_u(scale, data):
    low, high = data.draw(ranges(scale))
    u = np.sort(np.array(data.draw(st.lists(units, min_size=2, max_size=30))))
    values = forward(scale, low, high, u)
    if scale == "linear":
        assert (np.diff(values) >= 0).all()
    else:  # a power may be off by a last digit
        assert (np.diff(values) >= -4 * np.spacing(np.maximum(abs(values[1:]), abs(1.0 - values[1:])))).all()


def test_reverse_log_increases_strictly_on_a_fine_grid():
    assert (np.diff(forward("reverse_log", 0.9, 0.99999, np.linspace(0.0, 1.0, 10_001))) > 0).all()


def test_reverse_log_keeps_its_digits_near_one():
    u = np.array([0.25, 0.5, 0.75])
    distance = 1.0 - forward("reverse_log", 0.0, 1.0 - 2.0**-40, u)
    np.testing.assert_allclose(distance, 2.0 ** (-40 * u), rtol=2.0**-22)  # all that 1 - 2^-40 can hold


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [
        ("linear", -1.7e308, 1.7e308),
        ("log", 5e-324, 1.7976931348623157e308),
        ("reverse_log", -1.7e308, 1 - 2.0**-53),
        ("log", 1.0, 1.0000000000000002),
        ("reverse_log", -1e-20, 1e-20),
    ],
)
def test_extreme_ranges_stay_inside_without_a_warning(scale, low, high):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = forward(scale, low, high, np.linspace(0.0, 1.0, 101))
    assert np.isfinite(values).all()
    assert values[0] == low
    assert values[-1] == high
    assert 0.0 <= inverse(scale, low, high, values[50]) <= 1.0


@pytest.mark.parametrize("scale", SCALES)
def test_a_value_depends_on_its_own_u_only(scale):
    """Bit by bit: alone, strided, reversed, misaligned or in any company."""
    low, high = {"log": (1e-5, 0.3), "reverse_log": (0.1, 0.9997)}.get(scale, (0.1, 0.7))
    u = DRAWS[:20_000]
    batch = forward(scale, low, high, u)
    assert (np.array([forward(scale, low, high, u[i : i + 1])[0] for i in range(len(u))]) == batch).all()
    wide = np.repeat(u, 3).reshape(-1, 3)
    assert (forward(scale, low, high, wide[:, 1]) == batch).all()
    assert (forward(scale, low, high, u[::-1])[::-1] == batch).all()
    assert (forward(scale, low, high, u[7:]) == batch[7:]).all()
    assert (forward(scale, low, high, u[5::7]) == batch[5::7]).all()
    raw = bytearray(u[:999].tobytes().rjust(999 * 8 + 3))
    assert (forward(scale, low, high, np.frombuffer(raw, offset=3)) == batch[:999]).all()


def test_powers_are_taken_of_whole_groups_of_fresh_contiguous_numbers(monkeypatch):
    """On some processors and numpy versions, leftovers and strides take another path with another last bit."""
    seen = []

    def spy(base, exponents):
        seen.append(exponents)
        return base**exponents

    monkeypatch.setattr(np, "power", spy)
    wide = np.repeat(DRAWS[:200], 2)
    for count in (1, 2, 15, 16, 17, 100):
        forward("log", 1e-4, 1.0, wide[: 2 * count : 2])
    assert [len(one) for one in seen] == [16, 16, 16, 16, 32, 112]
    assert all(one.flags.c_contiguous and one.strides == (8,) for one in seen)


@pytest.mark.parametrize("bad", [-1e-9, 1.0000001, np.nan, np.inf])
@pytest.mark.parametrize("use", [unit_points, lambda u: forward("log", 1.0, 2.0, u), lambda u: cells(u, 3)])
def test_u_outside_the_unit_interval_is_refused(use, bad):
    with pytest.raises(ValueError, match=r"u must lie in \[0, 1\], got"):
        use(np.array([0.5, bad]))


def test_u_must_be_one_dimensional():
    with pytest.raises(ValueError, match=r"one-dimensional, got shape \(1, 2\)"):
        forward("linear", 0.0, 1.0, np.zeros((1, 2)))


def test_no_points_give_no_values():
    assert forward("log", 1.0, 2.0, []).shape == (0,)


def test_every_scale_is_entered_twice():
    assert get_args(Scale) == SCALES


@pytest.mark.parametrize("scale", SCALES)
@settings(deadline=None)
@given(data=st.data())
def test_marks_and_rounded_ends_suit_the_range(scale, data):
    low, high = data.draw(ranges(scale))
    assume(max(abs(low), abs(high)) < 1e9)
    room = 1e-6 * (high - low)
    marks = KNOWN[scale].ticks(low, high)
    assert marks == sorted(marks)
    assert all(low - room <= mark <= high + room for mark in marks)
    assert KNOWN[scale].outwards(low, up=False) <= low + room
    assert KNOWN[scale].outwards(high, up=True) >= high - room
