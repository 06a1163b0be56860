"""What Optuna and Ray Tune keep becomes a sweep, by JSON and plain tables alone."""

import json
import math
import pickle
import sqlite3
from pathlib import Path
from typing import Any

import optuna
import pytest

from caviar import Choice, Float, Int, Result
from caviar.errors import NotFoundError, SpecError
from caviar.run.import_mapping import Asked
from caviar.run.import_stores import read_source
from caviar.run.import_sweep import Table, import_trials, read_trials
from caviar.spec.provenance import provenance
from caviar.store import Store


def read(path: Path, asked: Asked | None = None, study: str | None = None) -> Table:
    return read_trials(path, asked or Asked(), lambda _: None, ranges={}, steps=None, settings={}, study=study)


def imported(path: Path, tmp_path: Path, asked: Asked | None = None) -> Result:
    store = Store.open(tmp_path / "store", create=True)
    return Result(tmp_path / "store", import_trials(store, read(path, asked), provenance(None)))


def studied(storage: Any, name: str = "first", **how: Any) -> None:
    """Four trials: one pruned, one failed, one diverged."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=3)  # of six trials, not all have the same optimizer
    study = optuna.create_study(storage=storage, study_name=name, sampler=sampler, **how)

    def train(trial: Any) -> float:
        lr = trial.suggest_float("lr", 1e-4, 1.0, log=True)
        trial.suggest_int("units", 8, 64)
        trial.suggest_categorical("opt", ["adam", "sgd"])
        for step in range(3):
            trial.report(math.nan if trial.number == 3 else lr + step, step)
        if trial.number == 1:
            raise optuna.TrialPruned
        if trial.number == 2:
            raise ValueError
        return lr + 2

    study.optimize(train, n_trials=6, catch=ValueError)


@pytest.fixture(scope="module", params=["db", pytest.param("log", id="journal")])
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("optuna") / f"study.{request.param}"
    journal = optuna.storages.journal
    kept = f"sqlite:///{path}" if request.param == "db" else optuna.storages.JournalStorage(
        journal.JournalFileBackend(str(path))
    )  # fmt: skip
    studied(kept, direction="maximize")
    return path


def test_a_study_of_optuna_is_a_sweep(storage: Path, tmp_path: Path) -> None:
    result = imported(storage, tmp_path)
    assert result.mode == "max"
    space = dict(result.space)
    assert (space["lr"], space["units"]) == (Float(1e-4, 1.0, "log"), Int(8, 64)), "as Optuna drew them"
    assert space["opt"] == Choice(["adam", "sgd"])
    trials = result.trials().set_index("trial")
    assert list(trials["state"]) == ["COMPLETED", "STOPPED", "FAILED", "COMPLETED", "COMPLETED", "COMPLETED"]
    curve = result.curves(4)
    assert list(curve["step"]) == [0, 1, 2]
    assert list(curve["value"]) == [trials.loc[4, "lr"] + step for step in range(3)]
    assert math.isnan(result.curves(3)["value"].iloc[1])


def test_a_sweep_comes_back_from_optuna_as_it_was(storage: Path, tmp_path: Path) -> None:
    first = imported(storage, tmp_path)
    first.export("optuna", tmp_path / "again.log")
    again = imported(tmp_path / "again.log", tmp_path)
    kept = ["lr", "units", "opt", "last_value"]
    ended = first.trials().query("state == 'COMPLETED' and not diverged")[kept]
    assert again.trials().query("state == 'COMPLETED'")[kept].to_dict("list") == ended.to_dict("list")


def test_several_studies_and_objectives_are_told(tmp_path: Path) -> None:
    path = tmp_path / "studies.log"
    journal = optuna.storages.journal
    kept = optuna.storages.JournalStorage(journal.JournalFileBackend(str(path)))
    studied(kept, "one")
    studied(kept, "two")
    optuna.create_study(storage=kept, study_name="both", directions=["minimize", "maximize"])
    with pytest.raises(SpecError, match="3 studies: say which by --study, one of one, two, both"):
        read_source(path)
    assert read_source(path, "two").num_rows == 19
    with pytest.raises(SpecError, match="no study 'too'; did you mean 'two'"):
        read_source(path, "too")
    with pytest.raises(SpecError, match="has 2 objectives"):
        read_source(path, "both")


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE studies (study_id, study_name)",
        "CREATE VIEW studies AS SELECT 1 AS study_id, 'a' AS study_name",
        "CREATE TABLE other (x)",
        "CREATE TABLE studies (study_id, study_name AS (hex(zeroblob(400))))",
    ],
)
def test_a_database_that_is_no_storage_is_told(tmp_path: Path, script: str) -> None:
    path = tmp_path / "x.db"
    database = sqlite3.connect(path)
    database.executescript(script)
    database.close()
    with pytest.raises(SpecError, match=r"it has no table|its table studies are computed"):
        read_source(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.db", b"SQLite format 3\0" + b"\xff" * 200),
        ("x.log", b'{"op_code": 4, "study_id": 7}\n'),
        ("x.log", b'{"op_code": 0, "study_name": "a", "directions": [9]}\n'),
        ("x.log", b"[1]\n"),
        ("x.log", b"\x80\x04N."),
    ],
)
def test_a_damaged_storage_is_one_sentence(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SpecError, match=f"{name} cannot be read as an Optuna storage") as error:
        read_source(tmp_path / name)
    assert "\n" not in str(error.value)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (Path("pwned"), ""))


def ray_tune(folder: Path) -> Path:
    """As Ray Tune 2.60 writes a run: a folder a trial."""
    for trial in range(3):
        home = folder / f"train_a{trial}_lr=0.{trial + 1}"
        home.mkdir(parents=True)
        config = {"lr": (trial + 1) / 10, "optim": {"name": "sgd"}}
        (home / "params.json").write_text(json.dumps(config))
        (home / "params.pkl").write_bytes(pickle.dumps(Bomb()))
        steps = 2 if trial < 2 else 0
        rows = [
            {"loss": config["lr"] + 1 / step, "training_iteration": step, "trial_id": f"a{trial}", "config": config}
            for step in range(1, steps + 1)
        ]
        (home / "result.json").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        if trial:
            (home / "error.txt").write_text("Traceback")
    (folder / "experiment_state-2026.json").write_text("{}")
    (folder / "link").symlink_to(folder / "train_a0_lr=0.1")
    return folder


def test_a_folder_of_ray_tune_is_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = imported(ray_tune(tmp_path / "run"), tmp_path, Asked(metric="loss"))
    trials = result.trials()
    assert list(trials["lr"]) == [0.1, 0.2, 0.3]
    assert list(trials["optim/name"]) == ["sgd"] * 3
    assert list(trials["state"]) == ["COMPLETED", "FAILED", "FAILED"]
    assert list(result.curves(0)["step"]) == [1, 2]
    assert result.best.value == pytest.approx(0.6)
    assert not (tmp_path / "pwned").exists(), "params.pkl is never opened"


def test_a_folder_without_trials_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecError, match="holds no trials of Ray Tune"):
        read_source(tmp_path / "empty")
    with pytest.raises(NotFoundError, match="there is no file"):
        read_source(tmp_path / "none.db")
    (tmp_path / "t.csv").write_text("lr,loss\n1,2\n")
    with pytest.raises(SpecError, match="--study names a study"):
        read_source(tmp_path / "t.csv", "one")


def test_a_small_journal_that_would_be_a_table_of_a_billion_cells_is_refused(tmp_path: Path) -> None:
    """Each trial has a parameter of its own."""
    events: list[dict[str, Any]] = [{"op_code": 0, "study_name": "s", "directions": [1]}]
    for number in range(5000):
        said = {"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0}}
        events.append({"op_code": 4, "study_id": 0, "state": 1, "value": 0.5, "params": {f"p{number}": 0.5}})
        events[-1]["distributions"] = {f"p{number}": json.dumps(said)}
    path = tmp_path / "x.log"
    path.write_text("\n".join(map(json.dumps, events)))
    with pytest.raises(SpecError, match=r"too large to import: 5,004 columns"):
        read_source(path)
