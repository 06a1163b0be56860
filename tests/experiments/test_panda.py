"""experiments/panda.py, five short days: what it leaves in the store, and that it can be killed anywhere."""

import contextlib
import importlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

from caviar import Result

from ..run.conftest import inline
from .conftest import EXPERIMENTS

__all__ = ["inline"]

DAY = 4
CUBS = [2**30, 2**30 + 1]
KILLS = 8


@pytest.fixture
def panda(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(EXPERIMENTS)
    yield importlib.import_module("panda")
    for name in ("panda", "digits"):
        sys.modules.pop(name, None)


def left(result: Result) -> tuple[list[Any], list[Any]]:
    """The living curves, and what was decided, but for when and by whom."""
    rows = result.sql("SELECT trial, step, train_loss, val_loss, val_error, lr FROM curves ORDER BY trial, step")
    decided = result.sql("SELECT trial, action, numbers FROM decisions WHERE action <> 'stop' ORDER BY n").fetchall()
    facts = [(trial, action, told_of(json.loads(numbers))) for trial, action, numbers in decided]
    return rows.fetchall(), [one for one in facts if one[1] in ("edit", "rollback", "fork")]


def told_of(numbers: dict[str, Any]) -> dict[str, Any]:
    return {name: numbers[name] for name in ("set", "old", "at_step", "over", "why", "skip_data") if name in numbers}


@pytest.mark.usefixtures("inline")
def test_five_days_and_once_more(panda: ModuleType, tmp_path: Path) -> None:
    result = panda.play(tmp_path / "store", DAY)

    sql = "SELECT trial, count(*), min(step), max(step) FROM curves GROUP BY trial ORDER BY trial"
    rows = result.sql(sql).fetchall()
    assert rows == [(0, 20, 0, 19), *((cub, 8, 12, 19) for cub in CUBS)]
    rates = dict(result.sql("SELECT step, lr FROM curves WHERE trial = 0").fetchall())
    assert [rates[step] for step in (0, 5, 6, 7)] == [0.1, 0.1, 0.05, 0.05]
    assert 0.05 > rates[8] > rates[9] == 0.01
    assert {rates[step] for step in range(12, 20)} == {0.005}
    dead = result.sql("SELECT max(val_loss), max(step) FROM branches WHERE NOT _living AND _branch = 1").fetchall()[0]
    assert not dead[0] < panda.DIVERGED, "it diverged"
    assert dead[1] < 19
    assert [entry.text for entry in result.diary(0).entries][:6] == [
        *(panda.LOOK, panda.HALF, panda.DOWN, panda.CALM, panda.BOLD, panda.BACK)
    ]
    first = left(result)
    again = result.replay(0)
    assert (again.equal, again.rows, again.differs) == (True, 20, {})
    for cub in CUBS[:1]:
        again = result.replay(cub)
        assert (again.equal, again.rows, again.differs) == (True, 20, {}), "its mother's part, and its own"
    assert left(panda.play(tmp_path / "store", DAY)) == first, "played again, nothing is done twice"


@pytest.mark.nightly
@pytest.mark.ray
@pytest.mark.timeout(900)
def test_killed_again_and_again_it_comes_to_the_same(panda: ModuleType, tmp_path: Path) -> None:
    day, rng = 64, random.Random(os.environ.get("CAVIAR_CHAOS_SEED", "1"))
    calm = subprocess.run(command(tmp_path / "calm", day), check=False, timeout=300, capture_output=True, text=True)
    assert "the same, bit for bit" in calm.stdout, calm.stderr
    trained = []
    for patience in (*(rng.uniform(6, 20) for _ in range(KILLS)), 400):
        player = subprocess.Popen(
            command(tmp_path / "store", day),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        try:
            said, _ = player.communicate(timeout=patience)
            break
        except subprocess.TimeoutExpired:
            trained.append(pull_the_plug(player, rng))
    assert player.returncode == 0, said
    assert any(trained), "nobody was killed while a trial trained"
    assert "the same, bit for bit" in said
    assert left(Result(tmp_path / "store")) == left(Result(tmp_path / "calm"))


def trains(process: psutil.Process) -> bool:
    """Whether it runs a trial: then it is named after a sweep and its first trial."""
    with contextlib.suppress(psutil.Error, IndexError):
        return re.match(r"ray::\S+/\d+$", process.cmdline()[0]) is not None
    return False


def pull_the_plug(player: subprocess.Popen[str], rng: random.Random) -> bool:
    """Kill the driver, and perhaps the trial's process a moment before; and then what they leave of Ray.

    Returns:
        Whether there was a trial's process.
    """
    children = psutil.Process(player.pid).children(recursive=True)
    workers = [one for one in children if trains(one)]
    if workers and rng.random() < 0.6:
        rng.choice(workers).kill()
        time.sleep(rng.uniform(0, 1.5))
    os.killpg(player.pid, signal.SIGKILL)
    for one in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    player.communicate()
    return bool(workers)


def command(store: Path, day: int) -> list[str]:
    return [sys.executable, str(EXPERIMENTS / "panda.py"), "--store", str(store), "--day", str(day)]
