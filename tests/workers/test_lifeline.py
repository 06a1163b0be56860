"""A worker that hangs on the driver's pipe ends with it, whatever it does; one that has a lease lives on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from caviar_workers import lifeline

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel kills nobody for it")

SAYS = """
import json, sys
print(json.dumps([__name__, __file__, sys.argv, sys.path[0]]), flush=True)
"""
BUSY = "while True: sum(range(10**9))"  # in C: it hears no signal that Python handles
LETS_GO = "from caviar_workers.lifeline import let_go\nlet_go()\nprint('gone', flush=True)\nsys.stdin.read()"
LEASE = """
from caviar.run.engine.leases import demand_of
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers.messages import Lease
from caviar_workers.process import enter
plan = Plan(name="s", metric="loss", mode="min", trials=1, seed=0, space=Space({"lr": Float(0.1, 1.0)}))
enter(Lease(
    id=0, sweep="s", metric="loss", trials=(0,), attempts=(0,), seeds=(1,), configs={}, demand=demand_of(plan)
))
print('gone', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "alive"
    os.mkfifo(path)
    return path


def begin(tmp_path: Path, pipe: Path, then: str) -> subprocess.Popen[str]:
    """A worker that hangs on the pipe."""
    worker = tmp_path / "worker" / "worker.py"
    worker.parent.mkdir()
    worker.write_text(SAYS + then)
    command = [sys.executable, lifeline.__file__, pipe, worker, "--an=argument"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_it_is_the_worker_and_is_killed_when_the_driver_is_gone(tmp_path: Path, pipe: Path) -> None:
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    with begin(tmp_path, pipe, BUSY) as worker:
        assert worker.stdout is not None
        file = str(tmp_path / "worker" / "worker.py")
        assert json.loads(worker.stdout.readline()) == [
            "__main__",
            file,
            [file, "--an=argument"],
            os.path.dirname(file),
        ]
        assert worker.poll() is None
        os.close(held)
        assert worker.wait(timeout=5) == -signal.SIGKILL


@pytest.mark.parametrize("gone", ["the driver", "the folder"])
def test_who_comes_too_late_ends_before_it_has_begun(tmp_path: Path, pipe: Path, gone: str) -> None:
    if gone == "the folder":
        pipe.unlink()
    with begin(tmp_path, pipe, BUSY) as worker:
        assert worker.communicate(timeout=120) == ("", None)
        assert worker.returncode == 0


@pytest.mark.parametrize("then", [LETS_GO, LEASE], ids=["let go", "a lease"])
def test_who_has_let_go_lives_on(tmp_path: Path, pipe: Path, then: str) -> None:
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    with begin(tmp_path, pipe, then) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline()
        assert worker.stdout.readline() == "gone\n"
        os.close(held)
        assert worker.communicate(timeout=120) == ("", None)
        assert worker.returncode == 0
