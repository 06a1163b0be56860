"""List: the user's own configurations, and then the others as they would have come."""

import pytest

from caviar.errors import SpecError
from caviar.search.samplers import Grid, List, make_sampler
from caviar.space import Choice, Float, Space

SPACE = Space({"lr": Float(1e-4, 1, "log", default=0.01), "act": Choice(["relu", "tanh"])})


def test_the_others_come_as_without_it():
    own = List([{"act": "tanh"}, {"lr": 0.5, "act": "relu"}], then="sobol")
    points = make_sampler(own, SPACE, 1, 10).points(0, 10)
    assert SPACE.config(points[0]) == {"lr": pytest.approx(0.01), "act": "tanh"}
    assert SPACE.config(points[1]) == {"lr": pytest.approx(0.5), "act": "relu"}
    assert (points[2:] == make_sampler("sobol", SPACE, 1, 10).points(0, 8)).all()


def test_a_grid_after_it_reaches_the_trials_that_are_left():
    sampler = make_sampler(List([{"act": "relu"}] * 2, then="grid"), SPACE, 1, 10)
    assert sampler.size == 2 + 8
    assert sampler.points(0, 10).shape == (10, 2)


def test_nothing_after_it():
    sampler = make_sampler(List([{"act": "relu"}], then=None), SPACE, 1, 1)
    assert sampler.size == 1
    with pytest.raises(SpecError, match="This list has 1 points, got trials=2"):
        make_sampler(List([{"act": "relu"}], then=None), SPACE, 1, 2)


@pytest.mark.parametrize(
    ("configs", "sentence"),
    [
        ([{"act": "relu"}, {"act": "gelu"}], r"first\[1\]: Parameter 'act': Choice has no option 'gelu'"),
        ([{"lr": 0.1}], r"first\[0\]: .* got none for 'act'"),
        ([{"act": "relu", "lrr": 1}], r"first\[0\]: The space has no parameter 'lrr'; did you mean 'lr'"),
    ],
)
def test_a_configuration_of_another_space_is_named(configs, sentence):
    with pytest.raises(SpecError, match=sentence):
        make_sampler(List(configs), SPACE, 1, 5)


@pytest.mark.parametrize("configs", [[], "relu", [3], None, {"act": "relu"}])
def test_no_list_of_configurations(configs):
    with pytest.raises(SpecError, match="o try first"):
        List(configs)


def test_a_shuffled_grid_has_every_point_once_in_an_order_of_the_seed():
    grid = Grid({"lr": 25, "act": 2}, shuffle=True)
    shuffled = make_sampler(grid, SPACE, 1, 50).points(0, 50)
    plain = make_sampler(Grid({"lr": 25, "act": 2}), SPACE, 1, 50).points(0, 50)
    assert sorted(map(tuple, shuffled)) == sorted(map(tuple, plain))
    assert (shuffled != plain).any()
    first_half = {point[0] for point in map(tuple, shuffled[:25])}
    assert len(first_half) > 15  # of 25 levels; the plain order reaches 13 of them
