"""Our halves of docs/other-tools.md run as they are written, and W&B's YAML too."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from caviar import Float, Result

from .conftest import Caviar, Write

PAGE = (Path(__file__).parents[2] / "docs" / "other-tools.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)$", PAGE, re.MULTILINE)
SAID = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
OURS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
THEIRS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TRAIN = """
import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--opt")
lr = parser.parse_args().lr
for epoch in range(3):
    print(json.dumps({"epoch": epoch, "loss": (lr - 0.1) ** 2 + 1 / (epoch + 1)}))
"""


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("source", OURS, ids=["tune", "optuna", "wandb"])
def test_our_half_runs(caviar: Caviar, write: Write, store: Path, source: str) -> None:
    ran = caviar("run", write(source), "-q")
    assert ran.code == 0, ran.err
    result = Result(store)
    assert len(result.trials()) == 8
    assert result.space["lr"] == Float(1e-4, 1, "log")


@pytest.mark.usefixtures("inline")
def test_their_yaml_runs(caviar: Caviar, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "sweep.yaml").write_text(f"{THEIRS[0]}command: [{sys.executable}, '${{program}}', '${{args}}']\n")
    ran = caviar("run", "sweep.yaml", "-q", "--trials", "3")
    assert ran.code == 0, ran.err
    assert Result(store).best.step in {1, 2}


def test_every_block_of_the_page_is_tried_here() -> None:
    assert sorted(filter(None, BLOCKS)) == ["python"] * 3 + ["text"] * 2 + ["yaml"]
    compile(SAID[0], "Ray Tune's half", "exec")


def test_optunas_half_is_optunas(monkeypatch: pytest.MonkeyPatch) -> None:
    optuna = pytest.importorskip("optuna")
    monkeypatch.setattr(optuna.logging.get_logger("optuna"), "disabled", True)
    names: dict[str, Any] = {"optuna": optuna}
    exec(SAID[1], names)
    assert len(names["study"].trials) == 8
    assert names["study"].trials[0].params == {"lr": 0.01, "opt": "adam"}
