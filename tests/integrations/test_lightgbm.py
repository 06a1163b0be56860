"""Reports of LightGBM's rounds."""

import numpy as np
import pytest

lightgbm = pytest.importorskip("lightgbm")


def train(rounds=6):
    from caviar.integrations.lightgbm import report

    def function(config, trial):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(300, 4))
        y = x[:, 0] * 2 + rng.normal(size=300) * 0.1
        fitted = lightgbm.Dataset(x[:200], y[:200], free_raw_data=False)
        saved = trial.load()
        lightgbm.train(
            {"learning_rate": 0.5, "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5},
            fitted,
            rounds - trial.start,
            valid_sets=[lightgbm.Dataset(x[200:], y[200:], reference=fitted)],
            callbacks=[report(trial, save_every=2)],
            init_model=None if saved is None else str(saved.path),
        )

    return function


def test_each_round_is_a_report(trained):
    found = trained(train(), metric="valid_0-l2")
    assert found.steps == list(range(6))
    losses = [row["valid_0-l2"] for row in found.rows]
    assert losses[-1] < losses[0] / 2
    assert [save.step for save in found.saves] == [1, 3, 5]


def test_another_attempt_goes_on_with_its_rounds(trained, again):
    rest = again(trained(train(4), metric="valid_0-l2"), train(), metric="valid_0-l2")
    assert rest.steps == [4, 5]
