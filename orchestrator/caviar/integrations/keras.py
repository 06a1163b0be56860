"""Keras 3, on any backend: `model.fit(…, callbacks=[Report(trial)])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from caviar.integrations.numbers import numbers_of

if TYPE_CHECKING:
    from caviar_workers.trial import Trial


class Report(keras.callbacks.Callback):  # type: ignore[misc]  # its framework has no types here
    """Reports the logs of each epoch.

    Args:
        trial: The trial.
        save: Save the model with each report; another attempt has it from `saved_model`, and goes on by
            `model.fit(…, initial_epoch=trial.start)`.
    """

    def __init__(self, trial: Trial, *, save: bool = False) -> None:
        super().__init__()
        self._trial = trial
        self._save = save

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Report, and save."""
        self._trial.report(epoch, **numbers_of(logs or {}))
        if self._save:
            path = self._trial.path / "model.keras"
            self.model.save(path)
            self._trial.save(epoch, path)


def saved_model(trial: Trial) -> Any:
    """The model to go on with; None: begin at the beginning."""
    saved = trial.load()
    if saved is None:
        return None
    path = trial.path / "saved.keras"  # Keras goes by the ending
    saved.write(path)
    return keras.saving.load_model(path)
