"""A trial that this machine has no room for is refused before Ray is started."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.run.conftest import Caviar, Write

from caviar.run.executors.cluster_room import lack
from caviar.run.executors.executor import Event
from caviar.run.executors.inline import InlineExecutor

from . import inline_driver

FILE = """
from caviar import Float, Sweep
def train(config, trial):
    return config["x"]
sweep = Sweep(train, space={"x": Float(0, 1)}, metric="value", trials=2)
"""


@pytest.mark.parametrize(
    "options", [["--cpus", "4096"], pytest.param(["--gpus", "2000000"], marks=pytest.mark.nightly)]
)
def test_it_is_refused_at_once(tmp_path: Path, options: list[str]) -> None:
    file = tmp_path / "x.py"
    file.write_text(FILE)
    command = [sys.executable, "-m", "caviar.cli.main", "run", str(file), *options, "--store", str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert "starting Ray" not in done.stderr
    assert "caviar: a trial needs " in done.stderr
    assert done.stderr.endswith("lower --cpus or --gpus, or join a cluster\n")
    assert not list((tmp_path / "store").glob("sweep=*"))


LACK = lack({"CPU": 8.0, "GPU": 0.0}, [{"CPU": 2.0}], "cluster")


class NoRoom(InlineExecutor):
    """Takes leases and begins none, as a cluster that is too small."""

    def slots(self) -> int:
        return 0

    def lack(self) -> str:
        return LACK

    def poll(self, timeout: float) -> list[Event]:
        if not self._killed:
            time.sleep(min(timeout, 0.05))
            return []
        return super().poll(timeout)


def test_what_waited_for_room_until_the_sweep_ended_is_pending_in_all_that_is_shown(
    caviar: Caviar, write: Write, inline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(FILE)
    with monkeypatch.context() as small:
        small.setattr(inline_driver, "InlineExecutor", NoRoom)
        ran = caviar("run", file, "--time-limit", 1)

    assert ran.code == 3
    assert LACK == "a trial needs 8 CPU, but this cluster has 2 CPU"
    assert f"waiting for room, nothing runs: {LACK}\n" in ran.err
    assert f"all that was reported is saved; {LACK}; go on with" in ran.err
    assert f"\nno room   {LACK}\n" in caviar("status").out

    def told(*words: object) -> Any:
        return json.loads(caviar(*words, "--json").out)

    assert told("status")["counts"]["PENDING"] == 2
    shown = told("show", 0)
    assert (shown["state"], shown["started"], shown["ended"], shown["attempts"]) == ("PENDING", None, None, [])
    assert told("ls")["sweeps"][0]["took_s"] is None
    assert told("query", "SELECT count(*) n FROM attempts") == [{"n": 0}]
    states = "SELECT state, attempts, started IS NULL AS never FROM trials"
    assert told("query", states) == [{"state": "PENDING", "attempts": 0, "never": True}] * 2

    assert caviar("resume").code == 0  # there is room now
    assert told("status")["lack"] is None
    assert told("query", states) == [{"state": "COMPLETED", "attempts": 1, "never": False}] * 2
