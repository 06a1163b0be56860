"""From ranked points to the smaller space: types, scales, steps, options and conditions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.search.zoom import few, refine
from caviar.search.zoom_places import child_boxes, places_in
from caviar.space import Choice, Constant, Float, Int, Prior, Space

SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, "log", default=1e-2),
        "beta": Float(0.9, 0.999, "reverse_log", prior=0.99),
        "drop": Float(0.0, 0.5, step=0.05),
        "units": Int(8, 512, "log", step=8),
        "layers": Int(1, 6),
        "act": Choice(["relu", "tanh", "gelu"]),
        "size": Choice(["s", "m", "l", "xl"], ordered=True),
        "clip": Constant(1.0),
        "momentum": Float(0.5, 0.95, when={"act": ["relu", "tanh"]}),
    }
)


def ranked(count=40, seed=0, space=SPACE):
    return np.random.default_rng(seed).random((count, len(space)))


def change(zoom, name):
    return next(one for one in zoom.changes if one.name == name)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), top=st.integers(3, 12))
def test_types_and_scales_stay_and_the_best_are_inside(seed, top):
    u = ranked(seed=seed)
    zoom = refine(SPACE, u, usable=40, top=top)
    for name, after in zoom.space.items():
        before = SPACE[name]
        assert type(after) is type(before)
        assert getattr(after, "scale", None) == getattr(before, "scale", None)
        assert getattr(after, "step", None) == getattr(before, "step", None)
    for point in u[:top]:
        config = {name: value for name, value in SPACE.config(point).items() if name in zoom.space}
        assert zoom.space.config(zoom.space.unit(config)).keys() == config.keys()
    assert Space.from_json(zoom.space.to_json()) == zoom.space


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_zoom_is_a_pure_function_and_zooms_again(seed):
    zoom = refine(SPACE, ranked(seed=seed), usable=30, top=5)
    assert refine(SPACE, ranked(seed=seed), usable=30, top=5) == zoom
    again = refine(zoom.space, ranked(seed=seed, space=zoom.space), usable=30, top=5)
    assert set(again.space) <= set(SPACE)


def test_ranges_are_short_decimals_on_their_scale():
    u = np.full((10, 2), 0.5) + np.linspace(-0.1, 0.1, 10)[:, None]
    space = Space({"lr": Float(1e-4, 1.0, "log"), "beta": Float(0.9, 0.999, "reverse_log")})
    found = refine(space, u, usable=10, top=10).space
    assert found["lr"] == Float(0.00251, 0.0399, "log")
    assert found["beta"] == Float(0.98, 0.99499, "reverse_log")


def at_end(parameter, place):
    space = Space({"x": parameter, "y": Float(0, 1)})
    u = np.array([[place, 0.5], [0.5, 0.4], [0.6, 0.6]])
    return refine(space, u, usable=3, top=3).space["x"]


@pytest.mark.parametrize(
    ("parameter", "place", "low", "high"),
    [
        (Float(1e-4, 1.0, "log"), 1.0, None, 3.17),
        (Float(0.9, 0.999, "reverse_log"), 1.0, None, 0.999369),
        (Float(0.0, 0.5), 0.0, 0.0, None),  # never negative: it stays so
        (Float(-1.0, 1.0), 0.0, -1.3, None),
        (Float(0.1, 0.95), 1.0, None, 1.0),  # a share stays one
        (Float(1.0, 10.0), 1.0, None, 11.3),
        (Int(1, 6), 0.0, 1, None),
        (Int(2, 61), 0.0, 1, None),
        (Int(0, 50), 0.0, 0, None),
        (Int(8, 512, "log", step=8), 0.0, 8, None),
        (Float(0.0, 0.5, step=0.05), 0.0, 0.0, None),
        (Int(10, 50, step=10), 1.0, None, 60),
        (Choice([1, 2, 4, 8], ordered=True), 1.0, None, None),
    ],
    ids=str,
)
def test_ends_move_out_as_far_as_the_parameter_makes_sense(parameter, place, low, high):
    after = at_end(parameter, place)
    if low is not None:
        assert after.low == pytest.approx(low, rel=2e-2)
    if high is not None:
        assert after.high == pytest.approx(high, rel=2e-2)
        assert after.high < 1.0 or parameter.scale != "reverse_log"
    if isinstance(parameter, Choice):
        assert after.options == (2, 4, 8)


def test_options_that_did_badly_go_and_those_hardly_tried_stay():
    space = Space({"act": Choice(["a", "b", "c", "d"]), "x": Float(0, 1)})
    u = np.array([[0.1, 0.5]] * 5 + [[0.3, 0.5]] * 20 + [[0.6, 0.5]] * 2)
    zoom = refine(space, u, usable=20, top=5)
    assert zoom.space["act"] == Choice(["a", "c", "d"])
    assert change(zoom, "act").word == "dropped b: not among the best 5"


def test_an_ordered_choice_keeps_a_stretch():
    space = Space({"size": Choice(["s", "m", "l", "xl", "xxl"], ordered=True)})
    u = np.array([[0.5], [0.3], [0.5], [0.9]])
    assert refine(space, u, usable=3, top=3).space["size"] == Choice(["m", "l"], ordered=True)


@pytest.mark.parametrize("parameter", [Choice(["s", "m", "l"], ordered=True), Int(1, 3)], ids=str)
def test_a_box_that_reaches_all_of_a_few_values_says_so(parameter):
    zoom = refine(Space({"few": parameter}), np.array([[0.5], [0.3], [0.7], [0.9]]), usable=3, top=3)
    assert zoom.space["few"] == parameter
    assert change(zoom, "few").word == "kept: the best few reach all its values"


def test_what_was_found_takes_the_place_of_priors_and_defaults():
    space = Space({"lr": Float(1e-4, 1.0, "log", default=0.5, prior=Prior(1e-3, 0.5), tier=2), "x": Float(0, 1)})
    u = ranked(20, space=space)
    after = refine(space, u, usable=20, top=5).space["lr"]
    assert after.prior is None
    assert after.default == space.config(u[0])["lr"]
    assert after.tier == 2


def test_a_box_is_drawn_on_the_scale_before_the_warping_of_a_prior():
    space = Space({"x": Float(0.0, 1.0, prior=Prior(0.9, 0.9))})
    values = [0.5, 0.4, 0.6]
    u = np.array([[space["x"].unit(value)] for value in values])
    after = refine(space, u, usable=3, top=3).space["x"]
    assert (after.low, after.high) == (pytest.approx(0.35), pytest.approx(0.65))


def test_conditions_follow_their_parents():
    space = Space(
        {
            "opt": Choice(["sgd", "adam", "rms"]),
            "m": Float(0, 1, when={"opt": ["sgd", "rms"]}),
            "n": Choice([True, False], when={"opt": "rms"}),
            "deep": Int(1, 9, when={"n": True}),
        }
    )
    u = np.array([[0.1, 0.2, 0.3, 0.4]] * 3 + [[0.5, 0.3, 0.3, 0.3]] * 2 + [[0.9, 0.5, 0.1, 0.5]] * 9)
    zoom = refine(space, u, usable=14, top=5)
    assert list(zoom.space) == ["opt", "m"]
    assert zoom.space["opt"] == Choice(["sgd", "adam"])
    assert dict(zoom.space["m"].when) == {"opt": ("sgd",)}
    assert change(zoom, "m").box.low > 0.0  # it existed in three of the best
    assert change(zoom, "n").word.startswith("gone")
    assert change(zoom, "deep").after is None


def test_a_parameter_that_hardly_existed_among_the_best_keeps_its_range():
    space = Space({"opt": Choice(["sgd", "adam"]), "m": Float(0, 1, when={"opt": "sgd"})})
    u = np.array([[0.9, 0.2], [0.1, 0.2], [0.9, 0.2], [0.9, 0.9], [0.1, 0.9]])
    zoom = refine(space, u, usable=5, top=5)
    assert zoom.space["m"] == space["m"]
    assert change(zoom, "m").word == "kept: it existed in only 2 of the best 5"


def test_too_few_trials_draw_no_box():
    with pytest.raises(SpecError, match=r"at least 3 trials with usable results, but got top=5 of 2"):
        refine(SPACE, ranked(5), usable=2, top=5)
    assert (few(25), few(64), few(100), few(1000)) == (5, 6, 10, 100)


def test_points_of_a_child_have_their_places_in_the_parent():
    u = ranked(60, seed=3)
    zoom = refine(SPACE, u, usable=60, top=6)
    fine = ranked(200, seed=4, space=zoom.space)
    places = places_in(SPACE, zoom.space, fine)
    drawn = child_boxes(zoom, zoom.space)
    for j, name in enumerate(SPACE):
        found, box = places[:, j][~np.isnan(places[:, j])], change(drawn, name).box
        if box is not None and len(found):
            assert found.min() >= box.low - 1e-9
            assert found.max() <= box.high + 1e-9
    assert np.isnan(places[:, 8]).any()
    own = places_in(SPACE, SPACE, u)
    np.testing.assert_allclose(own[:, 0], u[:, 0], atol=1e-9)
    values = SPACE.columns(u)["units"]
    assert [SPACE["units"].objects(SPACE["units"].values([place]))[0] for place in own[:, 3]] == values


@pytest.mark.parametrize("place", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize(
    "parameter",
    [Int(8, 16, "log", step=8), Int(1, 2), Int(3, 4, "log"), Float(0.0, 0.1, step=0.1), Int(0, 100)],
    ids=str,
)
def test_a_range_never_shrinks_to_one_value(parameter, place):
    space = Space({"x": parameter})
    after = refine(space, np.full((5, 1), place), usable=5, top=5).space["x"]
    assert after.low < after.high
    assert after.low <= space.columns([[place]])["x"][0] <= after.high
