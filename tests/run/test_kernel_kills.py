"""Trials that the kernel really kills for want of memory: in a cgroup with a limit, where we may make one."""

import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.run.executors import process_deaths
from caviar.run.executors.ray_session import RaySession
from caviar_workers.oom_count import oom_count

from .conftest import Driver, Write

pytestmark = pytest.mark.ray

MIB = 2**20
LIMIT = {"memory.oom_control": "memory.limit_in_bytes", "memory.events": "memory.max"}
"""Beside each count, what sets the limit: in the first version of cgroups, and in the second."""
EXPERIMENT = """
    import os
    import signal
    import time
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial, cgroup="", folder=""):
        trial.report(0, loss=config["lr"])
        time.sleep(0.7)  # so that each has a lease to itself
        procs, eaten, killed = Path(cgroup, "cgroup.procs"), Path(folder, "eaten"), Path(folder, "killed")
        if str(os.getpid()) not in procs.read_text().split():
            procs.write_text(str(os.getpid()))  # the next lease here finds its count there
        elif not eaten.exists():
            eaten.touch()
            hoard = [bytearray(b"x") * 2**20 for _ in range(1000)]
        elif not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)


    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=4, concurrency=1)
"""


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A cgroup within our own that may hold 400 MiB, with the counts that go with it."""
    own = Path(oom_count("here").file)
    path = own.parent / f"caviar-{os.getpid()}"
    try:
        path.mkdir()
        (path / LIMIT[own.name]).write_text(str(400 * MIB))
    except (OSError, KeyError) as error:
        if path.is_dir():
            path.rmdir()
        pytest.skip(f"cannot limit the memory of a cgroup here: {error}")
    yield path
    for pid in (path / "cgroup.procs").read_text().split():
        (own.parent / "cgroup.procs").write_text(pid)
    path.rmdir()


def test_a_kill_by_the_kernel_is_out_of_memory_and_another_is_not(
    ray: RaySession, write: Write, store: Path, cgroup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_deaths, "ANSWER_S", math.inf)  # a busy machine answers late
    sweep = load(str(write(EXPERIMENT))).override({"train.cgroup": str(cgroup), "train.folder": str(tmp_path)})
    result = sweep.run(store=store, progress=SilentProgress(sys.stderr))

    lost = "SELECT kind, error LIKE '%its kernel killed%' FROM attempts WHERE state = 'LOST' ORDER BY ended"
    assert result.sql(lost).fetchall() == [("oom", True), ("lost", False)]
    assert result.sql("SELECT state, count(*), sum(attempts) FROM trials GROUP BY 1").fetchall() == [
        ("COMPLETED", 4, 6)
    ]


@pytest.mark.nightly
def test_who_is_killed_again_when_alone_has_failed(
    drive: Callable[..., Driver], write: Write, store: Path, cgroup: Path
) -> None:
    (cgroup / LIMIT[oom_count("here").file.rpartition("/")[2]]).write_text(str(3000 * MIB))
    source = """
        from caviar import Float, Sweep


        def train(config, trial):
            trial.report(0, loss=config["lr"])
            if trial.number == 1:
                hoard = [bytearray(b"x") * 2**20 for _ in range(4000)]


        sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=8)
    """
    inside = f"open('{cgroup}/cgroup.procs', 'w').write(str(os.getpid()))"
    first = f"import os; os.environ['RAY_memory_monitor_refresh_ms'] = '0'; {inside}"
    output = drive(write(source), own=True, first=first).end(120)

    assert output.code == 0, output.err
    result = Result(store)
    states = "SELECT state, kind, count(*), max(attempts) FROM trials GROUP BY ALL ORDER BY 1"
    assert result.sql(states).fetchall() == [("COMPLETED", None, 7, 1), ("FAILED", "oom", 1, 2)]
