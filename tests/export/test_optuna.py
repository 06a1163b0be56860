"""A sweep as an Optuna study: Optuna opens it, plots it, and says what matters."""

import math
from pathlib import Path

import pytest

from caviar import Choice, Constant, Float, Int, Result
from caviar.cli.main import main
from caviar.export.to_optuna import distribution

from ..small_stores import DIVERGED, FAILED, STEPS, value
from .conftest import PAUSED, RUNNING, STOPPED

optuna = pytest.importorskip("optuna")
D = optuna.distributions


@pytest.mark.parametrize("ending", ["log", "db"])
def test_optuna_opens_the_study(swept: Result, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"study.{ending}"
    made = swept.export("optuna", file)
    assert (made.trials, made.left_out) == (7, {"LOST": 1})
    assert [one.name for one in tmp_path.iterdir()] == [file.name]
    journal = optuna.storages.journal
    storage = (
        f"sqlite:///{file}" if ending == "db" else optuna.storages.JournalStorage(journal.JournalFileBackend(str(file)))
    )
    study = optuna.load_study(study_name=None, storage=storage)
    assert study.direction.name == "MINIMIZE"
    assert study.user_attrs["caviar.scales"]["beta"] == "reverse_log"
    kinds = {trial.user_attrs["caviar.trial"]: trial.state.name for trial in study.trials}
    ended = {FAILED: "FAIL", DIVERGED: "FAIL", STOPPED: "PRUNED", PAUSED: "PRUNED"}
    assert kinds == {0: "COMPLETE", 1: "COMPLETE", 2: "COMPLETE", **ended}
    assert RUNNING not in kinds
    best = study.best_trial
    assert (best.params, best.value) == (swept.best.config, swept.best.value), "to the last bit, 1 − β too"
    assert best.intermediate_values == {step: value(2, step) for step in range(STEPS)}
    assert best.duration.total_seconds() == pytest.approx(3.2)
    diverged = study.trials[DIVERGED]
    assert math.isnan(diverged.intermediate_values[STEPS - 1])
    assert study.trials[FAILED].user_attrs["caviar.error"] == "ValueError: no such layer"
    assert best.distributions["lr"] == D.FloatDistribution(1e-4, 1.0, log=True)
    assert best.distributions["beta"] == D.FloatDistribution(0.9, 0.99999)
    assert set(optuna.importance.get_param_importances(study)) == {"lr", "beta", "units", "act"}


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (Float(1, 2), D.FloatDistribution(1, 2)),
        (Float(0, 1, step=0.1), D.FloatDistribution(0, 1, step=0.1)),
        (Float(1e-3, 1, "log", step=1e-3), D.FloatDistribution(1e-3, 1, log=True)),
        (Float(0.9, 0.99, "reverse_log"), D.FloatDistribution(0.9, 0.99)),
        (Int(1, 9, step=2), D.IntDistribution(1, 9, step=2)),
        (Int(1, 1024, "log"), D.IntDistribution(1, 1024, log=True)),
        (Choice(["a", None, 2, True]), D.CategoricalDistribution(("a", None, 2, True))),
        (Choice([[1, 2], {"a": 1}]), D.CategoricalDistribution(("[1, 2]", "{'a': 1}"))),
        (Constant(3), D.CategoricalDistribution((3,))),
    ],
)
def test_a_parameter_is_what_optuna_calls_it(parameter: object, expected: object) -> None:
    assert distribution(optuna, parameter) == expected


def test_the_line_that_opens_a_study_is_told(swept: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "study.db"
    with pytest.raises(SystemExit) as end:
        main(["export", swept.id, "--to", "optuna", "-o", str(file), "--store", str(swept._store.path)])
    assert end.value.code == 0
    told = next(line for line in capsys.readouterr().err.splitlines() if "open it: " in line)
    study = eval(told.partition("open it: ")[2], {"optuna": optuna})
    assert study.user_attrs["caviar.sweep"] == swept.id
