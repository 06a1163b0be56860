"""scikit-learn's search, whose trials are a sweep."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from caviar import Float
from caviar.integrations.sklearn import SweepSearchCV


@pytest.fixture
def iris():
    return load_iris(return_X_y=True)


@pytest.mark.usefixtures("inline", "no_neighbours")
def test_a_pipeline_is_searched_and_refitted(iris, tmp_path):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    space = {"logisticregression__C": Float(1e-3, 100, "log"), "standardscaler__with_mean": [True, False]}
    search = SweepSearchCV(pipeline, space, trials=6, cv=3, store=str(tmp_path), sweep={"seed": 1}).fit(*iris)

    assert search.score(*iris) > 0.9
    assert set(search.predict(iris[0])) <= {0, 1, 2}
    results = search.cv_results_
    assert len(results["params"]) == 6
    assert results["params"][search.best_index_] == search.best_params_
    assert results["rank_test_score"][search.best_index_] == 1
    assert results["mean_test_score"][search.best_index_] == search.best_score_
    folds = np.array([results[f"split{fold}_test_score"] for fold in range(3)])
    assert results["mean_test_score"] == pytest.approx(folds.mean(axis=0))
    again = cross_val_score(clone(pipeline).set_params(**search.best_params_), *iris, cv=3)
    assert again.mean() == pytest.approx(search.best_score_)
    assert search.result_.metric == "mean_score"


@pytest.mark.usefixtures("inline", "no_neighbours")
def test_it_is_an_estimator_as_others_are(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    search = SweepSearchCV(
        Ridge(), {"alpha": Float(0.01, 10, "log")}, trials=3, scoring="neg_mean_squared_error", store=str(tmp_path)
    )
    copy = clone(search)
    assert copy.get_params()["trials"] == 3
    assert not hasattr(copy, "predict"), "it is not fitted"
    assert copy.fit(x, x[:, 0]).best_score_ < 0
