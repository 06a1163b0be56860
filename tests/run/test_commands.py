"""Sweeps of programs: described on the command line or in a file, run, resumed, and gone on with."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from caviar import Command, Float, Result, Sweep
from caviar.cli.main import main
from caviar.errors import SpecError

from ..program_output import Output
from .conftest import Driver, Write

TRAIN = """
    import argparse

    parser = argparse.ArgumentParser()
    for name in ("--lr", "--units", "--seed"):
        parser.add_argument(name, type=float)
    parser.add_argument("--opt")
    args = parser.parse_args()
    for epoch in range(3):
        print(f"epoch {epoch}: val_loss={(args.lr - 0.1) ** 2 + 1 / (epoch + 1):.6f}")
"""
SPACE = ["--metric", "val_loss", "--space", "lr=log:1e-3..1", "--space", "units=8..64", "--space", "opt=adam,sgd"]
WORDS = ["--", sys.executable, "train.py", "{args}", "--seed={seed}"]


@pytest.fixture
def folder(write: Write, monkeypatch: pytest.MonkeyPatch):
    """A folder with a script, in which the test is."""
    path = write(TRAIN, "train.py").parent
    monkeypatch.chdir(path)
    return path


@pytest.fixture
def caviar_here(capsys, monkeypatch, store):
    """As `caviar`, with the store before `--`."""
    monkeypatch.delenv("CAVIAR_STORE", raising=False)

    def call(*args: object) -> Output:
        words = list(map(str, args))
        at = words.index("--") if "--" in words else len(words)
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([*words[:at], "--store", str(store), *words[at:]])
        out, err = capsys.readouterr()
        return Output(code=int(end.value.code or 0), out=out, err=err)

    return call


@pytest.mark.usefixtures("inline")
def test_a_script_as_it_is(caviar_here, folder, store):
    ran = caviar_here("run", *SPACE, "--trials", 4, "--json", *WORDS)
    assert ran.code == 0, ran.err
    best = json.loads(ran.out)
    assert (best["name"], best["metric"], best["mode"]) == ("train", "val_loss", "min")
    curves = Result(store).curves()
    assert curves.groupby("trial").step.agg(list).tolist() == [[0, 1, 2]] * 4
    config = best["trials"][0]["config"]
    assert isinstance(config["units"], int)
    assert best["trials"][0]["value"] == pytest.approx((config["lr"] - 0.1) ** 2 + 1 / 3, abs=1e-5)


@pytest.mark.usefixtures("inline")
def test_it_finds_the_variables_and_begins_in_the_folder_of_its_sweep(caviar_here, tmp_path, store):
    given = ["--metric", "m", "--space", "x=0..1", "--trials", 1, "--env", "P_PLAIN=7", "--workdir", tmp_path]
    ran = caviar_here("run", *given, "--", "sh", "-c", "echo $P_PLAIN $PWD; echo m={x}")
    assert ran.code == 0, ran.err
    assert f"7 {tmp_path}\n" in str(Result(store).sql("SELECT text FROM logs").fetchall()[0][0])


@pytest.mark.usefixtures("inline")
def test_resumed_from_another_folder_it_runs_where_it_began(caviar_here, folder, store, monkeypatch, tmp_path):
    assert caviar_here("run", *SPACE, "--trials", 2, "-q", *WORDS).code == 0
    monkeypatch.chdir(tmp_path)
    ran = caviar_here("resume", "--add", 2)
    assert ran.code == 0, ran.err
    assert "has changed" not in ran.err
    assert Result(store).trials().state.tolist() == ["COMPLETED"] * 4


@pytest.mark.usefixtures("inline")
def test_a_script_that_changed_is_told(caviar_here, folder):
    assert caviar_here("run", *SPACE, "--trials", 2, "-q", *WORDS).code == 0
    stale = json.loads(caviar_here("stale", "--json").out)
    assert [one["code"] for one in stale["winners"]] == ["same"]
    (folder / "train.py").write_text((folder / "train.py").read_text() + "\n# changed\n")
    ran = caviar_here("resume", "--add", 1)
    assert "train.py has changed since the sweep began" in ran.err
    stale = json.loads(caviar_here("stale", "--json").out)
    assert [one["code"] for one in stale["winners"]] == ["changed"]


@pytest.mark.usefixtures("inline")
def test_the_next_sweep_is_a_file_with_the_command(caviar_here, folder, store):
    assert caviar_here("run", *SPACE, "--trials", 16, "-q", *WORDS).code == 0
    ran = caviar_here("next", "-o", "next.py")
    assert ran.code == 0, ran.err
    assert "'train.py', '{args}', '--seed={seed}')" in (folder / "next.py").read_text()
    ran = caviar_here("run", "next.py", "--trials", 2, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["name"] == "train-next"


@pytest.mark.usefixtures("inline")
def test_a_file_may_hold_a_command(caviar_here, write, folder, store):
    write(
        """
        import sys

        from caviar import Command, Float, Sweep

        sweep = Sweep(Command([sys.executable, "train.py", "{args}"]), {"lr": Float(0.01, 1)}, "val_loss", trials=2)
        """,
        "exp.py",
    )
    ran = caviar_here("run", "exp.py", "--json")
    assert ran.code == 0, ran.err
    assert caviar_here("resume", "--add", 1).code == 0, "it can be resumed"
    assert json.loads(caviar_here("run", "exp.py", "--mode", "max", "--json").out)["mode"] == "max"


def test_trying_shows_what_is_read(caviar_here, folder):
    ran = caviar_here("run", *SPACE, "--try", "--json", *WORDS)
    assert ran.code == 0, ran.err
    assert [one["name"] for one in json.loads(ran.out)["metrics"]] == ["val_loss"]
    assert "epoch 0: val_loss=" in ran.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Name a FILE that holds a Sweep, or after -- a COMMAND that trains"),
        (["exp.py", "--", "python"], "A FILE or a COMMAND at a time, got exp.py and, after --, python"),
        (["exp.py", "--space", "x=0..1"], "--space describes a COMMAND, and exp.py says it by itself"),
        (["--space", "lr=0..1", *WORDS], "a sweep of a command needs --metric NAME"),
        (["--metric", "x", *WORDS], "a sweep of a command needs --space NAME=RANGE"),
        ([*SPACE, "--", "pyhton", "{args}"], "there is no program 'pyhton' on the PATH"),
        (
            [*SPACE, "--", "python", "train.py"],
            "would be the same for every trial: add {args}, which is --lr=… --units=…",
        ),
        ([*SPACE, "--", "python", "{args}", "{lrr}"], "the command has {lrr}, which is none of lr, units, opt, args"),
        ([*SPACE, "--", "python", "{args}", "--password", "hunter2x"], "looks like one: put it into an environment"),
        (["--metric", "x", "--space", "lr", *WORDS], "--space is NAME=RANGE"),
        (["--metric", "x", "--space", "lr=1..b", *WORDS], "a range is written as 1e-4..1"),
    ],
)
def test_what_a_command_line_lacks_is_told_before_anything_starts(caviar_here, folder, store, words, sentence):
    ran = caviar_here("run", *words)
    assert ran.code == 2
    assert sentence in ran.err
    assert not store.exists()


def test_in_python_too():
    with pytest.raises(SpecError, match=r"would be the same for every trial"):
        Sweep(Command("true"), {"lr": Float(0, 1)}, "loss")
    sweep = Sweep(Command("true {args}", folder="/"), {"lr": Float(0, 1)}, "loss")
    assert (sweep.plan.name, sweep.program.digest) == ("true", sweep.program.digest)
    elsewhere = Sweep(Command("true {args}", folder=os.getcwd()), {"lr": Float(0, 1)}, "loss")
    assert sweep.program.digest != elsewhere.program.digest


LONG = """
    import os, subprocess, time
    child = subprocess.Popen(["sleep", "1000"])
    open(f"{child.pid}.pid", "w").close()
    open(f"{os.getpid()}.pid", "w").close()
    print("val_loss=1", flush=True)
    while True: time.sleep(0.05)
"""


@pytest.mark.ray
def test_when_the_sweep_ends_so_do_its_programs_and_what_they_started(
    drive: Callable[..., Driver], write: Write, store: Path, folder: Path
) -> None:
    """Ray kills a process's children with it, and not theirs."""
    write(LONG, "long.py")
    source = f"""
        from caviar import Command, Float, Sweep

        sweep = Sweep(Command([{sys.executable!r}, "long.py", "{{args}}"]), {{"lr": Float(0, 1)}}, "val_loss", trials=2)
    """
    driver = drive(write(source), "-q")
    deadline = time.monotonic() + 120
    while not (list(store.glob("sweep=*")) and len(Result(store).curves())):
        assert driver.process.poll() is None, driver.process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    driver.signal(signal.SIGINT)
    assert driver.end().code == 130
    started = [int(one.stem) for one in folder.glob("*.pid")]
    assert started
    while any(map(psutil.pid_exists, started)):
        assert time.monotonic() < deadline + 20, "a program goes on, or what it started"
        time.sleep(0.1)
