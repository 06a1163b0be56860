"""A sweep as an Optuna study, in a storage that `optuna.load_study` opens."""

from __future__ import annotations

import math
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caviar.errors import SpecError
from caviar.export.exported import Exported, ExportedTrial, simple
from caviar.space import Choice, Constant, Float, Parameter
from caviar_workers.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator

SQLITE = (".db", ".sqlite", ".sqlite3")
JOURNAL = (".log", ".journal")


def check_place(where: str) -> None:
    """Raise SpecError where the file's name does not say which storage it is to be."""
    if Path(where).suffix.lower() not in (*SQLITE, *JOURNAL):
        raise SpecError(
            f"an Optuna study goes to a file of SQLite ({', '.join(SQLITE)}) or to Optuna's journal "
            f"({', '.join(JOURNAL)}), but got {where!r}: name it so"
        )


def write(sweep: Exported, path: str) -> int:
    """Write the study to a file, by its name an SQLite database or a journal; return how many trials it has."""
    import optuna  # noqa: PLC0415 — an extra

    space = {name: distribution(optuna, parameter) for name, parameter in sweep.space.items()}
    with _quiet(optuna), _storage(optuna, path) as storage:
        direction = "maximize" if sweep.plan.mode == "max" else "minimize"
        study = optuna.create_study(storage=storage, study_name=sweep.title, direction=direction)
        study.set_user_attr("caviar.sweep", sweep.sweep)
        study.set_user_attr("caviar.metric", sweep.plan.metric)
        study.set_user_attr("caviar.scales", {name: getattr(one, "scale", "") for name, one in sweep.space.items()})
        trials = [_trial(optuna, trial, space, sweep) for trial in sweep.trials()]
        study.add_trials(trials)
    return len(trials)


def distribution(optuna: Any, parameter: Parameter) -> Any:
    """A parameter as Optuna describes it.

    Optuna has no scale for 1 − value, and takes no steps on a log scale: the range is told without these, and the
    values of the trials are the very ones that they had.
    """
    known = optuna.distributions
    if isinstance(parameter, Choice):
        return known.CategoricalDistribution([_category(one) for one in parameter.options])
    if isinstance(parameter, Constant):
        return known.CategoricalDistribution([_category(parameter.value)])
    log = parameter.scale == "log"
    step = {} if log or parameter.step is None else {"step": parameter.step}
    kind = known.FloatDistribution if isinstance(parameter, Float) else known.IntDistribution
    return kind(parameter.low, parameter.high, log=log, **step)


def _category(value: object) -> object:
    return value if value is None else simple(value)


def _trial(optuna: Any, trial: ExportedTrial, space: dict[str, Any], sweep: Exported) -> Any:
    states = optuna.trial.TrialState
    state = {State.COMPLETED: states.COMPLETE, State.FAILED: states.FAIL}.get(trial.state, states.PRUNED)
    if state == states.COMPLETE and trial.value is None:
        state = states.FAIL  # it diverged: Optuna has no completed trials without a value
    params = {name: value if _numeric(space[name]) else _category(value) for name, value in trial.config.items()}
    others = {
        metric: value
        for metric in sweep.metrics
        if metric != sweep.plan.metric and (value := _last(trial, metric)) is not None
    }
    made = optuna.trial.create_trial(
        state=state,
        value=trial.value if state == states.COMPLETE else None,
        params=params,
        distributions={name: space[name] for name in params},
        intermediate_values={step: value for step, _, value in trial.curve.reported(sweep.plan.metric)},
        user_attrs={**others, **trial.notes},
    )
    made.datetime_start = _local(trial.began) or made.datetime_start
    made.datetime_complete = _local(trial.ended) or made.datetime_complete
    return made


def _numeric(kind: Any) -> bool:
    return not hasattr(kind, "choices")


def _last(trial: ExportedTrial, metric: str) -> float | None:
    values = [value for _, _, value in trial.curve.reported(metric)]
    return values[-1] if values and math.isfinite(values[-1]) else None


def _local(seconds: float | None) -> datetime | None:
    """A time as Optuna keeps it: this machine's, and without a zone."""
    return None if seconds is None else datetime.fromtimestamp(seconds)


@contextmanager
def _storage(optuna: Any, path: str) -> Iterator[Any]:
    if Path(path).suffix.lower() in SQLITE:
        storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
        try:
            yield storage
        finally:
            storage.remove_session()
            storage.engine.dispose()
    else:
        journal = optuna.storages.journal
        yield optuna.storages.JournalStorage(journal.JournalFileBackend(path))


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Within it Optuna says warnings only: not that a study was made."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
