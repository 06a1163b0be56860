"""Optuna's samplers as searchers (Akiba, Sano, Yanase, Ohta and Koyama 2019, "Optuna"): TPE, GP and CMA-ES, over u.

Optuna sees numbers u in [0, 1] only; scales, integers and conditions are the space's. Its study lives in memory: asks
that were recorded are enqueued again when a sweep is resumed, so that it knows what the first driver knew. CMA-ES keeps
its state in trials that it drew itself, so a resumed sweep begins a new distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from caviar.errors import SpecError, to_install
from caviar.search.searchers.searcher import FloatArray, Proposal
from caviar_workers.states import State

SAMPLERS: dict[str, Callable[[Any, int], Any]] = {
    "tpe": lambda optuna, seed: optuna.samplers.TPESampler(seed=seed, constant_liar=True, multivariate=True),
    "gp": lambda optuna, seed: optuna.samplers.GPSampler(seed=seed),
    "cmaes": lambda optuna, seed: optuna.samplers.CmaEsSampler(seed=seed),
}
PACKAGES: dict[str, tuple[str, ...]] = {"tpe": (), "gp": ("scipy", "torch"), "cmaes": ("cmaes",)}
"""What a sampler imports when it asks its model for the first time, some trials into the sweep."""

_LARGEST = float(np.nextafter(1.0, 0.0))


class OptunaSearch:
    """An Optuna study; see `Searcher`.

    Args:
        dimensions: d, ≥ 1.
        mode: `min` or `max`.
        seed: Of the sweep.
        unordered: Ignored: Optuna sees coordinates, not parameters.
        sampler: One of `SAMPLERS`.

    Raises:
        SpecError: Optuna, or a package that the sampler needs, is not installed.
    """

    def __init__(
        self, *, dimensions: int, mode: str, seed: int, unordered: Sequence[int] = (), sampler: str = "tpe"
    ) -> None:
        del unordered
        self._optuna = _optuna()
        _need(sampler)
        self._optuna.logging.set_verbosity(self._optuna.logging.ERROR)
        chosen = SAMPLERS[sampler](self._optuna, seed % 2**32)
        self._study = self._optuna.create_study(direction="minimize" if mode == "min" else "maximize", sampler=chosen)
        self._space = {f"u{j}": self._optuna.distributions.FloatDistribution(0.0, 1.0) for j in range(dimensions)}
        self._sampler = sampler
        self._trials: dict[int, Any] = {}
        self._told: dict[int, dict[int, float]] = {}
        """Rows of trials that run: Optuna takes none back, and looks at them when the trial is over."""

    def ask(self, trial: int) -> Proposal:
        """Return the point of a new trial; see `Searcher`."""
        self._trials[trial] = asked = self._study.ask(self._space)
        u = np.minimum([asked.params[name] for name in self._space], _LARGEST)
        return Proposal(u=u, origin="model", numbers={})

    def restore(self, trial: int, u: FloatArray) -> None:
        """A trial's point; see `Searcher`."""
        if trial in self._trials:
            self._study.tell(self._trials[trial], state=self._optuna.trial.TrialState.FAIL)
        self._study.enqueue_trial(dict(zip(self._space, map(float, u), strict=True)))
        self._trials[trial] = self._study.ask(self._space)

    def tell(self, trial: int, step: int, value: float) -> None:
        """Take in a row; see `Searcher`."""
        if trial in self._trials:
            self._told.setdefault(trial, {})[step] = value

    def withdraw(self, trial: int) -> None:
        """A trial runs again; see `Searcher`."""
        self._told.pop(trial, None)

    def end(self, trial: int, *, state: str) -> None:
        """A trial is over; see `Searcher`."""
        asked, told = self._trials.pop(trial, None), self._told.pop(trial, {})
        if asked is None:
            return
        last = math.nan
        for step, value in told.items():
            last = value
            if math.isfinite(value):
                asked.report(value, step)
        states = self._optuna.trial.TrialState
        if state == State.COMPLETED and math.isfinite(last):
            self._study.tell(asked, last)
        else:
            self._study.tell(asked, state=states.PRUNED if state == State.STOPPED else states.FAIL)


def _optuna() -> Any:
    try:
        import optuna  # noqa: PLC0415 — an extra
    except ImportError as error:
        raise SpecError(
            f"Optuna's searchers need Optuna: type {to_install('optuna', 'cmaes')}, or use --searcher gp"
        ) from error
    return optuna


def _need(sampler: str) -> None:
    """See that all can be imported that a sampler needs; SpecError if not."""
    for package in PACKAGES[sampler]:
        try:
            import_module(package)
        except ImportError as error:
            raise SpecError(
                f"the searcher optuna:{sampler} needs {package} ({error}): type {to_install(package)}, or use "
                "--searcher gp"
            ) from error
