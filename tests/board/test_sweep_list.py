"""The list of a store's sweeps is kept up with what happens to them, and reads again only what changed."""

import shutil

import pytest

from caviar.board import sweep_list
from caviar.board.sweep_list import SweepList
from caviar.results.sweeps import sweeps_document
from caviar.store import Store, Writer
from caviar.store.finalize import finalize

from ..small_stores import add_digits, add_every_kind, add_interrupted, attempt_row, configs, curve, make_plan


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "store", create=True)


@pytest.fixture
def read(monkeypatch):
    """Ids of the sweeps whose data was read."""
    found = []
    whole = SweepList._whole_rows
    monkeypatch.setattr(
        SweepList, "_whole_rows", lambda self, sweeps: found.extend(one.id for one in sweeps) or whole(self, sweeps)
    )
    return found


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.001
        return self.now


def test_rows_are_as_ls_has_them(store):
    add_every_kind(store)
    found = SweepList(store)
    assert found.look()
    expected = sweeps_document(store, store.sweeps()[::-1], lambda sentence: None).sweeps
    assert [(row["id"], row["name"], row["state"], row["best"]) for row in found.rows()] == [
        (row["sweep"], row["name"], row["state"], row["best"]) for row in expected
    ]
    took = [row["took_s"] for row in expected]
    assert [row["took_s"] for row in found.rows()] == [one and pytest.approx(one, abs=60) for one in took]  # to now
    for row, its in zip(found.rows(), expected, strict=True):
        assert row["done"] == its["completed"] + its["failed"] + its["stopped"] + its["cancelled"]
        assert (row["running"], row["failed"], row["planned"]) == (its["running"], its["failed"], its["planned"])
        assert (row["tags"], row["parent"], row["metric"]) == (list(its["tags"]), its["parent"], its["metric"])
        assert (row["relation"] is None) == (row["parent"] is None)
    assert not found.not_shown()


def test_what_did_not_change_is_not_read_again(store, read):
    ids = [add_digits(store), add_interrupted(store)]
    found = SweepList(store)
    assert found.look()
    assert sorted(read) == sorted(ids)
    assert not found.look()
    assert len(read) == 2
    new = add_digits(store)
    assert found.look()
    assert read[2:] == [new]


def test_all_are_listed_at_once_and_read_little_by_little(store, read, monkeypatch):
    ids = [add_digits(store, make_plan(f"sweep-{number}", 8)) for number in range(3)]
    monkeypatch.setattr(sweep_list, "TOGETHER", 1)
    monkeypatch.setattr(sweep_list, "LOOK_S", 0.0015)
    found = SweepList(store, Clock())
    for known in range(1, 4):
        assert found.look()
        rows = found.rows()
        assert [(row["id"], row["done"], row["failed"]) for row in rows] == [(one, 8, 1) for one in reversed(ids)]
        assert [row["best"] is not None for row in rows] == [True] * known + [False] * (3 - known)
    assert not found.look()


def test_a_sweep_that_runs_is_followed_to_its_end_and_beyond(store):
    plan = make_plan("live", 1)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    clock = Clock()
    found = SweepList(store, clock)

    def look():
        clock.now += 60
        changed = found.look()
        return changed, [(row["state"], row["done"], row["running"], row["best"]) for row in found.rows()]

    assert look() == (True, [("interrupted", 0, 0, None)])
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 1))
        writer.add("curves", curve(0, steps=3))
        writer.add("attempts", attempt_row(0, "RUNNING", steps=3, ended=None, busy=None))
        writer.flush()
        changed, [(state, done, running, best)] = look()
        assert (changed, state, done, running, best["trial"]) == (True, "running", 0, 1, 0)
        assert not look()[0]
        writer.add("attempts", attempt_row(0, "COMPLETED"))
        writer.flush()
        assert look()[1][0][:3] == ("running", 1, 0)
    sweep.release(epoch)
    assert look()[1][0][:3] == ("interrupted", 1, 0)
    finalize(sweep, sweep.claim())
    assert look()[1][0][:2] == ("finished", 1)
    epoch = sweep.claim()
    assert look()[1][0][0] == "running"
    sweep.release(epoch)
    assert look()[1][0][0] == "finished"


def test_a_sweep_that_runs_is_not_read_at_every_look(store, read):
    plan = make_plan("live", 3)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    found = SweepList(store, Clock())
    with Writer(sweep, epoch) as writer:
        for trial in range(3):
            writer.add("configs", configs(plan, 3).slice(trial, 1))
            writer.flush()
            found.look()
    assert len(read) == 1


def test_one_that_is_removed_is_gone(store):
    first, second = add_digits(store), add_interrupted(store)
    found = SweepList(store)
    found.look()
    store.remove(store.find(second))
    assert found.look()
    assert [row["id"] for row in found.rows()] == [first]


@pytest.mark.parametrize("hurt", ["sweep.json", "_manifest", "trials", "attempts"])
def test_one_that_cannot_be_read_is_told_and_the_others_are_shown(store, tmp_path, hurt):
    good, bad = add_digits(store), add_digits(store)
    place = tmp_path / "store" / f"sweep={bad}" / hurt
    for file in [place] if place.is_file() else list(place.iterdir()):
        file.write_bytes(b"x" * 100)
    clock = Clock()
    found = SweepList(store, clock)
    found.look()
    assert found.rows()[-1]["id"] == good
    assert found.rows()[-1]["best"]["trial"] == 2
    if hurt != "attempts":  # which the list does not need
        (sentence,) = found.not_shown()
        assert bad in sentence
    shutil.copytree(place.parents[0] / ".." / f"sweep={good}", tmp_path / "copy")
    assert not found.look()


def test_one_that_is_mended_is_shown_again(store, tmp_path):
    its = add_digits(store)
    file = next((tmp_path / "store" / f"sweep={its}" / "trials").iterdir())
    data = file.read_bytes()
    file.unlink()
    clock = Clock()
    found = SweepList(store, clock)
    found.look()
    assert found.rows()[0]["best"] is None
    assert len(found.not_shown()) == 1
    file.write_bytes(data)
    clock.now += sweep_list.AGAIN_S
    assert found.look()
    assert found.rows()[0]["best"]["trial"] == 2
    assert not found.not_shown()
