"""A program that only logs to wandb is an experiment as it is: a stand-in is listened to, by night wandb itself."""

import sys
from pathlib import Path

import pytest

from caviar import Command, Float, Sweep
from caviar_workers.command import uses_wandb
from caviar_workers.subprogram import CommandError

STAND_IN = """
    class Config(dict):
        __getattr__ = dict.__getitem__

        def update(self, more, allow_val_change=False):
            assert allow_val_change
            dict.update(self, more)


    class Run:
        def __init__(self, config):
            self.config = Config(config or {})

        def log(self, data, step=None, commit=None):
            assert isinstance(data, dict)


    run = None


    def init(project=None, config=None):
        global run, log
        if run is None:
            run = Run(config)
            log = run.log
        return run
"""
SCRIPT = """
    import numpy as np
    import wandb

    wandb.init(project="p", config={"lr": 0.5, "epochs": 3})
    run = wandb.init()
    for epoch in range(run.config.epochs):
        print("loss=100")
        loss = np.float32(run.config["lr"] + epoch)
        wandb.log({"epoch": epoch, "val": {"loss": loss}, "name": "x", "table": object()})
        run.log({"acc": 0.5, "bad": float("nan")}, commit=False)
        run.log({}, step=7)
"""
SPACE = {"lr": Float(1.0, 2.0)}


@pytest.fixture
def script(tmp_path: Path, write_module) -> Path:
    write_module("wandb.py", STAND_IN)
    write_module("sitecustomize.py", "open('other', 'w').close()")
    return write_module("train.py", SCRIPT)


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import textwrap

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(sys.modules['caviar_workers'].__path__[0]).parent}")

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


def test_what_it_logs_is_the_curve_and_the_configuration_is_the_trials(script: Path) -> None:
    sweep = Sweep(Command([sys.executable, str(script), "{lr}"], read="wandb"), SPACE, "val.loss")
    tried = sweep.try_({"lr": 1.5})
    assert tried.steps == (0, 2)
    assert {one.name: (one.reports, one.last) for one in tried.metrics if one.name != "bad"} == {
        "val.loss": (3, 3.5),
        "acc": (3, 0.5),
    }
    assert (script.parent / "other").exists(), "the user's own sitecustomize has run"


def test_a_program_that_says_nothing_but_to_wandb_is_told_how_to_be_heard(script: Path) -> None:
    script.write_text(script.read_text().replace('print("loss=100")', "pass"))
    with pytest.raises(CommandError, match="--read wandb hears"):
        Sweep(Command([sys.executable, str(script), "{lr}"]), SPACE, "val.loss").try_()


@pytest.mark.parametrize(
    ("text", "uses"),
    [("import wandb\n", True), ("  from wandb import init", True), ("# import wandb", False), ("import wandbx", False)],
)
def test_who_uses_wandb(tmp_path: Path, text: str, uses: bool) -> None:
    (tmp_path / "a.py").write_text(text)
    assert uses_wandb(["python", "a.py"], str(tmp_path)) is uses
    assert not uses_wandb(["python", "none.py"], str(tmp_path))
