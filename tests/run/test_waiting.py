"""`resume --wait`: until a dead owner counts as gone, and no longer."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.told import Told

from caviar.run.resume import wait_for_silence
from caviar.store import Store, SweepDir


@pytest.fixture
def owned(store: Path) -> tuple[SweepDir, Callable[[float], None]]:
    """A sweep that was claimed on another host, and how to say when its owner gave its last sign of life."""
    sweep = Store.open(store, create=True).create_sweep({"plan": {"name": "", "trials": 1, "metric": "m"}}, b"")
    path = Path(str(sweep.path), "_owner", f"{sweep.claim():06d}.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"host": "elsewhere", "pid": 77}))

    def aged(seconds: float) -> None:
        os.utime(path, (time.time() - seconds,) * 2)

    return sweep, aged


def test_it_says_how_long_and_waits_as_long(owned: tuple[SweepDir, Callable[[float], None]]) -> None:
    sweep, aged = owned
    aged(50.0)
    silent, slept, told = [50.0], [0.0], Told()

    def sleep(seconds: float) -> None:
        slept[0] += seconds
        silent[0] += seconds
        aged(silent[0])

    seen = wait_for_silence(sweep, told, sleep=sleep)

    assert seen.standing == "silent"
    assert 9 < slept[0] < 15
    assert len(told.notes) == 1
    assert told.notes[0].startswith("process 77 on elsewhere gave its last sign of life 50 s ago: waiting 10 s for")
    assert sweep.claim() == 2


def test_a_sign_of_life_ends_the_waiting(owned: tuple[SweepDir, Callable[[float], None]]) -> None:
    sweep, aged = owned
    aged(30.0)
    sleeps = []

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        aged(0.0)

    assert wait_for_silence(sweep, Told(), sleep=sleep).alive
    assert len(sleeps) == 1


def test_there_is_nothing_to_wait_for_where_all_is_clear(owned: tuple[SweepDir, Callable[[float], None]]) -> None:
    def sleep(_: float) -> None:
        raise AssertionError

    sweep, aged = owned
    told = Told()
    aged(100.0)
    assert wait_for_silence(sweep, told, sleep=sleep).standing == "silent"
    epoch = sweep.claim()
    assert wait_for_silence(sweep, told, sleep=sleep).alive  # this process: it runs, whatever it says
    sweep.release(epoch)
    assert wait_for_silence(sweep, told, sleep=sleep).standing == "nobody"
    assert told.notes == []
