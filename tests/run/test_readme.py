"""The README's Python runs as it is written: the experiment, then the store read by other people's tools."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from caviar.cli.experiment_file import load
from caviar.cli.main import cli
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession

pytestmark = pytest.mark.ray

ROOT = Path(__file__).resolve().parents[2]

OTHER = """
from caviar import Float, Sweep

def train(config, trial):
    return config["x"]


sweep = Sweep(train, space={"x": Float(0, 1)}, metric="loss", trials=2)
"""


def blocks(language: str) -> list[str]:
    readme = (ROOT / "README.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", readme, flags=re.MULTILINE | re.DOTALL)


def test_the_readme_s_experiment_runs_and_its_store_is_read_by_other_tools(
    ray: RaySession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    experiment, reading = blocks("python")
    failing = "    if trial.number % 3 == 0:\\n        raise ValueError(trial.number)\\n"
    experiment, failed = re.subn(r"(def train\(.*\n)", rf"\g<1>{failing}", experiment)
    assert failed
    Path("my_experiment.py").write_text(experiment)
    Path("other.py").write_text(OTHER)
    load("other.py").run("caviar-store", progress=SilentProgress())
    time.sleep(1)  # an id has whole seconds

    result = load("my_experiment.py").override({"trials": 12}).run("caviar-store", progress=SilentProgress())
    names: dict[str, Any] = {}
    exec(reading, names)

    best = result.select(3).rows
    assert names["best"]["trial"].to_list() == [row.trial for row in best]
    assert len(names["curves"]) == 8 * 20
    assert names["both"]["sweep"].n_unique() == names["frame"]["sweep"].nunique() == 2
    assert len(names["both"]) == len(names["frame"]) == 2 + 12
    assert "last_val_loss" in capsys.readouterr().out

    query = next(line for block in blocks("sh") for line in block.splitlines() if "query" in line)
    sql = query.partition('"')[2].rpartition('"')[0]
    cli.main(["query", sql, "--json"], standalone_mode=False)
    assert '"relu"' in capsys.readouterr().out
