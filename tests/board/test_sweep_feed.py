"""A page that asks now and then, and merges what changed, knows what one knows that asks for everything."""

import itertools
import random

import numpy as np
import pytest

from caviar.board import sweep_feed
from caviar.board.sweep_feed import SweepFeed
from caviar.errors import StoreError
from caviar.results.report.columns import decode
from caviar.store import Store, Writer
from caviar.store.finalize import finalize
from caviar.store.merging import merge

from ..small_stores import add_digits, attempt_row, configs, curve, make_plan
from .page import Page


class Clock:
    """A clock that a test sets; a look takes no time by it."""

    now = 0.0

    def __call__(self):
        return self.now


class Live:
    """A sweep that the test drives, and its feed."""

    def __init__(self, path, trials=6):
        self.store = Store.open(path, create=True)
        self.plan = make_plan("live", trials)
        self.sweep = self.store.create_sweep({"plan": self.plan.to_json(), "provenance": {}}, b"")
        self.clock = Clock()
        self.feed = SweepFeed(self.store, self.sweep, itertools.count(1), self.clock)
        self.begin()
        self.writer.add("configs", configs(self.plan, trials))

    def begin(self):
        self.epoch = self.sweep.claim()
        self.writer = Writer(self.sweep, self.epoch)

    def add(self, *tables):
        for table in tables:
            self.writer.add("attempts" if "state" in table.column_names else "curves", table)
        self.writer.flush()

    def leave(self):
        self.writer.close()
        self.sweep.release(self.epoch)

    def page(self):
        return Page(self.sweep.id)

    def ask(self, page):
        """Ask as a page; the head and the columns that came, or None."""
        self.clock.now += 2.0
        return self.told(page)

    def told(self, page):
        got = self.feed.payload("boot", page.version)
        if got is None:
            return None
        head, columns = decode(got)
        page.merge(head, columns)
        return head, columns

    def check(self, page):
        """See that the page knows what one knows that asks for everything."""
        self.ask(page)
        late = self.page()
        late.merge(*decode(SweepFeed(self.store, self.sweep.again(), itertools.count(1)).payload("boot", -1)))
        assert page.rows.keys() == late.rows.keys()
        for trial, row in late.rows.items():
            assert page.rows[trial] == pytest.approx(row, rel=1e-4, abs=1e-6, nan_ok=True)
        assert page.curves.keys() == late.curves.keys()
        for trial, known in late.curves.items():
            assert page.curves[trial].keys() == known.keys()
            for name, values in known.items():
                assert page.curves[trial][name] == pytest.approx(values, rel=1e-3, abs=1e-4, nan_ok=True)
        for name in ("verdict", "failures", "facts", "parameters", "running"):
            assert page.documents[name] == late.documents[name], name


def running(trial, steps, attempt=0):
    return curve(trial, attempt, steps), attempt_row(trial, "RUNNING", attempt, steps, ended=None, busy=None)


@pytest.fixture
def live(tmp_path):
    found = Live(tmp_path / "store")
    yield found
    found.writer.close()


def test_only_what_changed_is_told(live):
    page = live.page()
    live.add(*running(0, 3), *running(1, 3), curve(2), attempt_row(2, "COMPLETED"))
    head, columns = live.ask(page)
    assert (head["full"], head["boot"], head["version"]) == (True, "boot", live.feed.version)
    assert columns["trial"].tolist() == [0, 1, 2]
    live.add(curve(1, steps=5).slice(3))
    head, columns = live.ask(page)
    assert head["full"] is False
    assert columns["trial"].tolist() == columns["curve:trial"].tolist() == [1]
    assert columns["curve:length"].tolist() == [5], "a whole curve, so that to apply it twice does no harm"
    assert not {"provenance", "fixed", "pairs"} & head["documents"].keys()
    assert [(one["trial"], one["step"]) for one in head["documents"]["running"]][:1] == [(1, 4)]
    assert live.ask(page) is None
    live.check(page)


def test_who_knows_an_older_version_is_told_all_since_and_who_knows_none_everything(live):
    old, page = live.page(), live.page()
    live.add(*running(0, 3))
    live.ask(old)
    for trial in (1, 2):
        live.add(*running(trial, 3))
        live.ask(page)
    head, columns = live.ask(old)
    assert (head["full"], columns["trial"].tolist()) == (False, [1, 2])
    head, columns = live.ask(live.page())
    assert (head["full"], columns["trial"].tolist()) == (True, [0, 1, 2])


def test_rows_change_although_nothing_is_published_of_them(live):
    page = live.page()
    live.add(*running(0, 3), *running(1, 3), curve(2), attempt_row(2, "COMPLETED"))
    live.ask(page)
    live.leave()
    head, _ = live.ask(page)
    states = head["documents"]["sweep"]["states"]
    assert head["documents"]["sweep"]["state"] == "interrupted"
    assert {trial: states[page.rows[trial]["state"]] for trial in page.rows} == {0: "lost", 1: "lost", 2: "completed"}
    live.check(page)


def test_a_trial_that_is_tried_again_has_one_curve(live):
    page = live.page()
    live.add(*running(0, 9))
    live.ask(page)
    live.leave()
    live.begin()
    live.add(*running(0, 2, attempt=1))
    live.ask(page)
    assert page.curves[0]["step"].tolist() == [0, 1]
    assert page.rows[0]["attempts"] == 2
    live.check(page)


def test_a_second_report_of_a_step_is_a_change(live):
    page = live.page()
    live.add(*running(0, 3), curve(2), attempt_row(2, "COMPLETED"))
    live.ask(page)
    more = curve(0, steps=4).slice(3)
    live.add(more.set_column(more.schema.get_field_index("step"), more.schema.field("step"), [[2]]))
    head, columns = live.ask(page)
    assert (head["full"], columns["trial"].tolist(), columns["step"].tolist()) == (False, [0], [2])
    assert page.curves[0]["step"].tolist() == [0, 1, 2, 2]
    live.check(page)


def test_a_metric_that_is_new_needs_everything_anew(live):
    page = live.page()
    live.add(*running(0, 3))
    live.ask(page)
    table = curve(1, steps=3)
    live.add(table.append_column("more", table["val_loss"]), running(1, 3)[1])
    head, _ = live.ask(page)
    assert head["full"]
    assert [one["name"] for one in page.documents["metrics"]] == ["val_loss", "train_loss", "more"]
    live.check(page)


class Chance:
    """Things that happen to a sweep of six trials, drawn by lot."""

    def __init__(self, live, seed):
        self.live, self.rng = live, random.Random(seed)
        self.running = {}
        """Trial → its attempt and how many rows it has."""
        self.ended = set()

    def step(self):
        happens = self.rng.choice([self.report, self.report, self.report, self.end, self.again, self.together])
        happens()

    def report(self):
        trial = self.rng.choice([one for one in range(6) if one not in self.ended])
        attempt, rows = self.running.get(trial, (0, 0))
        more = min(rows + self.rng.randint(1, 5), 20)
        if rows == 0:
            self.live.add(attempt_row(trial, "RUNNING", attempt, 0, ended=None, busy=None))
        if more > rows:
            self.live.add(curve(trial, attempt, more).slice(rows))
        self.running[trial] = attempt, more

    def end(self):
        if self.running and len(self.ended) < 5:
            trial = self.rng.choice(list(self.running))
            attempt, rows = self.running.pop(trial)
            state = self.rng.choice(["COMPLETED", "FAILED", "STOPPED"])
            why = {"error": "E: x"} if state == "FAILED" else {}
            self.live.add(attempt_row(trial, state, attempt, rows, **why))
            self.ended.add(trial)

    def again(self):
        self.live.leave()
        self.live.begin()
        self.running = {trial: (attempt + 1, 0) for trial, (attempt, _) in self.running.items()}

    def together(self):
        merge(self.live.sweep)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_to_a_sweep(live, seed):
    chance, pages = Chance(live, seed), [live.page() for _ in range(2)]
    for _ in range(16):
        live.clock.now += chance.rng.choice([0.0, 1.0, 40.0])
        chance.step()
        for page in pages:
            if chance.rng.random() < 0.5:
                live.ask(page)
    live.check(pages[0])
    live.leave()
    finalize(live.sweep, live.sweep.claim())
    live.clock.now += 60
    for page in pages:
        live.check(page)
        assert live.ask(page) is None


def test_nothing_is_read_where_nothing_was_published(live, monkeypatch):
    page = live.page()
    live.add(*running(0, 3))
    live.ask(page)
    monkeypatch.setattr(sweep_feed, "trial_rows", lambda opened: pytest.fail("it was read"))
    for _ in range(3):
        assert live.ask(page) is None


def test_what_takes_long_is_found_out_again_when_there_is_more_or_later(live, monkeypatch):
    made = []
    whole = sweep_feed.space_findings
    monkeypatch.setattr(sweep_feed, "space_findings", lambda *given: made.append(1) or whole(*given))
    page = live.page()
    for trial in range(3):
        live.add(curve(trial), attempt_row(trial, "COMPLETED"))
        live.ask(page)
    assert len(made) == 3, "a third more have ended"
    live.add(*running(3, 3))
    live.ask(page)
    assert len(made) == 3
    monkeypatch.setattr(sweep_feed, "MORE", 10)
    live.add(attempt_row(3, "FAILED", steps=3, error="E: x"))
    live.ask(page)
    assert len(made) == 3
    live.clock.now += sweep_feed.LATER_S
    live.ask(page)
    assert len(made) == 4, "although nothing else has happened"
    live.clock.now += sweep_feed.LATER_S
    assert live.ask(page) is None
    live.leave()
    live.ask(page)
    assert len(made) == 5, "and at the end"


def test_a_sweep_that_takes_long_to_read_is_given_a_pause(live, monkeypatch):
    page = live.page()
    live.add(*running(0, 3))
    whole = sweep_feed.trial_rows

    def slowly(opened):
        live.clock.now += 10
        return whole(opened)

    monkeypatch.setattr(sweep_feed, "trial_rows", slowly)
    live.ask(page)
    live.add(*running(1, 3))
    assert live.ask(page) is None
    live.clock.now += 10
    assert live.ask(page)[1]["trial"].tolist() == [1]


def test_an_error_is_told_and_outlived(live, tmp_path):
    page = live.page()
    live.add(*running(0, 3))
    live.ask(page)
    live.add(*running(1, 3))
    manifests = tmp_path / "store" / f"sweep={live.sweep.id}" / "_manifest"
    manifests.rename(tmp_path / "away")
    with pytest.raises(StoreError, match="has no manifest"):
        live.ask(page)
    (tmp_path / "away").rename(manifests)
    head, columns = live.ask(page)
    assert (head["full"], columns["trial"].tolist()) == (False, [1])
    live.check(page)


def test_what_took_long_to_fail_is_not_tried_at_once(live, monkeypatch):
    page, tried = live.page(), []
    live.add(*running(0, 3))
    live.ask(page)
    live.add(*running(1, 3))

    def slowly(opened):
        tried.append(1)
        live.clock.now += 3
        raise StoreError("it is damaged")

    with monkeypatch.context() as patch:
        patch.setattr(sweep_feed, "trial_rows", slowly)
        for _ in range(5):
            with pytest.raises(StoreError, match="it is damaged"):
                live.ask(page)
    assert len(tried) == 1
    live.clock.now += 30
    head, columns = live.ask(page)
    assert (head["full"], columns["trial"].tolist()) == (False, [1])


def test_damaged_rows_are_an_error_with_a_sentence(tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    its = add_digits(store)
    for file in (tmp_path / "store" / f"sweep={its}" / "curves").iterdir():
        file.write_bytes(b"x" * len(file.read_bytes()))
    feed = SweepFeed(store, store.find(its), itertools.count(1))
    for _ in range(2):
        with pytest.raises(StoreError, match="damaged"):
            feed.payload("boot", -1)


def test_one_that_ended_is_made_once(tmp_path, monkeypatch):
    store = Store.open(tmp_path / "store", create=True)
    feed = SweepFeed(store, store.find(add_digits(store)), itertools.count(1))
    first = feed.payload("boot", -1)
    monkeypatch.setattr(sweep_feed, "open_sweep", lambda *given: pytest.fail("it was opened again"))
    assert feed.payload("boot", -1) is first
    assert feed.payload("boot", feed.version) is None
    assert feed.size >= len(first)


def test_columns_are_those_of_the_contract(live):
    live.add(*running(0, 3), curve(2), attempt_row(2, "COMPLETED"))
    head, columns = live.ask(live.page())
    trials = {"trial", "state", "step", "value", "started", "ended", "slot", "seconds", "failure", "attempts"}
    assert trials <= columns.keys()
    assert all(len(column) == 2 for name, column in columns.items() if not name.startswith("curve:"))
    assert {"format", "sweep", "boot", "version", "full", "columns", "documents"} <= head.keys()
    assert np.isnan(columns["value"][0])
