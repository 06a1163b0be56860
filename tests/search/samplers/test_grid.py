"""The grid: every combination once, both ends included, and never a level twice."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.search.samplers import Grid, GridSampler, make_sampler
from caviar.space import Choice, Float, Int, Space

PLANE = Space({"lr": Float(1e-4, 1.0, "log"), "beta": Float(0.9, 0.999, "reverse_log")})
MIXED = Space({"lr": Float(1e-4, 1.0, "log"), "layers": Int(2, 4), "act": Choice(["relu", "tanh"])})


def configs(space, grid, trials=1):
    sampler = GridSampler(space, grid, trials)
    columns = space.columns(sampler.points(0, sampler.size))
    return list(zip(*columns.values(), strict=True))


def test_every_combination_once_with_the_last_parameter_fastest():
    rates = PLANE["lr"].objects(PLANE["lr"].values([0.0, 0.5, 1.0]))
    assert [rates[0], rates[-1]] == [1e-4, 1.0]
    space = Space({"lr": PLANE["lr"], "layers": Int(2, 4), "act": Choice(["relu", "tanh"])})
    assert configs(space, Grid(3)) == list(itertools.product(rates, [2, 3, 4], ["relu", "tanh"]))


def test_float_levels_include_both_ends_on_the_scale():
    u = GridSampler(PLANE, Grid(5), 1).points(0, 25)
    assert sorted(set(u[:, 0].tolist())) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert (u[0] == 0.0).all()
    assert (u[-1] == 1.0).all()
    assert configs(PLANE, Grid(5))[0] == (1e-4, 0.9)
    assert configs(PLANE, Grid(5))[-1] == (1.0, 0.999)


def test_one_level_is_the_middle():
    assert GridSampler(PLANE, Grid(1), 1).points(0, 1).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("trials", "levels"), [(1, 1), (2, 2), (4, 2), (5, 3), (64, 8), (65, 9), (10**6, 1000), (10**6 + 1, 1001)]
)
def test_default_levels_are_the_fewest_that_suffice(trials, levels):
    sampler = make_sampler("grid", PLANE, 0, trials)
    assert sampler.size == levels**2


def test_default_levels_of_a_mixed_space():
    sampler = GridSampler(MIXED, Grid(), 64)
    assert sampler.counts == {"lr": 11, "layers": 3, "act": 2}  # 66; 10 would give 60


def test_named_levels_are_kept_and_the_rest_fill_up():
    assert GridSampler(MIXED, Grid({"lr": 4}), 8).counts == {"lr": 4, "layers": 1, "act": 2}
    assert GridSampler(MIXED, Grid({"lr": 4, "act": 1}), 8).counts == {"lr": 4, "layers": 2, "act": 1}


def test_no_more_levels_than_values():
    assert GridSampler(MIXED, Grid(1000), 1).counts == {"lr": 1000, "layers": 3, "act": 2}
    assert GridSampler(MIXED, Grid({"act": 9}), 1).counts["act"] == 2


def test_a_choice_keeps_all_options_unless_named():
    space = Space({"lr": Float(0, 1), "act": Choice(list("abcde"))})
    assert GridSampler(space, Grid(2), 1).counts == {"lr": 2, "act": 5}
    assert GridSampler(space, Grid({"act": 2}), 4).counts == {"lr": 2, "act": 2}


parameters = (
    st.builds(Float, st.just(0.5), st.floats(0.6, 0.99), st.sampled_from(["linear", "log", "reverse_log"]))
    | st.builds(
        lambda low, width, scale: Int(low, low + width, scale),
        st.integers(1, 9),
        st.integers(1, 9),
        st.sampled_from(["linear", "log"]),
    )
    | st.integers(1, 6).map(lambda count: Choice(list(range(count))))
)


@settings(deadline=None)
@given(
    kinds=st.lists(parameters, min_size=1, max_size=3),
    levels=st.none() | st.integers(1, 7),
    trials=st.integers(1, 40),
)
def test_all_points_of_any_grid_are_different_configs(kinds, levels, trials):
    space = Space({f"p{number}": kind for number, kind in enumerate(kinds)})
    found = configs(space, Grid(levels), trials)
    assert len(set(found)) == len(found)
    reachable = math.prod(kind.count or trials for kind in kinds)
    if levels is None:
        assert len(found) >= min(trials, reachable)


def test_beyond_the_end_is_refused_with_the_number_of_points():
    sampler = GridSampler(PLANE, Grid(5), 1)
    assert sampler.size == 25
    with pytest.raises(SpecError, match="This grid has 25 points, got a request for 26"):
        sampler.points(20, 6)
    with pytest.raises(SpecError, match="This grid has 25 points, got trials=26; ask for fewer, or more levels"):
        make_sampler(Grid(5), PLANE, 0, 26)
    with pytest.raises(SpecError, match="This grid has 6 points, got trials=64"):
        make_sampler("grid", Space({"layers": Int(2, 4), "act": Choice(["relu", "tanh"])}), 0, 64)


def test_a_huge_grid_gives_its_first_points():
    space = Space({f"p{number}": Float(0, 1) for number in range(40)})
    sampler = GridSampler(space, Grid(10), 1)
    assert sampler.size == 10**40
    u = sampler.points(10**9 + 5, 1)[0]
    assert np.flatnonzero(u).tolist() == [30, 39]


@pytest.mark.parametrize(
    ("levels", "got"),
    [
        (0, "0"),
        (-3, "-3"),
        (2.0, r"2\.0"),
        (True, "True"),
        ("5", "'5'"),
        ({"lr": 0}, "0"),
        (10**7, "10000000"),
    ],
)
def test_wrong_levels_are_refused(levels, got):
    with pytest.raises(SpecError, match=rf"Grid levels are whole numbers in 1 \.\. 1,000,000, got {got}"):
        Grid(levels)


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(SpecError, match=r"no parameter 'bta' of the space; did you mean 'beta'\?"):
        make_sampler(Grid({"bta": 3}), PLANE, 0, 3)


@pytest.mark.parametrize("grid", [Grid(), Grid(5), Grid({"lr": 3})])
def test_json_round_trip(grid):
    data = json.loads(json.dumps(grid.to_json()))
    assert Grid.from_json(data) == grid
    assert make_sampler(data, PLANE, 0, 3).counts == make_sampler(grid, PLANE, 0, 3).counts


def test_unknown_json_fields_are_refused():
    with pytest.raises(SpecError, match=r"no field 'level'; did you mean 'levels'\?"):
        make_sampler({"name": "grid", "level": 3}, PLANE, 0, 3)


def test_other_levels_are_another_identity():
    first = GridSampler(PLANE, Grid({"lr": 3, "beta": 30}), 1).identity()
    second = GridSampler(PLANE, Grid({"lr": 4, "beta": 30}), 1).identity()
    assert first["levels"] != second["levels"]


def test_numpy_levels_are_whole_numbers():
    assert Grid(np.int64(3)) == Grid(3)
