"""Priors: more draws where one believes, everything still possible, and the way back exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.space import Choice, Float, Int, Prior, Space, parameter_from_json
from caviar.space.prior import favourite, peak

EVEN = (np.arange(20_000) + 0.5) / 20_000
units = st.floats(0.0, 1.0)
confidences = st.floats(0.01, 0.9)


@settings(deadline=None)
@given(center=units, confidence=confidences, u=units)
def test_a_peak_is_undone(center, confidence, u):
    warp = peak(center, confidence)
    place = float(warp.places([u])[0])
    assert 0.0 <= place <= 1.0
    assert warp.unit(place) == pytest.approx(u, abs=1e-9)


@settings(deadline=None)
@given(center=units, confidence=confidences)
def test_a_wrong_prior_costs_at_most_the_stated_factor(center, confidence):
    """Any stretch keeps 1 − confidence of its share: so many times more trials find it, and no more."""
    places = np.sort(peak(center, confidence).places(EVEN))
    shares = np.histogram(places, bins=20, range=(0.0, 1.0))[0] / len(EVEN)
    assert (shares >= (1.0 - confidence) / 20 - 1e-4).all()


@settings(deadline=None)
@given(center=units, confidence=confidences)
def test_a_warping_keeps_order_and_ends(center, confidence):
    places = peak(center, confidence).places(np.linspace(0, 1, 1001))
    assert (np.diff(places) > 0).all()
    assert places[0] == 0.0
    assert places[-1] == 1.0


def test_the_peak_has_its_share_of_the_draws():
    places = peak(0.6, 0.5).places(EVEN)
    inside = np.abs(places - 0.6) < 0.25
    assert inside.mean() == pytest.approx(0.5 + 0.5 * 0.5, abs=1e-3)  # the peak's, and half of the even rest
    assert np.abs(np.median(places) - 0.6) < 0.1


def test_one_point_is_warped_as_a_million_are():
    u = np.random.default_rng(0).random(5000)
    warp = peak(0.3, 0.7)
    assert (np.array([warp.places([one])[0] for one in u]) == warp.places(u)).all()


def test_a_favourite_option_gets_its_share_and_the_others_keep_theirs():
    parameter = Choice(["a", "b", "c", "d"], prior=Prior("c", 0.6))
    shares = np.bincount(parameter.values(EVEN)) / len(EVEN)
    np.testing.assert_allclose(shares, [0.1, 0.1, 0.7, 0.1], atol=1e-3)
    for option in parameter.options:
        assert parameter.objects(parameter.values([parameter.unit(option)])) == [option]
    assert favourite(3, 4, 0.9).places([1.0])[0] == 1.0


def test_an_ordered_choice_favours_the_neighbours_too():
    parameter = Choice([1, 2, 4, 8, 16], ordered=True, prior=Prior(4, 0.4))
    shares = np.bincount(parameter.values(EVEN)) / len(EVEN)
    assert shares[2] > shares[1] > shares[0]
    assert shares[1] == pytest.approx(shares[3], abs=1e-4)


@pytest.mark.parametrize(
    "parameter",
    [
        Float(1e-4, 1.0, "log", prior=3e-3),
        Float(0.9, 0.999, "reverse_log", prior=Prior(0.99, 0.9)),
        Float(0.0, 0.5, step=0.05, prior=Prior(0.0, 0.3)),
        Int(1, 300, "log", prior=Prior(300)),
        Choice(["x", [1, 2]], prior=Prior([1, 2])),
    ],
    ids=str,
)
def test_round_trips_of_whole_parameters(parameter):
    assert parameter_from_json(parameter.to_json()) == parameter
    assert eval(repr(parameter)) == parameter
    hash(parameter)
    for value in parameter.objects(parameter.values(np.random.default_rng(1).random(200))):
        back = parameter.objects(parameter.values([parameter.unit(value)]))[0]
        assert back == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value)
    center = parameter.prior.center
    assert parameter.objects(parameter.values([parameter.unit(center)]))[0] == (
        pytest.approx(center) if isinstance(center, float) else center
    )


def test_u_is_that_before_the_warping():
    """A prior changes which value a u means, and nothing about the u."""
    plain, tilted = Space({"x": Float(0, 1)}), Space({"x": Float(0, 1, prior=Prior(0.9, 0.8))})
    u = [[0.5]]
    assert plain.columns(u)["x"] == [0.5]
    assert tilted.columns(u)["x"][0] > 0.7
    assert plain.fingerprint != tilted.fingerprint


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Prior(1, 0.0), r"confidence > 0 and at most 0\.9.*got 0\.0"),
        (lambda: Prior(1, 0.95), r"at most 0\.9"),
        (lambda: Float(0, 1, prior=2), r"a value in \[0\.0, 1\.0\], got 2\.0 \(the prior's center\)"),
        (lambda: Choice(["a", "b"], prior="c"), r"no option 'c'.*\(the prior's center\)"),
    ],
)
def test_a_broken_rule_is_named(make, sentence):
    with pytest.raises(SpecError, match=sentence):
        make()
