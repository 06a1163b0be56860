"""Reports of XGBoost's rounds."""

import numpy as np
import pytest

xgboost = pytest.importorskip("xgboost")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    y = x[:, 0] * 2 + rng.normal(size=200) * 0.1
    return xgboost.DMatrix(x[:150], y[:150]), xgboost.DMatrix(x[150:], y[150:])


def train(data, rounds=6, *, fail_at=None):
    from caviar.integrations.xgboost import Report

    def function(config, trial):
        fitted, valid = data
        saved = trial.load()
        done = 0 if saved is None else saved.step + 1
        xgboost.train(
            {"eta": 0.5, "nthread": 1},
            fitted,
            (fail_at or rounds) - done,
            evals=[(valid, "valid")],
            callbacks=[Report(trial, save_every=2)],
            xgb_model=None if saved is None else saved.path,
            verbose_eval=False,
        )

    return function


def test_each_round_is_a_report(trained, data):
    found = trained(train(data), metric="valid-rmse")
    assert found.steps == list(range(6))
    losses = [row["valid-rmse"] for row in found.rows]
    assert losses[-1] < losses[0] / 2
    assert [save.step for save in found.saves] == [1, 3, 5]


def test_another_attempt_goes_on_with_its_rounds(trained, again, data):
    whole = trained(train(data), metric="valid-rmse")
    part = trained(train(data, fail_at=4), metric="valid-rmse")
    rest = again(part, train(data), metric="valid-rmse")
    assert rest.steps == [4, 5]
    assert rest.rows[-1]["valid-rmse"] == pytest.approx(whole.rows[-1]["valid-rmse"], rel=1e-4)
