"""W&B's own reader finds the offline runs, and no trace of this machine in them."""

import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from caviar import Command, Float, Result, Sweep

from ..small_stores import FAILED, STEPS, value

pytest.importorskip("wandb")
BLOCK = 32768


def records(file: Path) -> list[Any]:
    """What `wandb sync` would upload: W&B's messages, in the framing of LevelDB's log after a header of seven bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, parts, found = file.read_bytes(), 7, b"", []
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in {1, 4}:  # whole, or its last part
            found.append(Record.FromString(parts))
            parts = b""
    return found


def keys(update: Any) -> dict[str, Any]:
    return {item.key or item.nested_key[0]: json.loads(item.value_json) for item in update}


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("default")  # W&B's own
def test_wandb_reads_the_runs(swept: Result, tmp_path: Path) -> None:
    made = swept.export("wandb", tmp_path / "wb")
    assert (made.trials, made.left_out) == (7, {"LOST": 1})
    runs = {}
    for file in (tmp_path / "wb").glob("wandb/offline-run-*/*.wandb"):
        found = records(file)
        runs[next(one.run.display_name for one in found if one.HasField("run"))] = found
    assert set(runs) == {f"t{trial}" for trial in range(7)}
    best = runs["t2"]
    run = next(one.run for one in best if one.HasField("run"))
    assert (run.project, run.run_group) == ("digits-1", swept.id)
    config = keys(run.config.update)
    assert config["beta"] == swept.best.config["beta"]
    assert config["caviar.state"] == "COMPLETED"
    history = [keys(one.history.item) for one in best if one.HasField("history")]
    assert [row["val_loss"] for row in history] == [value(2, step) for step in range(STEPS)]
    codes = {name: [one.exit.exit_code for one in run if one.HasField("exit")] for name, run in runs.items()}
    assert (codes["t2"], codes[f"t{FAILED}"]) == ([0], [1])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["offline", "disabled"])
def test_what_a_script_gives_to_wandb_log_is_its_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", mode)
    (tmp_path / "train.py").write_text(SCRIPT)
    sweep = Sweep(Command([sys.executable, "train.py"], read="wandb"), {"lr": Float(1.0, 2.0)}, "val.loss")
    tried = sweep.try_({"lr": 1.5})
    assert tried.steps == (0, 2)
    assert {one.name: (one.reports, one.last) for one in tried.metrics} == {"val.loss": (3, 3.5), "acc": (3, 0.5)}


SCRIPT = """
import wandb

run = wandb.init(project="p", config={"lr": 0.5, "epochs": 3})
for epoch in range(wandb.config.epochs):
    wandb.log({"epoch": epoch, "val": {"loss": wandb.config.lr + epoch}})
    run.log({"acc": 0.5}, commit=False)
wandb.finish()
"""
