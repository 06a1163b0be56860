"""MLflow's own client finds the runs."""

import math
from pathlib import Path

import pytest

from caviar import Result
from caviar.errors import SpecError

from ..small_stores import DIVERGED, FAILED, STEPS, value
from .conftest import STOPPED

pytest.importorskip("mlflow")


@pytest.mark.filterwarnings("default")  # MLflow's own
def test_mlflow_reads_the_runs(swept: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    made = swept.export("mlflow", "mlflow.db")
    assert (made.trials, made.left_out) == (7, {"LOST": 1})
    assert [one.name for one in tmp_path.iterdir()] == ["mlflow.db"]
    client = MlflowClient("sqlite:///mlflow.db")
    experiment = client.get_experiment_by_name(f"digits/1 ({swept.id})")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {f"t{trial}" for trial in range(7)}
    best = runs["t2"]
    assert best.data.params == {name: str(value) for name, value in swept.best.config.items()}
    assert best.info.status == "FINISHED"
    assert best.info.end_time - best.info.start_time == 3200
    history = client.get_metric_history(best.info.run_id, "val_loss")
    assert {one.step: one.value for one in history} == {step: value(2, step) for step in range(STEPS)}
    assert math.isnan(runs[f"t{DIVERGED}"].data.metrics["val_loss"])
    assert runs[f"t{FAILED}"].info.status == "FAILED"
    assert runs[f"t{FAILED}"].data.tags["caviar.error"] == "ValueError: no such layer"
    assert (runs[f"t{STOPPED}"].info.status, runs[f"t{STOPPED}"].data.tags["caviar.state"]) == ("KILLED", "STOPPED")


def test_a_place_that_does_not_suit_mlflow_is_told(swept: Result, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="a file of SQLite"):
        swept.export("mlflow", tmp_path / "mlruns")
