"""Bad input: one clear sentence, the right exit code, no half-made sweep; what had been recorded stays readable."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from caviar import Result
from caviar.run.executors.ray_session import RaySession

from .conftest import Caviar, Driver, Output, Write

pytestmark = pytest.mark.ray

HEAD = """
from caviar import Float, Sweep

SPACE = {"lr": Float(0.1, 1.0)}
"""
SWEEP = 'sweep = Sweep(train, space=SPACE, metric="loss", trials=4)\n'


def made(store: Path) -> list[str]:
    """What lies in the store, half-made or whole."""
    return sorted(path.name for path in store.iterdir() if path.name != "FORMAT") if store.is_dir() else []


def told(output: Output, code: int, *words: str) -> None:
    """One sentence on stderr, with these words; nothing on stdout."""
    assert (output.code, len(output.told)) == (code, 1), output.err
    assert "Traceback" not in output.err
    assert output.out == ""
    assert [word for word in words if word not in output.told[0]] == [], output.told[0]


WRONG_FILES = {
    "no sweep": ("def train(config, trial): ...\n", ["holds no Sweep", "sweep = Sweep("]),
    "two sweeps": (
        "def train(config, trial): ...\n" + SWEEP + SWEEP.replace("sweep", "other", 1),
        ["2 sweeps", "sweep, other", ".py:sweep"],
    ),
    "raises at import": ("def train(config, trial): ...\n1 / 0\n", ["raised ZeroDivisionError at import (line 7)"]),
    "exits at import": ("raise SystemExit(0)\n", ["SystemExit"]),
    "a syntax error": ("def train(:\n", ["not valid Python (line 6)"]),
    "runs at import": (
        "def train(config, trial): ...\n" + SWEEP + "sweep.run()\n",
        ["__main__"],
    ),
    "train takes one argument": (
        "def train(config): ...\n" + SWEEP,
        ["(line 7): train is called as train(config, trial", "it is train(config), in line 6 of "],
    ),
    "train takes one argument, bound": (
        "from functools import partial\ndef t(cfg, n=1): ...\ntrain = partial(t, n=2)\n" + SWEEP,
        ["(line 9): train is called", "it is t(cfg, n), in line 7 of "],
    ),
    "a wrong bound": (
        'def train(config, trial): ...\nsweep = Sweep(train, space={"lr": Float(0, 1, scale="log")}, metric="loss")\n',
        ["(line 7): ", "log", "0"],
    ),
    "names that collide": (
        'def train(config, trial): ...\nsweep = Sweep(train, space={"a": Float(0, 1), "A": Float(0, 1)}, metric="l")\n',
        ["(line 7): ", "case"],
    ),
    "no callable": ('sweep = Sweep("train", space=SPACE, metric="loss")\n', ["(line 6): train is a function"]),
    "a wrong bound in a function": (
        "def bounds():\n    return Float(1, 0)\nx = [bounds()]\n",
        ["(line 7): Float needs low < high, got low=1.0 and high=0.0"],
    ),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_file(caviar: Caviar, write: Write, store: Path, case: str) -> None:
    source, words = WRONG_FILES[case]
    path = write("")
    path.write_text(HEAD + "\n" + source)  # six lines, then the seventh

    told(caviar("run", path), 2, *words)
    assert made(store) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "train.epoch=5"], ["epoch", "did you mean 'epochs'"]),
        (["--set", "space.lr.hihg=1"], ["hihg", "did you mean 'high'"]),
        (["--set", "trails=3"], ["did you mean 'trials'"]),
        (["--set", "trials=three"], ["trials is a whole number", "'three'"]),
        (["--set", "train.epochs=NaN"], ["train.epochs is a number (3)", "'NaN'"]),
        (["--set", "train.api_key=1"], ["secrets"]),
        (["--gpus", "64"], ["64 GPU", "lower --cpus or --gpus"]),
        (["--cpus", "1.5"], ["cpus", "1.5"]),
    ],
)
def test_wrong_options(
    ray: RaySession, caviar: Caviar, write: Write, store: Path, options: list[str], words: list[str]
) -> None:
    path = write("")
    path.write_text(HEAD + "def train(config, trial, epochs=3, api_key=None): ...\n" + SWEEP)

    told(caviar("run", path, *options), 2, *words)
    assert made(store) == []


def test_a_file_that_is_not_there(caviar: Caviar, tmp_path: Path, store: Path) -> None:
    told(caviar("run", tmp_path / "none.py"), 2, "there is no experiment", "none.py")
    told(caviar("run", tmp_path), 2, "is a folder: give a Python file")
    for folder in (".", "/", "..", ".:sweep"):
        told(caviar("run", folder), 2, "is a folder: give a Python file")
    for name in ("", "/dev/null", "a" * 5000):
        told(caviar("run", name), 2, "give a Python file")
    assert made(store) == []


FAILING = {
    "raises at step 0": ("raise KeyError('w')", 3, ["KeyError: 'w'", "caviar show"], 0),
    "raises at step 7": (
        "for step in range(20):\n        trial.report(step, loss=1 / (7 - step))",
        3,
        ["ZeroDivisionError", "caviar show"],
        7,
    ),
    "never reports": ("pass", 2, ["'loss' was never reported", "trial.report(step, loss=…)"], 0),
    "reports under another name": (
        "for step in range(3): trial.report(step, los=1.0)",
        2,
        ["'loss' was never reported", "did you mean metric='los'?"],
        3,
    ),
    "reports a string": ("trial.report(0, loss=1.0); trial.report(1, loss='1.0')", 3, ["loss='1.0' (str)"], 1),
    "reports a dict": ("trial.report(0, loss=1.0); trial.report(1, loss={'a': 1})", 3, ["loss={'a': 1} (dict)"], 1),
    "reports a million metrics": (
        "trial.report(0, loss=1.0); trial.report(1, loss=1.0, **dict.fromkeys(map('m{}'.format, range(10**6)), 1.0))",
        3,
        ["at most 1000 metrics", "1,000,001"],
        1,
    ),
    "reports an endless step": ("trial.report(0, loss=1.0); trial.report(2**63, loss=1.0)", 3, ["2^63"], 1),
    "goes back": ("trial.report(3, loss=1.0); trial.report(2, loss=1.0)", 3, ["steps never go back"], 1),
    "raises what is no UTF-8": ("trial.report(0, loss=1.0); raise OSError('\\udcff')", 3, ["OSError: \\udcff"], 1),
    "reports nan": ("trial.report(0, loss=float('nan'))", 3, ["no trial with a usable loss"], 1),
    "exits": ("trial.report(0, loss=1.0); raise SystemExit(0)", 3, ["SystemExit: 0"], 1),
    "is a coroutine": (
        "async def later(): ...\n    return later()",
        2,
        ["train is an async function, which nobody awaits"],
        0,
    ),
}


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("case", FAILING)
def test_a_train_function_that(ray: RaySession, caviar: Caviar, write: Write, store: Path, case: str) -> None:
    body, code, words, rows = FAILING[case]
    path = write("")
    path.write_text(HEAD + f"def train(config, trial):\n    {body}\n" + SWEEP)

    output = caviar("run", path, "--trials", 2)

    told(output, code, *words)
    result = Result(store)
    each = result.sql("SELECT count(*) FROM curves GROUP BY trial").fetchall()
    assert each[0] == (rows,) if rows else each == []  # a wrong metric may end the sweep before its second trial
    listed = caviar("ls", "--json")
    states = [sweep["state"] for sweep in json.loads(listed.out)["sweeps"]]
    assert (listed.code, states) == (0, ["failed" if case == "reports under another name" else "finished"])
    assert made(store) == [f"sweep={result.id}"]
    assert caviar("show", 0).code == 0


def test_a_name_is_a_label_and_never_a_path(ray: RaySession, caviar: Caviar, write: Write, store: Path) -> None:
    path = write("")
    path.write_text(HEAD + "def train(config, trial):\n    return 1.0\n" + SWEEP)
    name = "../../up/and away <b>"

    assert caviar("run", path, "--name", name, "--trials", 1).code == 0
    told(caviar("run", path, "--name", "two\nlines", "--trials", 1), 2, "in one line")
    assert made(store) == [f"sweep={Result(store).id}"]
    assert Result(store).sql("SELECT name FROM sweeps").fetchall() == [(name,)]
    assert caviar("best", name).code == 0
    told(caviar("best", "../../up"), 4, "../../up")


def test_a_store_that_is_a_file_or_full_of_other_things(caviar: Caviar, write: Write, tmp_path: Path) -> None:
    path = write("")
    path.write_text(HEAD + "def train(config, trial):\n    return 1.0\n" + SWEEP)
    file = tmp_path / "file"
    file.write_text("mine")

    told(caviar("run", path, at=file), 5, "is a file", "--store")
    told(caviar("run", path, at=path.parent), 5, "holds other files", "--store")
    told(caviar("run", path, at="ftp://bucket/x"), 2, "ftp://bucket/x")
    told(caviar("run", path, at="s3://key:word@bucket/x"), 2, "credentials")
    assert file.read_text() == "mine"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_an_unreachable_cluster(caviar: Caviar, write: Write, store: Path) -> None:
    path = write("")
    path.write_text(HEAD + "def train(config, trial):\n    return 1.0\n" + SWEEP)

    told(caviar("run", path, "--address", "ray://127.0.0.1:1"), 6, "Ray Client")
    assert made(store) == []


def test_a_disk_that_fills_up(drive: Callable[..., Driver], caviar: Caviar, write: Write, store: Path) -> None:
    """Files of 200 kB at most stand for a full disk: the same error comes from the same call."""
    path = write("")
    path.write_text(
        HEAD
        + """
import random, time
from pathlib import Path


def train(config, trial):
    while trial.number >= 4 and not Path(__file__).with_name("recorded").exists():
        time.sleep(0.05)
    for step in range(10 if trial.number < 4 else 100_000):
        trial.report(step, loss=random.random(), noise=random.random())


sweep = Sweep(train, space=SPACE, metric="loss", trials=400)
"""
    )

    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))"
    driver = drive(path, first=limit)
    driver.wait_for(4)
    path.with_name("recorded").touch()
    output = driver.end()

    told(output, 5, "the disk is full", "caviar resume")
    result = Result(store)
    assert result.sql("SELECT count(*) FROM trials WHERE state = 'COMPLETED'").fetchall() == [(4,)]
    assert result.sql("SELECT DISTINCT count(*) FROM curves WHERE trial < 4 GROUP BY trial").fetchall() == [(10,)]
    assert result.sql("SELECT state FROM sweeps").fetchall() == [("interrupted",)]
    assert caviar("best").code == 0
