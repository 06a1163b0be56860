"""Hugging Face: `Trainer(callbacks=[Report(trial)])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from transformers import TrainerCallback

from caviar.integrations.numbers import numbers_of

if TYPE_CHECKING:
    from caviar_workers.trial import Trial


class Report(TrainerCallback):  # type: ignore[misc]  # its framework has no types here
    """Reports the metrics of each evaluation.

    Args:
        trial: The trial.
        step: What counts: `epoch`, rounded, or `global_step`, the updates, of which trials with other batch sizes have
            other numbers after as many examples.
    """

    def __init__(self, trial: Trial, *, step: Literal["epoch", "global_step"] = "epoch") -> None:
        self._trial = trial
        self._step = step

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
        """Report what was measured."""
        if state.is_world_process_zero and metrics:
            step = round(state.epoch or 0) if self._step == "epoch" else state.global_step
            self._trial.report(step, **numbers_of(metrics, without=("epoch", "step")))
