import json
from types import SimpleNamespace

import pytest

from caviar.cli import verb_scale
from caviar.store import Store
from caviar.store.requests import pop_requests

from ..small_stores import add_interrupted


@pytest.fixture
def sweep(tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    return store.find(add_interrupted(store))


def scale(caviar, sweep, *words):
    return caviar("scale", sweep.id, *words, "--store", sweep.path.parent)


def test_the_driver_that_runs_the_sweep_gets_the_number(caviar, sweep, monkeypatch):
    epoch, heard = sweep.claim(), []
    taken = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: heard.extend(pop_requests(sweep, epoch)))
    monkeypatch.setattr(verb_scale, "time", taken)
    got = scale(caviar, sweep, "--max-slots", "32", "--json")

    assert (got.code, json.loads(got.out)) == (0, {"sweep": sweep.id, "state": "running", "max_slots": 32})
    assert [(one.action, one.slots, one.trial) for one in heard] == [("scale", 32, None)]
    said = scale(caviar, sweep, "--max-slots", "2").err
    assert f"sweep {sweep.id} trains 2 at a time, at most" in said
    sweep.release(epoch)


def test_a_driver_that_does_not_answer_or_ends_meanwhile_is_told_of(caviar, sweep, monkeypatch):
    epoch, times = sweep.claim(), iter(range(0, 1000, 20))
    monkeypatch.setattr(verb_scale, "time", SimpleNamespace(monotonic=lambda: next(times), sleep=lambda _: None))
    silent = scale(caviar, sweep, "--max-slots", "2")
    assert (silent.code, "does not answer: it is " in silent.err) == (1, True)
    gone = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: sweep.release(epoch))
    monkeypatch.setattr(verb_scale, "time", gone)
    ended = scale(caviar, sweep, "--max-slots", "2")
    assert (ended.code, "has ended meanwhile: caviar status" in ended.err) == (1, True)


def test_a_sweep_that_does_not_run_cannot_be_scaled(caviar, sweep):
    got = scale(caviar, sweep, "--max-slots", "2")
    assert got.code == 1
    assert f"sweep {sweep.id} is not running, so nothing of it can be scaled: caviar resume" in got.err
    assert scale(caviar, sweep, "--max-slots", "0").code == 2
