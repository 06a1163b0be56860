"""Patience: end a trial that has not become better for a while. It is compared with nobody but itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from caviar.errors import SpecError
from caviar.search.stopping.policy import Judgement, Stopping, StopPolicy, check_whole, number, score, unscore
from caviar.space.call_hints import called_as
from caviar_workers.states import Action


@called_as("Patience(steps=10)", patience="steps=…", min_delta="least=…")
@dataclass(frozen=True, slots=True, kw_only=True)
class Patience(Stopping):
    """Stop a trial whose best value is `steps` steps old.

    Raises:
        SpecError: `steps` is no whole number from 1, or `least` is negative.
    """

    name: ClassVar[str] = "patience"
    stopped: ClassVar[str] = "who has not become better for `steps` steps, by more than `least`; compared with nobody"
    example: ClassVar[str] = "patience:steps=4"

    steps: int = 10
    least: float = 0.0
    """How much better a value must be to count."""

    def __post_init__(self) -> None:
        check_whole("steps", self.steps)
        if not 0 <= self.least < math.inf:
            raise SpecError(f"least is a number from 0, but got {self.least!r}")

    def policy(self, *, mode: str, pausing: bool) -> StopPolicy:
        """The policy of one sweep; see `ASHA.policy`."""
        return PatiencePolicy(mode=mode, steps=self.steps, least=self.least)

    @staticmethod
    def reason(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
        """Why it decided so; see `Stopping`."""
        return (
            f"its best value {number(bar)} is of step {numbers.get('best_step')}, and patience lasts "
            f"{numbers.get('patience')} steps (now {number(value)})"
        )


@dataclass(slots=True)
class _Own:
    best: float
    best_step: int
    step: int
    value: float
    before: tuple[float, int]
    """Its best value and that one's step, before the newest step."""


class PatiencePolicy:
    """Each trial's best value and its step; see `StopPolicy`. Numbers: `best_step`, `patience`."""

    def __init__(self, *, mode: str, steps: int, least: float) -> None:
        self._mode = mode
        self._steps = steps
        self._least = least
        self._own: dict[int, _Own] = {}

    def note(self, trial: int, step: int, value: float) -> None:
        """Take a row in; see `StopPolicy`."""
        found = score(value, self._mode)
        own = self._own.setdefault(trial, _Own(math.inf, step, step, found, (math.inf, step)))
        if step >= own.step:
            if step > own.step:
                own.before = own.best, own.best_step
            own.best, own.best_step = own.before
            own.step, own.value = step, found
            if found < own.best - self._least or (math.isinf(own.best) and math.isfinite(found)):
                own.best, own.best_step = found, step

    def withdraw(self, trial: int) -> None:
        """Forget a trial's rows; see `StopPolicy`."""
        self._own.pop(trial, None)

    def judge(self, trial: int) -> Judgement | None:
        """Decide about a running trial; see `StopPolicy`."""
        own = self._own.get(trial)
        if own is None or own.step - own.best_step < self._steps:
            return None
        return Judgement(
            trial=trial,
            action=Action.STOP,
            step=own.step,
            value=unscore(own.value, self._mode),
            bar=unscore(own.best, self._mode),
            numbers={"best_step": own.best_step, "patience": self._steps},
        )

    def recall(self, *, exhausted: bool) -> Judgement | None:
        """Return None: this policy pauses nobody."""
        return None

    def apply(self, judgement: Judgement) -> None:
        """Nothing hangs on what was decided."""

    def end(self, trial: int, *, state: str) -> None:
        """Let a trial go; see `StopPolicy`."""
        self._own.pop(trial, None)
