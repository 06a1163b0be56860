"""Choosing a sampler by name."""

import pytest

from caviar.errors import SpecError
from caviar.search.samplers import GridSampler, RandomSampler, SobolSampler, make_sampler
from caviar.space import Float, Space

SPACE = Space({"lr": Float(1e-4, 1.0, "log")})


@pytest.mark.parametrize(("name", "kind"), [("random", RandomSampler), ("sobol", SobolSampler), ("grid", GridSampler)])
def test_a_name_or_its_json_form(name, kind):
    assert type(make_sampler(name, SPACE, 0, 9)) is kind
    assert type(make_sampler({"name": name}, SPACE, 0, 9)) is kind


@pytest.mark.parametrize(
    ("sampler", "sentence"),
    [
        ("sobal", r"no sampler 'sobal'; did you mean 'sobol'\?"),
        ("Random", r"did you mean 'random'\?"),
        ("tpe", r"no sampler 'tpe'; choose from 'random', 'sobol', 'halton', 'grid'"),
        (None, r"no sampler None"),
        ({"name": "random", "levels": 3}, r"no sampler \{"),
        ({}, r"no sampler \{\}"),
    ],
)
def test_another_name_is_refused(sampler, sentence):
    with pytest.raises(SpecError, match=sentence):
        make_sampler(sampler, SPACE, 0, 9)


@pytest.mark.parametrize("trials", [0, -1, True, 2.0, None, 2**32 + 1])
def test_trials_are_a_whole_number(trials):
    with pytest.raises(SpecError, match=r"whole number of trials in 1 \.\. 2\^32, got"):
        make_sampler("random", SPACE, 0, trials)


@pytest.mark.parametrize("name", ["random", "sobol"])
def test_a_wrong_seed_is_refused_at_once(name):
    with pytest.raises(SpecError, match="seed must lie in"):
        make_sampler(name, SPACE, -1, 9)
