"""`caviar run --resume-or-start`: however often it is typed, and whatever is killed, there is one sweep."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fixtures import CloudBucket

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.run import resume_or_start as module
from caviar.run.resume_or_start import key_of
from caviar.store import Store
from caviar.store.owner import SILENCE_S
from caviar.store.ownership import own

from .conftest import Caviar, Driver, Write, curves

EXPERIMENT = """
    import time
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial):
        for step in range(3):
            trial.report(step, loss=config["lr"] + step)
            while trial.number >= 3 * len(list(Path("TURNS").iterdir())) and step == 1:
                time.sleep(0.05)


    sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="loss", trials=9, seed=5)
"""


@pytest.fixture
def turns(tmp_path: Path) -> Path:
    """As many files as it holds, so many times three trials come to their end."""
    (path := tmp_path / "turns").mkdir()
    return path


@pytest.fixture
def experiment(write: Write, turns: Path) -> Path:
    return write(EXPERIMENT.replace("TURNS", str(turns)))


def next_turn(turns: Path) -> None:
    (turns / str(len(list(turns.iterdir())))).touch()


@pytest.mark.ray
@pytest.mark.parametrize("kills", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_however_often_it_is_started_and_killed_there_is_one_sweep(
    drive: Callable[..., Driver], experiment: Path, store: Path, turns: Path, caviar: Caviar, tmp_path: Path, kills: int
) -> None:
    for turn in range(1, kills + 1):
        next_turn(turns)
        driver = drive(experiment, "--resume-or-start")
        driver.wait_for(3 * turn)
        driver.signal(signal.SIGKILL)
        driver.process.communicate()
    for _ in range(3):
        next_turn(turns)

    last = caviar("run", experiment, "--resume-or-start")
    once_more = caviar("run", experiment, "--resume-or-start")

    assert last.code == once_more.code == 0, (last.err, once_more.err)
    assert "is finished: there is nothing to resume" in once_more.err
    assert last.out == once_more.out
    (sweep,) = Store.open(store).sweeps()
    assert sweep.key
    assert caviar("run", experiment, "-q", at=tmp_path / "whole").code == 0
    assert curves(Result(store)) == curves(Result(tmp_path / "whole"))


@pytest.fixture
def quick(experiment: Path, turns: Path) -> Path:
    """It comes to its end at once."""
    for _ in range(4):
        next_turn(turns)
    return experiment


@pytest.mark.usefixtures("inline")
def test_the_key_is_what_it_is(quick: Path, store: Path, caviar: Caviar, tmp_path: Path) -> None:
    assert caviar("run", quick, "--resume-or-start").code == 0
    assert caviar("run", quick, "--resume-or-start", "--seed", 6).code == 0
    assert caviar("run", quick, "--resume-or-start").code == 0
    copy = tmp_path / "another" / "experiment.py"
    copy.parent.mkdir()
    copy.write_text(quick.read_text())
    assert caviar("run", copy, "--resume-or-start").code == 0  # wherever it lies
    assert len(Store.open(store).sweeps()) == 2
    quick.write_text(quick.read_text() + "# changed\n")
    assert caviar("run", quick, "--resume-or-start").code == 0
    assert len(Store.open(store).sweeps()) == 3

    plain, named = load(str(quick)), load(str(quick)).override({"name": "other"})
    assert key_of(plain.plan, plain.program) != key_of(named.plan, named.program)


@pytest.mark.usefixtures("inline")
def test_a_word_of_ones_own_goes_on_with_what_it_began_with(quick: Path, store: Path, caviar: Caviar) -> None:
    words = ("run", quick, "--resume-or-start", "--as", "../nightly 1/é")
    assert caviar(*words).code == 0
    quick.write_text(quick.read_text() + "# changed\n")

    again = caviar(*words, "--trials", 20)

    assert again.code == 0
    assert "goes on with the settings and code that it began with" in again.err
    (sweep,) = Store.open(store).sweeps()
    assert sweep.key == "../nightly 1/é"
    assert {one.name for one in store.iterdir()} == {"FORMAT", "_keys", sweep.path.name}
    assert caviar("run", quick, "--as", "x").code == 2


@pytest.mark.usefixtures("inline")
def test_who_removes_the_sweep_starts_another_one(quick: Path, store: Path, caviar: Caviar) -> None:
    assert caviar("run", quick, "--resume-or-start").code == 0
    (before,) = Store.open(store).sweeps()
    assert caviar("rm", before.id, "--yes").code == 0
    assert list((store / "_keys").iterdir()) == []

    assert caviar("run", quick, "--resume-or-start").code == 0

    (after,) = Store.open(store).sweeps()
    assert after.id != before.id


@pytest.mark.usefixtures("inline")
def test_who_died_before_the_sweep_was_there_is_followed(quick: Path, store: Path, caviar: Caviar) -> None:
    sweep = load(str(quick))
    keyed = Store.open(store, create=True).keyed(key_of(sweep.plan, sweep.program))

    assert caviar("run", quick, "--resume-or-start").code == 0

    assert [one.id for one in Store.open(store).sweeps()] == [keyed.sweep]


@pytest.mark.usefixtures("inline")
def test_who_finds_at_the_last_moment_that_another_one_made_it_goes_on_with_that(
    quick: Path, store: Path, caviar: Caviar, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert caviar("run", quick, "--resume-or-start").code == 0
    looks: list[str] = []
    real = Store.of_key
    monkeypatch.setattr(
        Store, "of_key", lambda self, key: looks.append(key) or (real(self, key) if looks[1:] else None)
    )

    again = caviar("run", quick, "--resume-or-start")

    assert again.code == 0, again.err
    assert "is finished: there is nothing to resume" in again.err
    assert len(Store.open(store).sweeps()) == 1


def _told_by_each(store: str, start: float, answers) -> None:
    time.sleep(max(0.0, start - time.time()))
    answers.put(Store.open(store).keyed("one").sweep)


@pytest.mark.parametrize("round_", range(3))
def test_of_many_at_once_one_decides(store: Path, round_: int) -> None:
    Store.open(store, create=True)
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    start = time.time() + 0.3
    processes = [fork.Process(target=_told_by_each, args=(str(store), start, answers)) for _ in range(6)]
    for process in processes:
        process.start()
    said = {answers.get(timeout=120) for _ in processes}
    for process in processes:
        process.join()

    assert len(said) == 1


def test_a_bucket_decides_for_one_too(cloud: CloudBucket) -> None:
    store = Store.open(cloud.uri, create=True)
    said: set[str] = set()
    threads = [threading.Thread(target=lambda: said.add(store.keyed("one").sweep)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(said) == 1


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("end", ["lets go", "dies elsewhere", "is stopped"])
def test_who_comes_while_it_runs_waits(
    quick: Path, store: Path, caviar: Caviar, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(module, "_ended_by", lambda *_: "its user" if end == "is stopped" else "")
    sweep = load(str(quick))
    opened = Store.open(store, create=True)
    keyed = opened.keyed(key_of(sweep.plan, sweep.program))
    with monkeypatch.context() as patch:
        patch.setattr("caviar.run.driver.drive_sweep", lambda *_: False)  # nothing of it is run
        module.run_sweep(sweep.plan, sweep.program, store, address=None, progress=_Silent(), provenance={}, keyed=keyed)
    (made,) = opened.sweeps()
    held = own(made)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            if end == "dies elsewhere":
                held.stop()
                path = made.path / "_owner" / "000002.json"
                text = Path(path).read_text()
                Path(path).write_text(text.replace('"boot": "', '"boot": "other'))
                old = time.time() - SILENCE_S + 0.5
                os.utime(path, (old, old))
            else:
                held.release()
        if len(slept) > 2:
            time.sleep(seconds)

    monkeypatch.setattr(module.resume_or_start, "__kwdefaults__", {"sleep": sleep})

    waited = caviar("run", quick, "--resume-or-start")

    assert f"sweep {made.id} is being run by process {os.getpid()}" in waited.err
    assert "Ctrl-C leaves it running" in waited.err
    assert len(slept) >= 2
    if end == "is stopped":
        assert "was ended by its user meanwhile; go on with: caviar resume" in waited.err
    else:
        assert waited.code == 0, waited.err
        assert made.again().state() == "finished"
    assert len(opened.sweeps()) == 1


class _Silent:
    curves = False

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


@pytest.mark.usefixtures("inline")
def test_another_user_may_run_the_same_code_and_no_other(
    quick: Path, store: Path, caviar: Caviar, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("run", quick, "--resume-or-start", "--as", "ours")
    with monkeypatch.context() as patch:
        patch.setattr("getpass.getuser", lambda: "somebody")
        assert caviar(*words).code == 0
    assert caviar("resume", "--add", 1).code == 2  # theirs
    sweep = load(str(quick))
    found = Store.open(store).find()
    assert module._is_same(module.program_to_read(found), sweep.program)
    assert not module._is_same(module.program_to_read(found), replace(sweep.program, final="train"))
    assert not module._is_same(module.program_to_read(found), replace(sweep.program, project="0" * 64))
    quick.write_text(quick.read_text() + "# changed\n")
    assert not module._is_same(module.program_to_read(found), load(str(quick)).program)
