"""A fork server forks what is as a new process would be, refuses what would not, and lets nobody wait in vain."""

import json
import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from caviar.errors import ClusterError
from caviar.run.executors import fork_request, forked_workers
from caviar.run.executors.forked_workers import ForkServer
from caviar.run.executors.private_ray import all_servers, two_servers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")

ASKER = str(fork_request.__file__)
WORKER = """
import json, os, pathlib, random, signal, sys
import numpy
print(json.dumps({
    "pid": os.getpid(),
    "parent": os.getppid(),
    "words": sys.argv[1:],
    "main": [__name__, __file__],
    "path": sys.path,
    "folder": os.getcwd(),
    "variables": dict(os.environ),
    "group": os.getpgid(0),
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    "umask": os.umask(0),
    "children": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
    "kill": pathlib.Path("/proc/self/oom_score_adj").read_text().strip(),
    "stdin": sys.stdin.read(),
    "drawn": [random.random(), numpy.random.rand(), numpy.random.rand()],
    "library": getattr(sys.modules.get("a_library"), "drawn", None),
}))
"""


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    """What stands in Ray's worker's place."""
    file = tmp_path / "worker" / "worker.py"
    file.parent.mkdir()
    file.write_text(WORKER)
    return file


Make = Callable[[str], ForkServer]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes a fork server that imports a library with this source first; ends it."""
    made = []

    def build(library: str) -> ForkServer:
        folder = tmp_path / "site-packages"
        folder.mkdir()
        (folder / "a_library.py").write_text(library)
        monkeypatch.syspath_prepend(folder)
        made.append(ForkServer(("import a_library", str(tmp_path))))
        return made[-1]

    yield build
    for server in made:
        server.end()


def asked(server: ForkServer, worker: Path, *words: str, **others: Any) -> dict[str, Any]:
    """What a worker says of itself for which Ray would ask with these words."""
    command = [sys.executable, "-I", "-S", ASKER, server.address, worker, "--runtime-env-hash=0", *words]
    done = subprocess.run(
        command, **{"capture_output": True, "text": True, "input": "a line", "timeout": 60} | others, check=True
    )
    return dict(json.loads(done.stdout))  # which is open as long as the worker lives


def test_a_worker_has_what_its_asker_had_and_what_it_imports_draws_is_its_own(
    make: Make, worker: Path, tmp_path: Path
) -> None:
    server = make("import random\ndrawn = random.random()")
    address = Path(server.address)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (address, address.parent)] == [0o600, 0o700]
    assert b"a_library" not in Path(f"/proc/{server.number}/cmdline").read_bytes()  # which everybody may read

    def handed_down() -> None:
        os.umask(0o27)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

    given: dict[str, Any] = {"cwd": tmp_path, "preexec_fn": handed_down}
    given["env"] = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"} | {"MARK": "x y"}
    one, two = (asked(server, worker, "--a=b c", **given, process_group=0) for _ in range(2))
    assert asked(server, worker)["group"] == os.getpgid(0)

    assert one["parent"] == two["parent"] == server.number
    for found in (one, two):
        assert found["words"] == ["--runtime-env-hash=0", "--a=b c"]
        assert found["main"] == ["__main__", str(worker)]
        assert str(worker.parent) in found["path"]
        assert (found["folder"], found["umask"], found["blocked"]) == (str(tmp_path), 0o27, [signal.SIGHUP])
        assert found["variables"] == dict(given["env"])
        assert (found["group"], found["stdin"], found["kill"]) == (found["pid"], "a line", "1000")
        assert found["children"]  # are waited for as ever
    assert one["library"] == two["library"] is not None  # it is the same process that imported it
    assert len({*one["drawn"], *two["drawn"]}) == 6


def test_who_wants_another_kind_of_process_or_is_not_answered_begins_one(
    make: Make, worker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make("drawn = 1")
    assert asked(server, worker)["parent"] == server.number
    for word in ("--worker-type=SPILL_WORKER", "--runtime-env-hash=7"):
        assert asked(server, worker, word)["parent"] == os.getpid()
    assert asked(server, worker, env=os.environ | {"RAY_JOB_ID": "02000000"})["parent"] == os.getpid()

    monkeypatch.setattr(fork_request, "PATIENCE_S", 0.2)
    os.kill(server.number, signal.SIGSTOP)
    assert not fork_request.forked(server.address, [str(worker), "--runtime-env-hash=0"])
    os.kill(server.number, signal.SIGCONT)
    assert asked(server, worker)["parent"] == server.number  # and nobody was forked for who gave it up
    assert psutil.wait_procs(psutil.Process(server.number).children(), timeout=20)[1] == []

    os.kill(server.number, signal.SIGKILL)
    assert asked(server, worker)["parent"] == os.getpid()


@pytest.mark.parametrize(
    ("library", "why"),
    [
        ("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()", "run threads"),
        ("import contextvars\nmine = contextvars.ContextVar('mine')\nmine.set(1)", "have set mine of their thread"),
        ("import mmap\nheld = mmap.mmap((file := open({cuda!r}, 'rb')).fileno(), 0, prot=1)", "CUDA's driver"),
        ("import numpy, threadpoolctl\nthreadpoolctl.threadpool_limits(2)", "threads"),
        ("raise SystemExit", "'import a_library' raised SystemExit"),
    ],
    ids=["threads", "context", "CUDA", "BLAS", "error"],
)
def test_nothing_is_forked_from_a_process_that_is_not_as_a_new_one(
    make: Make, worker: Path, tmp_path: Path, library: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "libcuda.so.1").write_text("no driver")
    server = make(library.format(cuda=str(tmp_path / "libcuda.so.1")))

    assert asked(server, worker)["parent"] == os.getpid()
    with caplog.at_level(logging.INFO):
        server.end()
    (told,) = caplog.messages
    assert told.startswith("workers start as ever, not by fork: ")
    assert why in told


@pytest.mark.parametrize("lack", ["Linux", "two servers", "_site_flags", "a folder"])
def test_what_it_needs_and_lacks_is_told_in_one_line(
    lack: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_folder() -> str:
        raise ClusterError("there is no folder")

    ended = []
    services = SimpleNamespace() if lack == "_site_flags" else SimpleNamespace(_site_flags=list)
    ray = SimpleNamespace(_private=SimpleNamespace(services=services))
    started = SimpleNamespace(process=os.getpid(), address="", end=lambda: ended.append(1))
    monkeypatch.setattr(forked_workers, "ForkServer", lambda _: started)
    if lack == "Linux":
        monkeypatch.setattr(sys, "platform", "darwin")
    if lack == "a folder":
        monkeypatch.setattr(forked_workers, "ForkServer", lambda _: no_folder())
    with caplog.at_level(logging.INFO):
        forked_workers.begin(("", ""))
        with forked_workers.asked_for_workers(ray, all_servers if lack == "two servers" else two_servers):
            flags = getattr(services, "_site_flags", list)()
        forked_workers.end()

    assert flags == []
    (told,) = caplog.messages
    assert told.startswith("workers start as ever, not by fork: ")
    assert len(ended) == (lack in ("two servers", "_site_flags"))
