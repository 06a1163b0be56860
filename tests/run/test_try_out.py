"""One trial here and now: as a worker would train it, and nothing stored."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from caviar import Choice, Float, Sweep
from caviar.errors import SpecError
from caviar_workers.messages import Program

from .conftest import MAIN, Caviar, Write

EXPERIMENT = """
    from caviar import Float, Sweep


    def data():
        print("loading")
        return [1, 2]


    def train(config, trial, load=True, again=False, raises=False, word="secret"):
        print("training with", word)
        saved = trial.load() if load else None
        start = 0 if saved is None or again else saved.step + 1
        for epoch in range(start, 5):
            trial.report(epoch, loss=1 / (epoch + 1), data=len(trial.data))
            trial.save(epoch, b"x" * 100)
        if raises:
            raise ValueError("no such layer")


    sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=10, data=data, rounds=[6, 4], retest=2)
"""


def tried(caviar: Caviar, file: Path, *settings: str) -> Any:
    """What `run --try --json` prints."""
    ran = caviar("run", file, "--try", "--json", *(word for one in settings for word in ("--set", one)))
    return json.loads(ran.out)


def test_it_is_trained_as_a_worker_would_and_nothing_is_stored(caviar: Caviar, write: Write, store: Path) -> None:
    file = write(EXPERIMENT)
    found = tried(caviar, file)
    assert (found["state"], found["reports"], found["steps"]) == ("COMPLETED", 5, [0, 4])
    assert [one["name"] for one in found["metrics"]] == ["loss", "data"]
    assert found["metrics"][0]["last"] == 0.2
    assert found["checkpoint"] == {"step": 3, "bytes": 100, "goes_on_at": 4, "word": ""}
    assert (found["trials"], found["at_once"] >= 1) == (20, True), "rounds and retest too"
    assert not store.exists()
    ran = caviar("run", file, "--try")
    assert (ran.code, "nothing was stored (--try)" in ran.err) == (0, True)
    assert "loss  1 → 0.2  ← decides" in ran.out


def test_it_is_the_sweeps_first_trial(inline: None, caviar: Caviar, write: Write, store: Path) -> None:
    file = write(EXPERIMENT)
    found = tried(caviar, file)
    assert caviar("run", file, "-q", "--set", "rounds=[]", "--set", "retest=null").code == 0
    first = json.loads(caviar("show", "0", "--json").out)
    assert (found["seed"], found["config"]) == (first["seed"], first["config"])


@pytest.mark.parametrize(
    ("setting", "word"),
    [("train.load=false", "never calls trial.load()"), ("train.again=true", "but report() got step 0 again")],
)
def test_a_checkpoint_that_is_good_for_nothing_is_said(caviar: Caviar, write: Write, setting: str, word: str) -> None:
    assert word in tried(caviar, write(EXPERIMENT), setting)["checkpoint"]["word"]


@pytest.mark.parametrize(
    ("setting", "word"),
    [("train.raises=true", "ValueError: no such layer"), ("metric=los", "did you mean metric='loss'")],
)
def test_one_that_fails_is_an_error(caviar: Caviar, write: Write, setting: str, word: str) -> None:
    ran = caviar("run", write(EXPERIMENT), "--try", "--set", setting)
    assert ran.code == 3
    assert word in ran.err.splitlines()[-1]
    assert "trial   failed after" in ran.out
    both = caviar("run", write(EXPERIMENT), "--try", "--dry-run")
    assert (both.code, "leave one of them out" in both.err) == (2, True)


def test_a_breakpoint_stops_in_the_terminal_and_data_stay_alone_on_stdout(write: Write, tmp_path: Path) -> None:
    file = write(EXPERIMENT.replace("saved = trial.load()", "breakpoint()\n        saved = trial.load()"))
    command = [sys.executable, "-c", MAIN, "run", str(file), "--try", "--json", "--store", str(tmp_path / "store")]
    env = {**os.environ, "PYTHONBREAKPOINT": "pdb.set_trace"}
    ran = subprocess.run(
        command, input="p 'the seed is', trial.seed\nc\nc\n", capture_output=True, text=True, check=False, env=env
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert f"('the seed is', {found['seed']})" in ran.stderr
    assert "loading" in ran.stderr


def train(config: dict[str, Any], trial: Any) -> dict[str, float]:
    if config["act"] == "none":
        raise LookupError("no such activation")
    return {"loss": config["x"]}


def test_in_python_it_takes_a_configuration_and_raises_what_train_raised() -> None:
    sweep = Sweep(train, {"x": Float(0.0, 1.0), "act": Choice(["relu", "none"])}, "loss")
    before = dict(sys.modules)
    found = sweep.try_({"x": 0.25, "act": "relu"})
    assert (found.config, found.metrics[0].last, found.checkpoint) == ({"x": 0.25, "act": "relu"}, 0.25, None)
    assert all(sys.modules.get(name) is module for name, module in before.items()), "the modules are this process's own"
    with pytest.raises(LookupError, match="no such activation") as raised:
        sweep.try_({"x": 0.25, "act": "none"})
    assert any(frame.name == "train" for frame in raised.traceback), "its frames can be looked into"
    with pytest.raises(SpecError, match="no parameter 'lr'"):
        sweep.try_({"lr": 1.0})


def test_a_function_without_a_file_is_tried_too() -> None:
    sweep = Sweep(lambda config, trial: config["x"], {"x": Float(0.0, 1.0)}, "loss")
    assert isinstance(sweep.program, Program)
    assert sweep.try_({"x": 0.5}).metrics[0].last == 0.5
