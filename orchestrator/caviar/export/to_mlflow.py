"""A sweep as an MLflow experiment, a run a trial: in an SQLite file of MLflow's, or on a tracking server."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from caviar.display.sanitize import one_line
from caviar.errors import CaviarError, SpecError
from caviar.export.exported import Exported, ExportedTrial, simple
from caviar_workers.states import State

AT_ONCE = 1000
"""Values in a request: MLflow takes no more."""
STATUS = {State.COMPLETED: "FINISHED", State.FAILED: "FAILED"}
"""State → MLflow's; a trial that was stopped or paused is KILLED there."""


def check_place(where: str) -> None:
    """Raise SpecError unless it is an SQLite file, or a tracking server."""
    if not is_server(where) and Path(where).suffix.lower() not in (".db", ".sqlite", ".sqlite3"):
        raise SpecError(
            f"MLflow's runs go to a file of SQLite (mlflow.db) or to a tracking server (http://…), but got {where!r}: "
            "name it so, and look at it by mlflow ui --backend-store-uri sqlite:///mlflow.db"
        )


def is_server(where: str) -> bool:
    """Whether it is a tracking server's address."""
    return where.startswith(("http://", "https://"))


def write(sweep: Exported, where: str) -> int:
    """Write the runs to a file or a server; return how many there are.

    Raises:
        CaviarError: MLflow refuses them, or the server cannot be reached.
    """
    from mlflow import MlflowClient  # noqa: PLC0415 — no dependency of ours
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    count = 0
    try:
        with _quiet():
            client = MlflowClient(where if is_server(where) else f"sqlite:///{where}")
            experiment = client.create_experiment(sweep.title, tags={"caviar.sweep": sweep.sweep})
            for trial in sweep.trials():
                _write_trial(client, experiment, trial)
                count += 1
    except MlflowException as error:
        said = one_line(str(error), 300)
        raise CaviarError(f"MLflow did not take the sweep: {said}; see to the server, or name another file") from error
    return count


def _write_trial(client: Any, experiment: str, trial: ExportedTrial) -> None:
    from mlflow.entities import Metric, Param  # noqa: PLC0415

    tags = {name: str(value) for name, value in trial.notes.items()}
    run = client.create_run(experiment, start_time=_ms(trial.began), tags=tags, run_name=f"t{trial.number}")
    params = (Param(name, str(simple(value))) for name, value in trial.config.items())
    for some in _in_parts(params, 100):
        client.log_batch(run.info.run_id, params=some)
    metrics = (
        Metric(metric, value, _ms(time) or 0, step)
        for step, time, values in trial.curve.rows()
        for metric, value in values.items()
    )
    for some in _in_parts(metrics, AT_ONCE):
        client.log_batch(run.info.run_id, metrics=some)
    client.set_terminated(run.info.run_id, STATUS.get(trial.state, "KILLED"), _ms(trial.ended))


@contextmanager
def _quiet() -> Iterator[None]:
    """Within it MLflow says warnings only: not that it makes tables."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _in_parts(values: Any, size: int) -> Any:
    values = iter(values)
    while some := list(itertools.islice(values, size)):
        yield some


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)
