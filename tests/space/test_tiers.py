"""Tiers: the playbook's budgets, and that more trials change nothing else."""

import numpy as np
import pytest

from caviar.errors import SpecError
from caviar.space import Choice, Constant, Float, Space, check_listed, hold_lower_tiers

SPACE = Space(
    {
        "lr": Float(1e-4, 1, "log"),
        "beta1": Float(0.8, 0.99, "reverse_log", tier=2, default=0.9),
        "eps": Float(1e-9, 1e-3, "log", tier=3, default=1e-8, when={"act": "relu"}),
        "act": Choice(["relu", "tanh"], tier=2, default="relu"),
    }
)


@pytest.mark.parametrize(
    ("trials", "held"),
    [
        (1, {"beta1", "act", "eps"}),
        (9, {"beta1", "act", "eps"}),
        (10, {"eps"}),
        (24, {"eps"}),
        (25, set()),
        (10**6, set()),
    ],
)
def test_budgets(trials, held):
    space, found = hold_lower_tiers(SPACE, trials)
    assert set(found) == held
    assert space.names == SPACE.names
    for name in held:
        assert space[name] == Constant(SPACE[name].default, when=SPACE[name].when)
        assert found[name] == SPACE[name]


def test_what_is_tuned_does_not_depend_on_what_is_held():
    u = np.random.default_rng(0).random((30, 4))
    few, many = (hold_lower_tiers(SPACE, trials)[0].columns(u) for trials in (5, 100))
    assert few["lr"] == many["lr"]
    assert set(few["eps"]) == {1e-8}


def test_a_lower_tier_needs_a_default():
    with pytest.raises(SpecError, match=r"Float of tier 2 needs a default="):
        Float(0, 1, tier=2)
    with pytest.raises(SpecError, match=r"a tier of 1 \(tuned first\), 2 or 3, got tier=4"):
        Float(0, 1, tier=4, default=0.5)


def test_a_listed_value_of_a_held_parameter_is_refused_in_the_words_of_tiers():
    _, held = hold_lower_tiers(SPACE, 12)
    check_listed([{"lr": 0.1, "eps": 1e-8}, {"act": "tanh"}], held)
    for value in (1e-7, "much"):
        with pytest.raises(SpecError, match=r"first\[1\] sets eps to .* its default 1e-08 \(tier 3, tuned"):
            check_listed([{}, {"eps": value}], held)
