"""Accepted points: a constraint skips raw points, and which ones depends on nothing but the points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.search.samplers import AcceptedPoints, Grid, List, make_sampler
from caviar.space import Float, Int, Space

SPACE = Space({"x": Float(0, 1), "y": Float(0, 1), "n": Int(1, 9, when={"k": 1}), "k": Int(0, 1)})


def draws(constraint=None, sampler="random", trials=5000):
    return AcceptedPoints(make_sampler(sampler, SPACE, 3, trials), SPACE, constraint)


def below(config):
    return config["x"] + config["y"] < 1.0 and config.get("n", 0) < 9


def everything(source, cuts):
    parts = [source.take(count) for count in cuts]
    return np.concatenate([one.index for one in parts]), np.concatenate([one.u for one in parts])


def test_only_what_is_allowed_comes_and_nothing_of_it_is_missed():
    index, u = everything(draws(below), [4000])
    raw = make_sampler("random", SPACE, 3, 1).points(0, int(index[-1]) + 1)
    allowed = [i for i, point in enumerate(raw) if below(SPACE.config(point))]
    assert index.tolist() == allowed
    assert (u == raw[allowed]).all()


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 700), min_size=1, max_size=8))
def test_however_it_is_cut_up(cuts):
    whole = everything(draws(below), [sum(cuts)])
    index, u = everything(draws(below), cuts)
    assert (index == whole[0]).all()
    assert (u == whole[1]).all()


def test_without_a_constraint_raw_index_and_number_agree():
    index, u = everything(draws(), [3, 1, 500])
    assert index.tolist() == list(range(504))
    assert (u == make_sampler("random", SPACE, 3, 1).points(0, 504)).all()


def test_the_share_is_counted():
    source = draws(lambda config: config["x"] < 0.25)
    source.take(1000)
    assert source.rejected / source.drawn == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize(
    ("constraint", "sentence"),
    [
        (lambda config: config["x"] < 1e-6, r"rejected 10,\d{3} of the first 10,\d{3} configurations drawn; loosen it"),
        (lambda config: config["z"], r"raised KeyError: 'z' \(draw 0: x="),
        (lambda config: None, r"must return True or False, got None \(draw 0: x="),
        (lambda config: 1 / 0, r"raised ZeroDivisionError"),
    ],
)
def test_a_hopeless_constraint_is_told_in_a_sentence(constraint, sentence):
    with pytest.raises(SpecError, match=sentence) as caught:
        draws(constraint).take(10)
    assert "\n" not in str(caught.value)


def test_a_grid_may_run_out():
    source = draws(lambda config: config["x"] < 0.5, Grid({"x": 2, "y": 2, "n": 1, "k": 1}), trials=4)
    with pytest.raises(SpecError, match=r"grid sampler has 4 points, of which the constraint rejects 2; ask for fewer"):
        source.take(4)


def test_a_listed_configuration_is_not_dropped_in_silence():
    own = List([{"x": 0.1, "y": 0.2, "k": 0}, {"x": 0.9, "y": 0.9, "k": 0}])
    with pytest.raises(SpecError, match=r"rejects first\[1\]: x=0\.9, y=0\.9, k=0"):
        draws(below, own).take(10)
