"""`caviar watch` follows a sweep that another process runs, by the store alone, until nobody runs it."""

import io
import json
import time
from types import SimpleNamespace

import pytest

from caviar.cli import verb_watch
from caviar.display import choose_display
from caviar.store import Store, Writer
from caviar.store.finalize import finalize

from ..small_stores import attempt_row, configs, curve, make_plan


class Driver:
    """Runs a sweep of four trials, a step each time that the watcher waits."""

    def __init__(self, path, last="finished"):
        plan = make_plan("far", 4)
        self.store = Store.open(path, create=True)
        self.sweep = self.store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
        self.epoch = self.sweep.claim()
        self.writer = Writer(self.sweep, self.epoch)
        self.writer.add("configs", configs(plan, 4))
        self.steps = [self.begin, lambda: None, *(lambda trial=trial: self.complete(trial) for trial in range(4))]
        self.steps.append({"finished": self.finish, "interrupted": self.leave}[last])

    def step(self, seconds):
        self.steps.pop(0)()

    def begin(self):
        for trial in (2, 3):
            self.writer.add("curves", curve(trial, steps=3))
            self.writer.add("attempts", attempt_row(trial, "RUNNING", steps=3, ended=None, busy=None))
        self.writer.flush()

    def complete(self, trial):
        for table, rows in (("curves", curve(trial)), ("attempts", attempt_row(trial, "COMPLETED"))):
            if not (table == "curves" and trial >= 2):
                self.writer.add(table, rows)
        self.writer.flush()

    def finish(self):
        self.writer.close()
        finalize(self.sweep, self.epoch)
        self.sweep.release(self.epoch)

    def leave(self):
        self.writer.close()
        self.sweep.release(self.epoch)


@pytest.fixture
def driver(tmp_path, monkeypatch, request):
    found = Driver(tmp_path / "store", getattr(request, "param", "finished"))
    monkeypatch.setattr(verb_watch, "time", SimpleNamespace(sleep=found.step, monotonic=time.monotonic))
    return found


def test_each_line_says_what_is_new_until_the_sweep_ends(caviar, driver):
    got = caviar("watch", "far", "--json", "--store", driver.store.path)

    lines = [json.loads(line) for line in got.out.splitlines()]
    assert got.code == 0
    assert [line["done"] for line in lines] == [0, 0, 1, 2, 3, 4, 4]
    assert [[(one["trial"], one["step"]) for one in line["last_reports"]] for line in lines[:2]] == [
        [],
        [(3, 2), (2, 2)],
    ]
    assert [line["state"] for line in lines] == ["running"] * 6 + ["finished"]
    assert not driver.steps
    where = f"--store {driver.store.path} {driver.sweep.id}"
    assert got.err == f"far ({driver.sweep.id}) is finished; see: caviar best {where}\n"


@pytest.mark.parametrize("driver", ["interrupted"], indirect=True)
def test_of_a_sweep_that_nobody_runs_any_more_it_says_how_to_go_on(caviar, driver):
    got = caviar("watch", "--store", driver.store.path)

    assert (got.code, got.out) == (0, "")
    assert "4/4 done" in got.err
    assert got.err.splitlines()[-1].endswith(f"go on with: caviar resume --store {driver.store.path} {driver.sweep.id}")


def test_a_terminal_shows_the_trials_that_run(caviar, driver, monkeypatch):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    screen = Terminal()
    make = choose_display.choose_display
    monkeypatch.setattr(choose_display, "choose_display", lambda: make(stream=screen, env={"TERM": "xterm"}))
    caviar("watch", "--store", driver.store.path)

    shown = screen.getvalue()
    assert "reading the store…" in shown
    assert "t3" in shown
    assert "at step 2" in shown
    assert "4/4" in shown


def test_what_is_no_sweep_is_one_sentence(caviar, driver):
    got = caviar("watch", "nowhere", "--store", driver.store.path)

    assert got.code == 4
    assert got.err.count("\n") == 1
