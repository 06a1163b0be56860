"""Kill -9 of whatever takes part in a sweep on a Ray of its own: nothing acknowledged is lost, and nothing runs on."""

import ctypes
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from .auditor import Auditor
from .test_killing import Driver, check_whole, scene

LINUX = "only Linux lets a process adopt its orphans (PR_SET_CHILD_SUBREAPER), and none may get out of sight"
pytestmark = [pytest.mark.ray, pytest.mark.skipif(sys.platform != "linux", reason=LINUX)]

WITHIN_S = 5
"""Seconds until all have ended."""
ENDS_S = 60
"""Seconds until a driver whose Ray is dead has ended, or goes on with another one; it saves what it was told."""
GETS_ON_S = 150
"""Seconds until a sweep has another row, also on a machine that does much else."""
LARGE = ("raylet", "gcs_server", "driver")
"""With them all the others have to end."""
PATIENT = 0.75
"""How often the next one is killed only after another row was published."""
MANY = 4
"""Rows that may be published after a death, for they were told before."""


def named(process: psutil.Process) -> str:
    """Which part of a sweep a process is."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return ""
    names = {"fork_server.py": "server", "raylet": "raylet", "gcs_server": "gcs_server"}
    names |= {"fork_request.py": "worker", "default_worker.py": "worker"}
    found = next((name for name in (names.get(os.path.basename(word)) for word in words[:6]) if name), "")
    return found or ("worker" if words and words[0].startswith("ray::") else "")


def forked(worker: psutil.Process) -> bool:
    """Whether a worker comes from a fork server that lives."""
    parent = worker.parent()
    return parent is not None and named(parent) == "server"


def left(processes: Iterable[psutil.Process], timeout: float) -> list[str]:
    """Those that live on after that time."""
    _, alive = psutil.wait_procs(list(processes), timeout=timeout)
    return [repr(one) for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def adopting() -> Iterator[None]:
    """Whoever loses its parent is adopted by this process: nobody can get out of sight."""
    set_subreaper = 36
    ctypes.CDLL(None).prctl(set_subreaper, 1, 0, 0, 0)
    yield
    ctypes.CDLL(None).prctl(set_subreaper, 0, 0, 0, 0)


class Family:
    """A driver and all that it has started."""

    def __init__(self, start: Callable[[], Driver]) -> None:
        self._others = set(psutil.Process().children())
        self.driver = start()
        self.forked = 0
        self._bereft: subprocess.Popen[bytes] | None = None
        """A driver whose fork server was killed: its workers begin as ever from then on."""
        self.killed: Counter[str] = Counter()

    def members(self) -> list[psutil.Process]:
        """Those that live, whoever their parents are by now."""
        ours = [one for one in psutil.Process().children() if one not in self._others]
        found = [*ours]
        for parent in ours:
            with suppress(psutil.NoSuchProcess):
                found += parent.children(recursive=True)
        return found

    def one_of(self, name: str) -> psutil.Process:
        """One of this name, as soon as there is one; a driver that has ended meanwhile is followed by another one."""
        deadline = time.monotonic() + GETS_ON_S
        while True:
            driver = psutil.Process(self.driver.process.pid)
            if found := [driver] if name == "driver" else [one for one in self.members() if named(one) == name]:
                return found[-1]
            assert time.monotonic() < deadline, f"there is no {name}"
            if self.driver.process.poll() is not None:
                self.driver.again()
            time.sleep(0.05)

    def kill(self, name: str, rows: Callable[[], int]) -> None:
        """Kill one; of who is needed, all others have to end soon, too.

        Args:
            name: Of whom, as `named` says; a worker, where there is no server any more.
            rows: Counts those that are published.
        """
        name = "worker" if name == "server" and self._bereft is self.driver.process else name
        victim, family = self.one_of(name), self.members()
        self.forked += sum(forked(one) for one in family if named(one) == "worker")
        before = rows()
        victim.kill()
        self.killed[name] += 1
        if name == "server":
            self._bereft = self.driver.process
        if name not in LARGE:
            return
        deadline = time.monotonic() + ENDS_S
        while self.driver.process.poll() is None and rows() <= before + MANY:
            assert time.monotonic() < deadline, f"the driver outlives its {name}"
            time.sleep(0.1)
        if self.driver.process.poll() is None:  # its Ray was just beginning, and it has begun another one
            family = [one for one in family if one.pid != self.driver.process.pid]
        else:
            family += self.members()  # and those who were being born
        assert left(family, WITHIN_S) == []
        if self.driver.process.poll() is not None:
            self.driver.again()


@pytest.mark.nightly
@pytest.mark.usefixtures("adopting")
@pytest.mark.parametrize("fork", [True, False], ids=["forked", "begun"])
@pytest.mark.parametrize(
    "victims",
    [
        pytest.param(["worker", "server", "driver"], marks=pytest.mark.timeout(300)),
        pytest.param(["raylet", "worker", "gcs_server"], marks=pytest.mark.timeout(300)),
        pytest.param(60, marks=pytest.mark.timeout(1200)),
    ],
    ids=["each", "Ray", "at random"],
)
def test_nothing_acknowledged_is_lost_and_nothing_runs_on(
    tmp_path: Path, victims: int | list[str], fork: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAVIAR_FORK", str(int(fork)))
    monkeypatch.delenv("CAVIAR_RAY", raising=False)
    experiment, store, auditor, seed = scene(tmp_path)
    chance = random.Random(seed)
    if isinstance(victims, int):
        victims = chance.choices([*LARGE, "worker", "server"], [1, 1, 1, 8, 3], k=victims)
    victims = [one for one in victims if fork or one != "server"]
    family = Family(lambda: Driver(experiment, store, None))
    try:
        for victim in victims:
            if chance.random() < PATIENT:  # else while it begins, or as soon as there is one
                wait_for_rows(auditor, family.driver)
            family.kill(victim, auditor.look)
        experiment.with_name("hurry").touch()
        code = family.driver.process.wait(timeout=GETS_ON_S)
        auditor.look()
    finally:
        family.driver.process.kill()
        family.driver.process.wait()
        print((tmp_path / "driver.log").read_text()[-5000:], family.killed, family.forked, len(auditor.seen))

    assert code == 0
    assert family.killed.total() == len(victims)
    assert (family.forked > 0) is fork
    check_whole(auditor, store)


def wait_for_rows(auditor: Auditor, driver: Driver) -> None:
    """Wait until another row is published; whoever has died in between goes on."""
    before, deadline = len(auditor.seen), time.monotonic() + GETS_ON_S
    while auditor.look() <= before:
        assert time.monotonic() < deadline
        if driver.process.poll() is not None:
            driver.again()
        time.sleep(0.1)
