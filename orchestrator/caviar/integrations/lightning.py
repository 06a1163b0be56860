"""PyTorch Lightning: `Trainer(callbacks=[Report(trial)])`, and `trainer.fit(model, ckpt_path=resume_path(trial))`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.integrations.numbers import numbers_of

try:
    from lightning.pytorch.callbacks import Callback
except ImportError:  # the older name of the same
    from pytorch_lightning.callbacks import Callback

if TYPE_CHECKING:
    from caviar_workers.trial import Trial


class Report(Callback):  # type: ignore[misc]  # its framework has no types here
    """Reports the logged metrics after each validation, or after each epoch where there is none; the step is the epoch.

    Args:
        trial: The trial.
        save: Save a checkpoint with each report, from which another attempt goes on.
    """

    def __init__(self, trial: Trial, *, save: bool = False) -> None:
        self._trial = trial
        self._save = save
        self._reported = -1

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Report what was logged up to here."""
        if not trainer.sanity_checking and trainer.state.fn == "fit":
            self._report(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Report where there is no validation."""
        if not trainer.enable_validation:
            self._report(trainer)

    def _report(self, trainer: Any) -> None:
        step = int(trainer.current_epoch)
        metrics = numbers_of(trainer.callback_metrics)
        if not trainer.is_global_zero or not metrics:
            return
        try:
            self._trial.report(step, **metrics)
        finally:  # a trial that is paused after its report has what it goes on from
            if self._save and step > self._reported:
                self._reported = step
                path = self._trial.path / "lightning.ckpt"
                trainer.save_checkpoint(path)
                self._trial.save(step, path)


def resume_path(trial: Trial) -> str | None:
    """The checkpoint to go on from, for `trainer.fit(…, ckpt_path=…)`; None: begin at the beginning."""
    saved = trial.load()
    return None if saved is None else str(saved.path)
