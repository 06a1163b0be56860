"""A browser that watches a real board, of a sweep that goes on: a reload, another start of the board, its end."""

import time

import pytest

from caviar.store import Store, Writer
from caviar.store.finalize import finalize

from ..board.conftest import started
from ..small_stores import attempt_row, configs, curve, make_plan
from .watched import until

TRIALS = 6


class Sweep:
    """A sweep whose driver is the test."""

    def __init__(self, path):
        self.store = Store.open(path, create=True)
        plan = make_plan("live", TRIALS)
        self.sweep = self.store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
        self.epoch = self.sweep.claim()
        self.writer = Writer(self.sweep, self.epoch)
        self.writer.add("configs", configs(plan, TRIALS))

    def publish(self, trial, state, steps):
        if state == "RUNNING":
            self.writer.add("curves", curve(trial, steps=steps))
            self.writer.add("attempts", attempt_row(trial, state, steps=steps, ended=None, busy=None))
        else:
            self.writer.add("curves", curve(trial).slice(steps))
            self.writer.add("attempts", attempt_row(trial, state))
        self.writer.flush()
        return time.monotonic()

    def end(self):
        self.writer.close()
        finalize(self.sweep, self.epoch)
        self.sweep.release(self.epoch)


@pytest.fixture
def live(tmp_path):
    sweep = Sweep(tmp_path / "store")
    yield sweep
    sweep.writer.close()


def known(page):
    """Of each trial that the page knows, how many reports."""
    return page.evaluate("window.caviar.data && [...window.caviar.data.table.length]")


@pytest.mark.nightly  # in the gate: test_board.py, over a kill, a restart, a reload and the sweep's end
@pytest.mark.timeout(120)
def test_a_page_follows_a_sweep_to_its_end(live, visit, tmp_path):
    live.publish(0, "RUNNING", 5)
    board = started(tmp_path, live.store.path, "--port", 0)
    try:
        address = f"http://127.0.0.1:{board.port}/"
        watched = visit(board.said["link"], allowed=(address,))
        page = watched.page
        until(lambda: page.locator("#sweep-list tr").count() == 1, page, "the sweep is listed")
        page.get_by_role("button", name="live").click()
        until(lambda: known(page) == [5], page, "the sweep is shown")
        assert page.locator("#running-list").inner_text().split()[0] == "t0"

        at = live.publish(1, "RUNNING", 3)
        until(lambda: known(page) == [5, 3], page, "what was published is shown")
        print(f"shown {time.monotonic() - at:.1f} s after it was published")
        page.reload()
        until(lambda: known(page) == [5, 3], page, "it is shown after a reload")

        board.end()
        until(lambda: "does not answer" in page.locator("#trouble").inner_text(), page, "the board is away")
        live.publish(0, "COMPLETED", 5)
        board = started(tmp_path, live.store.path, "--port", board.port)
        until(lambda: known(page) == [20, 3], page, "it goes on when the board is back")
        assert not page.locator("#trouble").is_visible()

        live.publish(1, "COMPLETED", 3)
        live.end()
        until(lambda: page.evaluate("window.caviar.data.documents.sweep.state") == "interrupted", page, "it ended")
        assert known(page) == [20, 20]
        assert not page.locator("#running").is_visible()
        refused = "Failed to load resource: net::ERR_CONNECTION_REFUSED"
        assert [fault for fault in watched.faults() if refused not in fault] == []
    finally:
        board.end()
