"""Stdout is for data: what users' code prints in the driver goes elsewhere."""

import json
import subprocess
import sys

import pytest

NOISY = """
    import os

    from caviar import Float, Sweep

    LOUD = os.environ.get("LOUD") == "1"


    def noise(where):
        if LOUD:
            print(f"<{where}>")
            os.write(1, f"<{where} raw>\\n".encode())
            os.system(f"echo '<{where} child>'")


    noise("top")


    def train(config, trial):
        noise("train")
        return config["x"]


    def constraint(config):
        noise("constraint")
        return True


    def final(config, trial):
        noise("final")
        return {"test": 1.0}


    sweep = Sweep(train, {"x": Float(0, 1)}, "loss", trials=5, final=final, constraint=constraint)
"""
PROGRAM = """
import contextlib, sys
import caviar.run.driver as drive, caviar.run.resume as resume
from caviar.run.executors.inline import InlineExecutor

@contextlib.contextmanager
def session(*_):
    yield

@contextlib.contextmanager
def executor_of(plan, program, progress):
    executor = InlineExecutor(program)
    yield executor
    executor.close()

for room in (drive, resume):
    room.session, room.executor_of = session, executor_of
from caviar.cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Runs the program as a process of its own, without Ray; gives its stdout and its stderr."""
    monkeypatch.setenv("LOUD", "1")

    def run(*words):
        command = [sys.executable, "-c", PROGRAM, *map(str, words), "--store", str(tmp_path / "store")]
        got = subprocess.run(command, capture_output=True, text=True, check=False)
        assert got.returncode == 0, got.stderr
        return got.stdout, got.stderr

    return run


RUN, RESUME = ("run", "experiment.py", "-q"), ("resume", "-q", "--add", 1)


@pytest.mark.nightly
@pytest.mark.parametrize(
    "verbs",
    [
        (RUN, RESUME),
        pytest.param((("run", "experiment.py", "--dry-run"), RUN, RESUME, ("zoom", "-q")), marks=pytest.mark.nightly),
    ],
)
def test_json_is_all_that_is_on_stdout(call, write, verbs):
    file = write(NOISY)
    for verb in verbs:
        words = [file if word == "experiment.py" else word for word in verb]
        out, err = call(*words, "--json")
        assert isinstance(json.loads(out), dict), words
        for place in ("constraint",) if words[0] != "run" else ("top", "constraint"):
            for how in ("", " raw", " child"):
                assert f"<{place}{how}>" in err, (words, place, how)
    out, _ = call("run", file, "-q")
    assert "<" not in out
    assert out.splitlines()[0].startswith("experiment (")
