"""XGBoost: `xgboost.train(…, evals=[(validation, "valid")], callbacks=[Report(trial)])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xgboost.callback import TrainingCallback

if TYPE_CHECKING:
    from caviar_workers.trial import Trial


class Report(TrainingCallback):  # type: ignore[misc]  # its framework has no types here
    """Reports each round's evaluations as `valid-rmse`; the step is the round.

    Args:
        trial: The trial.
        save_every: Save the model after so many rounds; None: never. Another attempt gives it to
            `xgboost.train(…, xgb_model=saved.path)`, with as many rounds fewer.
    """

    def __init__(self, trial: Trial, *, save_every: int | None = None) -> None:
        super().__init__()
        self._trial = trial
        self._save_every = save_every

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Report, and save; training goes on."""
        step = model.num_boosted_rounds() - 1  # counts on where an older model is trained further
        newest = {
            f"{data}-{name}": values[-1][0] if isinstance(values[-1], tuple) else values[-1]
            for data, metrics in evals_log.items()
            for name, values in metrics.items()
        }
        self._trial.report(step, **newest)
        if self._save_every is not None and (step + 1) % self._save_every == 0:
            self._trial.save(step, bytes(model.save_raw("ubj")))
        return False
