"""Two drivers of one sweep: whatever the other one does between two steps of ours, nothing runs twice."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.errors import StoreError
from caviar.results.next_sweep import zoom_into, zoom_plan
from caviar.run import driver, resume
from caviar.run.driver import hold_parent, run_child
from caviar.run.resume import resume_sweep
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, Views, Writer
from caviar.store.check import check
from caviar.store.disk import PosixDisk
from caviar.store.ownership import Ownership, own

from .conftest import Write

pytestmark = pytest.mark.usefixtures("inline")

EXPERIMENT = """
    from caviar import Float, Sweep


    def train(config, trial):
        if trial.number == 1 and trial.attempt == 0:
            raise OSError("no data")
        for step in range(2):
            trial.report(step, loss=config["x"] + step)


    sweep = Sweep(train, space={"x": Float(0.0, 1.0)}, metric="loss", trials=5, seed=3)
"""


class KilledError(Exception):
    """Stands for the death of a driver."""


@pytest.fixture
def finished(write: Write, store: Path) -> Path:
    """A store with a sweep of five trials that is finished; one trial failed."""
    load(str(write(EXPERIMENT))).run(store, progress=SilentProgress())
    return store


@pytest.fixture
def interrupted(write: Write, store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, whose driver died when three had ended."""
    with monkeypatch.context() as patch:
        real = Writer.add

        def add(self: Writer, table: str, data: Any) -> None:
            if table == "attempts" and 3 in data["trial"].to_pylist():
                self.flush()
                raise KilledError
            real(self, table, data)

        patch.setattr(Writer, "add", add)
        with pytest.raises(KilledError):
            load(str(write(EXPERIMENT))).run(store, progress=SilentProgress())
    return store


@pytest.fixture
def between_rounds(write: Write, store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with the first of two rounds; its driver died before it made the second."""
    write(EXPERIMENT.replace("trials=5", "rounds=[5, 4]"))
    with monkeypatch.context() as patch:
        patch.setattr(driver, "next_plan", lambda *_: (_ for _ in ()).throw(KilledError()))
        with pytest.raises(KilledError):
            load(str(write(EXPERIMENT.replace("trials=5", "rounds=[5, 4]")))).run(store, progress=SilentProgress())
    return store


def go_on(path: Path, **wishes: Any) -> None:
    opened = Store.open(path)
    resume_sweep(opened, opened.sweeps()[0], address=None, progress=SilentProgress(), **wishes)


def zoom(path: Path) -> None:
    """As the verb does."""
    opened = Store.open(path)
    sweep = opened.sweeps()[0]
    with hold_parent(sweep) as held:
        plan = Plan.from_json(sweep.description()["plan"])
        child = zoom_plan(plan, sweep.id, zoom_into(opened, sweep), 4)
        run_child(opened, sweep, child, held=held, address=None, progress=SilentProgress(), command={})


Do = Callable[[Path], None]

CASES: dict[str, tuple[str, Do, set[tuple[int, ...]]]] = {
    "resume": ("interrupted", go_on, {(5,)}),
    "add": ("finished", lambda path: go_on(path, add=2), {(7,), (9,)}),
    "retry": ("finished", lambda path: go_on(path, retry_failed=True), {(5,)}),
    "round": ("between_rounds", go_on, {(5, 4)}),
    "zoom": ("finished", zoom, {(5, 4)}),
}
"""What is done twice at once → the store to do it in, how, and how many trials each sweep may have then."""
GATE = {"resume", "round"}


@contextmanager
def struck(at: int, do: Callable[[], None]) -> Iterator[list[int]]:
    """Do something just before the n-th call to the disk by this thread."""
    calls = [0]

    def wrapped(name: str) -> Callable[..., Any]:
        real = getattr(PosixDisk, name)

        def call(self: PosixDisk, *args: Any, **kwargs: Any) -> Any:
            calls[0] += 1
            if calls[0] == at:
                do()
            return real(self, *args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("_names", "_read", "_stat", "_rename", "_link", "_mkdir", "_open"):
            patch.setattr(PosixDisk, name, wrapped(name))
        yield calls


def sound(path: Path, counts: set[tuple[int, ...]]) -> None:
    """Every trial ran once, or once more after it failed, and every row is there once."""
    opened = Store.open(path)
    sweeps = opened.sweeps()
    assert [finding for sweep in sweeps for finding in check(sweep)] == []
    found = []
    for sweep in sweeps:
        with Views(opened, [sweep]) as views:
            twice = views.execute("SELECT trial, attempt FROM attempts GROUP BY ALL HAVING count(*) > 1").fetchall()
            again = views.execute("SELECT trial, max(attempt) FROM attempts GROUP BY trial ORDER BY 1").fetchall()
            curves = views.execute("SELECT trial, step FROM curves ORDER BY ALL").fetchall()
            ended = views.execute("SELECT trial FROM trials WHERE state = 'COMPLETED' ORDER BY 1").fetchall()
        assert twice == []
        assert {trial for trial, attempt in again if attempt > 1} == set()
        assert curves == [(trial, step) for (trial,) in ended for step in range(2)]
        assert sweep.state() == "finished"
        found.append(len(again))
    assert tuple(found) in counts


def both(case: str, path: Path, at: int) -> int:
    """Do it, and at the n-th call to the disk do it all as another process; returns the number of calls."""
    _, do, counts = CASES[case]
    others: list[bool] = []
    told: list[str] = []

    def other() -> None:
        others.append(True)
        with suppress(StoreError):
            do(path)

    with struck(at, other) as calls:
        try:
            do(path)
        except StoreError as error:
            told.append(str(error))
    assert not any("\n" in sentence for sentence in told)
    sound(path, counts)
    return calls[0] if others else 0


@pytest.fixture
def prepared(request: pytest.FixtureRequest, case: str) -> Path:
    """The store of a case."""
    found: Path = request.getfixturevalue(CASES[case][0])
    return found


def everywhere(case: str, prepared: Path, steps: Iterator[int]) -> int:
    done = 0
    for at in steps:
        copy = shutil.copytree(prepared, prepared.with_name(f"copy-{at}"))
        if not both(case, copy, at):
            break
        done += 1
        shutil.rmtree(copy)
    return done


@pytest.mark.parametrize(
    "case", [*sorted(GATE), *(pytest.param(case, marks=pytest.mark.nightly) for case in sorted(CASES.keys() - GATE))]
)
def test_nothing_runs_twice_whatever_another_driver_does_between_two_steps(case: str, prepared: Path) -> None:
    assert everywhere(case, prepared, iter((10, 40))) == 2  # within a claim, and after it


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", CASES)
def test_nothing_runs_twice_at_any_step(case: str, prepared: Path) -> None:
    assert everywhere(case, prepared, itertools.count(1)) > 100


class Late:
    """Claims when it first writes: after all that it acts upon was read."""

    def __init__(self, sweep: SweepDir, **_: object) -> None:
        self.sweep = sweep
        self.held: Ownership | None = None

    @property
    def epoch(self) -> int:
        self.held = self.held or own(self.sweep)
        return self.held.epoch

    def check(self) -> None:
        pass

    def release(self) -> None:
        if self.held is not None:
            self.held.release()

    look = check

    def __enter__(self) -> "Late":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.mark.nightly
@pytest.mark.parametrize("case", CASES)
def test_a_claim_after_reading_would_be_seen(case: str, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "own", Late)
    monkeypatch.setattr(driver, "_check_twin", lambda *_: None)
    monkeypatch.setattr(driver, "hold_parent", Late)
    monkeypatch.setattr(f"{__name__}.hold_parent", Late)
    with pytest.raises((AssertionError, FileNotFoundError)):  # the other driver merges what is being read
        everywhere(case, prepared, iter((45, 25, 35, 55, *range(5, 100, 3))))
