"""scikit-learn: a search with `fit`, `best_params_` and `cv_results_`, whose trials are a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils.metaestimators import available_if

from caviar.sweep import Sweep


def _refitted(search: Any) -> bool:
    return hasattr(search, "best_estimator_")


class SweepSearchCV(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]  # its framework has no types here
    """A search over an estimator's parameters by cross-validation; each trial is one configuration, each fold a report.

    Args:
        estimator: What is fitted.
        space: Parameter name, as `set_params` takes it, → Float, Int, Choice, a list or a constant.
        trials: How many configurations.
        scoring: As of `GridSearchCV`, one metric; larger is better.
        cv: As of `GridSearchCV`.
        refit: Fit the best configuration to all data in the end.
        store: Folder or URI of the results store; None: $CAVIAR_STORE, else ./caviar-store.
        sweep: Further settings of the `Sweep`, such as `{"seed": 1, "concurrency": 2}`.
        address: A Ray cluster to join; None: start Ray on this machine.

    Attributes:
        result_: The sweep's `Result`.
        best_params_: The best configuration.
        best_score_: Its mean score.
        best_index_: Its trial.
        best_estimator_: Fitted with it, if `refit`.
        cv_results_: As of `GridSearchCV`: an array for each column, in the order of the trials.
    """

    def __init__(  # noqa: PLR0913 — scikit-learn has one argument a setting
        self,
        estimator: Any,
        space: Mapping[str, Any],
        *,
        trials: int = 64,
        scoring: Any = None,
        cv: Any = None,
        refit: bool = True,
        store: str | None = None,
        sweep: Mapping[str, Any] | None = None,
        address: str | None = None,
    ) -> None:
        self.estimator = estimator
        self.space = space
        self.trials = trials
        self.scoring = scoring
        self.cv = cv
        self.refit = refit
        self.store = store
        self.sweep = sweep
        self.address = address

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> SweepSearchCV:  # noqa: N803 — scikit-learn's name
        """Run the sweep, and fit the best.

        Raises:
            CaviarError: As of `Sweep.run`.
        """
        estimator, scorer = self.estimator, check_scoring(self.estimator, self.scoring)
        folds = list(check_cv(self.cv, y, classifier=is_classifier(estimator)).split(X, y))

        def data() -> Any:
            return X, y

        def train(config: Any, trial: Any) -> None:
            inputs, targets = trial.data
            scores = []
            for fold, (fitted, held_out) in enumerate(folds):
                model = clone(estimator).set_params(**config)
                model.fit(_rows(inputs, fitted), _rows(targets, fitted), **fit_params)
                scores.append(float(scorer(model, _rows(inputs, held_out), _rows(targets, held_out))))
                trial.report(fold, score=scores[-1], mean_score=float(np.mean(scores)), std_score=float(np.std(scores)))

        settings = {"name": type(estimator).__name__, **(self.sweep or {})}
        sweep = Sweep(train, self.space, "mean_score", "max", self.trials, data=data, **settings)
        self.result_ = sweep.run(self.store, address=self.address)
        best = self.result_.best
        self.best_params_, self.best_score_, self.best_index_ = dict(best.config), best.value, best.trial
        self.n_splits_, self.scorer_ = len(folds), scorer
        self.cv_results_ = self._cv_results()
        if self.refit:
            self.best_estimator_ = clone(estimator).set_params(**self.best_params_).fit(X, y, **fit_params)
            self.classes_ = getattr(self.best_estimator_, "classes_", None)
        return self

    def _cv_results(self) -> dict[str, Any]:
        table = self.result_.trials()
        scores = self.result_.curves().pivot_table(index="trial", columns="step", values="score").reindex(table.trial)
        names = list(self.result_.space)
        means = table["last_mean_score"].to_numpy(float)
        found: dict[str, Any] = {f"param_{name}": table[name].to_numpy() for name in names}
        found["params"] = [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in table[names].itertuples(index=False)
        ]
        found |= {f"split{fold}_test_score": scores[fold].to_numpy() for fold in scores.columns}
        found |= {"mean_test_score": means, "std_test_score": table["last_std_score"].to_numpy(float)}
        order = np.argsort(np.argsort(-np.nan_to_num(means, nan=-np.inf), kind="stable"), kind="stable")
        return found | {"rank_test_score": order + 1, "mean_fit_time": table["busy"].to_numpy(float) / self.n_splits_}

    @available_if(_refitted)  # type: ignore[untyped-decorator]
    def predict(self, X: Any) -> Any:  # noqa: N803
        """What the best estimator predicts."""
        return self.best_estimator_.predict(X)

    @available_if(_refitted)  # type: ignore[untyped-decorator]
    def score(self, X: Any, y: Any = None) -> float:  # noqa: N803
        """The score of the best estimator."""
        return float(self.scorer_(self.best_estimator_, X, y))


def _rows(table: Any, indices: Any) -> Any:
    if table is None:
        return None
    return table.iloc[indices] if hasattr(table, "iloc") else table[indices]
