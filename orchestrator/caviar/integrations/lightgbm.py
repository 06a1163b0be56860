"""LightGBM: `lightgbm.train(…, valid_sets=[…], callbacks=[report(trial)])`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caviar_workers.trial import Trial


def report(trial: Trial, *, save_every: int | None = None) -> Callable[[Any], None]:
    """A callback that reports each round's evaluations as `valid_0-l2`; the step is the round.

    Args:
        trial: The trial.
        save_every: Save the model after so many rounds; None: never. Another attempt gives it to
            `lightgbm.train(…, init_model=saved.path)`, with as many rounds fewer.
    """

    def callback(environment: Any) -> None:
        step = environment.iteration
        found = environment.evaluation_result_list or ()
        metrics = {f"{data}-{name}": float(value) for data, name, value, *_ in found}
        if metrics:
            trial.report(step, **metrics)
        if save_every is not None and (step + 1) % save_every == 0:
            trial.save(step, environment.model.model_to_string().encode())

    callback.order = 30  # type: ignore[attr-defined]  # after LightGBM's own record, before its early stopping
    return callback
