"""The order of tests: quick ones, then the clone, which takes longest, those that share one Ray, and the browser's."""

import gc
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # before numpy is imported: its threads would wait for those of the others
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent / "s3"))

from fixtures import cloud, s3_server

from caviar.display.typed_commands import remember_store
from caviar.run import ray_cluster
from caviar.run.executors.ray_session import RaySession, connected
from caviar.spec import code_source

from .raylets import Raylets

__all__ = ["cloud", "s3_server"]

# No deadlines: how long an example takes is the machine's affair.
settings.register_profile("gate", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)  # --hypothesis-profile thorough


def pytest_configure(config: pytest.Config) -> None:
    """Settings that are read when libraries and tests are imported, and those that no child process is to inherit."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:  # background jobs, and those of nohup, are born deaf
            signal.signal(number, handler)
    for name in ("COLUMNS", "LINES"):
        if name not in os.environ:  # set all the same, behind Python's back, by readline, which pytest imports
            os.unsetenv(name)
    if config.getoption("--hypothesis-profile") is None:
        settings.load_profile("gate")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many as there are cores; when some wait, the tests that need Ray run beside them."""
    return os.cpu_count() or 1


def pytest_collection() -> None:
    """Two thousand tests and all that they import are no garbage: not to be looked at again and again."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Nor while they run."""
    gc.freeze()
    gc.enable()


def pytest_sessionfinish() -> None:
    """At the end they are."""
    gc.unfreeze()


MARK = re.compile(r"mark\.(ray|install)\b")


def check_marks(items: Sequence[pytest.Item]) -> None:
    """UsageError where a test needs Ray, or a clone, and its file does not say so as `./caviar` looks for it."""
    marked = (item.path for item in items if any(map(item.get_closest_marker, ("ray", "install"))))
    for path in dict.fromkeys(marked):
        if not MARK.search(path.read_text(encoding="utf-8")):
            raise pytest.UsageError(f"{path}: write pytest.mark.ray, or install, in it, or the gate leaves it out")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that need Ray behind the rest, before them those that make a clone, and leave the rest in order.

    At the very end come those in a browser: while it runs, its driver's event loop does, and no other could begin.
    """
    check_marks(items)
    items.sort(key=lambda item: [item.get_closest_marker(name) is not None for name in ("browser", "ray", "install")])


@pytest.fixture(autouse=True)
def _without_ray(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that is not marked `ray` starts none in its process: one that starts late, or dies, kills its driver."""
    if request.node.get_closest_marker("ray") is not None:
        yield
        return
    monkeypatch.setattr(ray_cluster, "start_early", lambda *_: None)
    before = connected()
    yield
    remember_store(None)  # what a verb was typed for is in the hints of all that follows
    assert connected() == before, "this test has started Ray, and is not marked so"


@pytest.fixture
def no_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that live in no file have no modules beside them: here these are all tests, which are read for seconds.

    That modules are found is tested in processes of their own, in tests/spec/test_user_modules.py.
    """
    monkeypatch.setattr(code_source, "_root", lambda _: None)


@pytest.fixture(scope="session")
def ray() -> Iterator[RaySession]:
    """The one Ray of this test process: two CPUs, and two pretended GPUs. With CAVIAR_FORK=1 its workers are forked."""
    forked = ("", "") if os.environ.get("CAVIAR_FORK") == "1" else None
    with RaySession(cpus=2, gpus=2, forked=forked) as session:
        yield session


@pytest.fixture(scope="session")
def raylets() -> Iterator[Raylets]:
    """A cluster of four nodes with a CPU each, in a process of its own; who kills one puts another one in its place."""
    with Raylets(4) as cluster:
        yield cluster
