"""Whoever diverges ends: from NaN or an infinity in the objective nothing comes back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from caviar.search.stopping.policy import Judgement, number
from caviar_workers.states import Action

BY = "stop_on_divergence"
"""What it is called in the store."""


class DivergencePolicy:
    """Stops a trial whose newest value is NaN or infinite; see `StopPolicy`. It looks at no other trial."""

    def __init__(self) -> None:
        self._newest: dict[int, tuple[int, float]] = {}
        """Trials whose newest row is no number → that row."""

    @staticmethod
    def reason(_action: str, value: float | None, _bar: float | None, _numbers: Mapping[str, Any]) -> str:
        """Why it decided so; see `Stopping`."""
        return f"it diverged ({number(value)}), and nothing comes back from there"

    def note(self, trial: int, step: int, value: float) -> None:
        """Take a row in; see `StopPolicy`."""
        if math.isfinite(value):
            self._newest.pop(trial, None)
        else:
            self._newest[trial] = step, value

    def withdraw(self, trial: int) -> None:
        """Forget a trial's rows; see `StopPolicy`."""
        self._newest.pop(trial, None)

    def judge(self, trial: int) -> Judgement | None:
        """Decide about a running trial; see `StopPolicy`."""
        if trial not in self._newest:
            return None
        step, value = self._newest[trial]
        return Judgement(trial=trial, action=Action.STOP, step=step, value=value)

    def recall(self, *, exhausted: bool) -> Judgement | None:
        """Nobody is paused here; see `StopPolicy`."""
        return None

    def apply(self, judgement: Judgement) -> None:
        """Follow a stored decision; see `StopPolicy`."""
        self._newest.pop(judgement.trial, None)

    def end(self, trial: int, *, state: str) -> None:
        """Let a trial go; see `StopPolicy`."""
        self._newest.pop(trial, None)
