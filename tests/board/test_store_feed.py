"""The board's answers for a whole store: which sweeps are kept, and what becomes of those that vanish or break."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from caviar.board import store_feed
from caviar.board.store_feed import StoreFeed
from caviar.board.sweep_feed import SweepFeed
from caviar.errors import NotFoundError, StoreError
from caviar.results.report.columns import decode
from caviar.results.store_check import check_document
from caviar.store import Store

from ..small_stores import add_digits, add_every_kind, add_interrupted, add_zoom, make_plan


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "store", create=True)


def feed_of(store):
    return StoreFeed(store, str(store.path))


def test_sweeps_of_every_kind_are_shown(store):
    ids = add_every_kind(store)
    feed = feed_of(store)
    for name, its in ids.items():
        head, _ = decode(feed.sweep(its, "", -1))
        assert (head["sweep"], head["full"], head["boot"]) == (its, True, feed.boot)
        assert head["documents"]["sweep"]["name"] == name
        assert feed.sweep(its, feed.boot, head["version"]) is None
    assert {row["id"] for row in feed.sweeps("", -1)["sweeps"]} == set(ids.values())


def test_who_knows_another_board_is_told_everything(store):
    its = add_digits(store)
    feed = feed_of(store)
    version = decode(feed.sweep(its, "", -1))[0]["version"]
    assert feed.sweep(its, feed.boot, version) is None
    assert decode(feed.sweep(its, "another", version))[0]["full"]
    assert feed.sweeps("another", feed.sweeps("", -1)["version"]) is not None


@pytest.mark.parametrize("name", ["", "..", "../store", "20200101-000000-0000", "digits", "sweep.json", "a\x00b"])
def test_what_is_no_sweep_is_not_found(store, name):
    add_digits(store)
    with pytest.raises(NotFoundError, match="there is no sweep"):
        feed_of(store).sweep(name, "", -1)


def test_one_that_is_removed_while_it_is_shown_is_not_found(store):
    its, other = add_digits(store), add_interrupted(store)
    feed = feed_of(store)
    version = decode(feed.sweep(its, "", -1))[0]["version"]
    store.remove(store.find(its))
    with pytest.raises(NotFoundError):
        feed.sweep(its, feed.boot, version)
    assert [row["id"] for row in feed.sweeps("", -1)["sweeps"]] == [other]


def test_one_that_is_damaged_harms_no_other(store, tmp_path):
    good, bad = add_digits(store), add_digits(store)
    (tmp_path / "store" / f"sweep={bad}" / "sweep.json").write_text("{}")
    feed = feed_of(store)
    with pytest.raises(StoreError, match="cannot be understood"):
        feed.sweep(bad, "", -1)
    assert decode(feed.sweep(good, "", -1))[0]["sweep"] == good
    found = feed.sweeps("", -1)
    assert [row["id"] for row in found["sweeps"]] == [good]
    assert bad in found["not_shown"][0]


def test_what_is_not_shown_of_a_sweep_is_said_on_its_page(store, tmp_path):
    its = add_digits(store)
    file = next((tmp_path / "store" / f"sweep={its}" / "curves").iterdir())
    file.write_bytes(b"x" * file.stat().st_size)
    feed = feed_of(store)
    with pytest.raises(StoreError, match="damaged"):
        feed.sweep(its, "", -1)
    check_document("", [store.find(its)], dry_run=False, skip_lost=False)
    trust = decode(feed.sweep(its, "", -1))[0]["documents"]["trust"]
    assert [one["kind"] for one in trust][:1] == ["not_shown"]


def test_commands_are_told_for_the_store(store):
    its = add_digits(store)
    documents = decode(feed_of(store).sweep(its, "", -1))[0]["documents"]
    assert all(f"--store {store.path}" in one["command"] for one in documents["verdict"]["commands"])


def test_those_that_nobody_asked_for_longest_are_let_go_of(store, monkeypatch):
    ids = [add_digits(store) for _ in range(3)]
    feed = feed_of(store)
    monkeypatch.setattr(store_feed, "MOST_SWEEPS", 2)
    versions = [decode(feed.sweep(its, "", -1))[0]["version"] for its in ids]
    assert list(feed._feeds) == ids[1:]
    head, _ = decode(feed.sweep(ids[0], feed.boot, versions[0]))
    assert (head["full"], head["version"] > versions[0]) == (True, True)
    assert list(feed._feeds) == [ids[2], ids[0]]
    monkeypatch.setattr(store_feed, "MOST_BYTES", 1)
    feed.sweep(ids[1], "", -1)
    assert list(feed._feeds) == [ids[1]], "the one that is asked for stays"


def test_databases_of_few_sweeps_are_open(store, monkeypatch):
    monkeypatch.setattr(store_feed, "MOST_OPEN", 1)
    sweeps = [store.create_sweep({"plan": make_plan(name, 2).to_json(), "provenance": {}}, b"") for name in "ab"]
    epochs = [sweep.claim() for sweep in sweeps]
    feed = feed_of(store)
    for sweep in sweeps:
        feed.sweep(sweep.id, "", -1)
    assert [one.feed._reader._opened is not None for one in feed._feeds.values()] == [False, True]
    assert decode(feed.sweep(sweeps[0].id, "", -1))[0]["documents"]["sweep"]["state"] == "running"
    for sweep, epoch in zip(sweeps, epochs, strict=True):
        sweep.release(epoch)


def test_a_sweep_is_read_by_one_at_a_time_and_others_meanwhile(store, monkeypatch):
    ids = [add_digits(store), add_interrupted(store)]
    feed = feed_of(store)
    both = threading.Barrier(2, timeout=120)
    inside, most = [], []
    whole = SweepFeed.payload

    def payload(self, *given):
        inside.append(self)
        most.append(inside.count(self))
        both.wait()
        try:
            return whole(self, *given)
        finally:
            inside.remove(self)

    monkeypatch.setattr(SweepFeed, "payload", payload)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda its: feed.sweep(its, "", -1), ids * 2))
    assert max(most) == 1
    assert [decode(one)[0]["sweep"] for one in found] == ids * 2


def test_what_comes_of_a_sweep_may_change_what_is_said_of_it(store, monkeypatch):
    its = add_digits(store)
    zoom = add_zoom(store, its)
    again = add_zoom(store, zoom)
    add_zoom(store, add_interrupted(store))
    feed, told = feed_of(store), []
    monkeypatch.setattr(SweepFeed, "payload", lambda self, boot, since, kin: told.append(kin) or b"")
    feed.sweep(its, "", -1)
    feed.sweeps("", -1)
    feed.sweep(its, "", -1)
    assert told == [[(its, "")], [(its, ""), (zoom, "finished"), (again, "finished")]]


def test_a_store_in_a_bucket_is_shown(cloud):
    store = Store.open(f"s3://{cloud.name}/sweeps", create=True)
    its, later = add_digits(store), add_interrupted(store)
    feed = feed_of(store)
    assert [row["id"] for row in feed.sweeps("", -1)["sweeps"]] == [later, its]
    head, columns = decode(feed.sweep(its, "", -1))
    assert columns["trial"].tolist() == list(range(8))
    assert feed.sweep(its, feed.boot, head["version"]) is None
