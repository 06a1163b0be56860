"""A page that asked a board all along knows in the end what `caviar query` says: nothing lost, doubled or stale."""

import json
import math
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter

import pytest

from .conftest import PROGRAM, until
from .page import Page

EXPERIMENT = """
    import time
    from caviar import Choice, Float, Int, Sweep

    def train(config, trial):
        for step in range(25):
            time.sleep(0.01)
            if trial.number % 7 == 3 and step == 12:
                raise ValueError("no such layer")
            loss = (1 + config["lr"]) / (1 + step) + config["units"] / 1000
            trial.report(step, val_loss=loss, **({"acc": -loss} if step % 2 else {}))

    sweep = Sweep(
        train,
        {"lr": Float(1e-4, 1.0, scale="log"), "units": Int(1, 100), "act": Choice(["relu", "tanh"])},
        metric="val_loss",
        trials=24,
    )
"""
INLINE = """
import sys
from contextlib import contextmanager
from importlib import import_module
from caviar.run.executors.inline import InlineExecutor

@contextmanager
def session(*_):
    yield

@contextmanager
def executor_of(plan, program, progress):
    executor = InlineExecutor(program)
    try:
        yield executor
    finally:
        executor.close()

for name in ("driver", "resume", "loose_trials"):
    module = import_module(f"caviar.run.{name}")
    module.session, module.executor_of = session, executor_of
from caviar.cli.main import main
main()
"""
"""The program, with its trials in its own process."""


def ask(store, sql):
    """What `caviar query` answers."""
    ran = subprocess.run(
        [*PROGRAM, "query", sql, "--json", "--store", str(store)], capture_output=True, text=True, check=True
    )
    return json.loads(ran.stdout)


def assert_same(page, store):
    """What the page knows is what the store says, up to the resolution of its curves."""
    trials = {
        row["trial"]: row
        for row in ask(
            store,
            "SELECT trial, state, step, attempts, lr, units, act, last_val_loss FROM trials "
            "WHERE state <> 'PENDING' OR started IS NOT NULL",
        )
    }
    assert set(page.rows) == set(trials)
    documents = page.documents
    states = documents["sweep"]["states"]
    parameters = {one["name"]: (k, one) for k, one in enumerate(documents["parameters"])}
    for number, row in page.rows.items():
        its = trials[number]
        assert (states[row["state"]], row["step"], row["attempts"]) == (
            its["state"].lower(),
            -1 if its["step"] is None else its["step"],
            its["attempts"],
        )
        k, act = parameters["act"]
        assert act["options"][row[f"p{k}"]] == its["act"]
        assert row[f"p{parameters['units'][0]}"] == its["units"]
        assert row[f"p{parameters['lr'][0]}"] == pytest.approx(its["lr"], rel=1e-5)
        if its["state"] == "COMPLETED":
            assert row["value"] == its["last_val_loss"]
        else:
            assert math.isnan(row["value"])
        assert row["failure"] < len(documents["failures"]) if its["state"] == "FAILED" else row["failure"] == 65535
    assert_same_curves(page, ask(store, "SELECT trial, step, val_loss, acc FROM curves ORDER BY trial, step"))
    counts = {state: number for state, number in documents["sweep"]["counts"].items() if state != "pending"}
    assert counts == Counter(one["state"].lower() for one in trials.values())
    best = min((one for one in trials.values() if one["state"] == "COMPLETED"), key=lambda one: one["last_val_loss"])
    assert documents["verdict"]["trial"] == best["trial"]


def assert_same_curves(page, rows):
    """Each row once, with its values."""
    found = [
        (trial, int(step), float(loss), float(acc))
        for trial, curve in sorted(page.curves.items())
        for step, loss, acc in zip(curve["step"], curve["val_loss"], curve["acc"], strict=True)
    ]
    assert [row[:2] for row in found] == [(row["trial"], row["step"]) for row in rows]
    for (_, _, loss, acc), row in zip(found, rows, strict=True):
        assert loss == pytest.approx(row["val_loss"], rel=3e-4)
        assert math.isnan(acc) if row["acc"] is None else acc == pytest.approx(row["acc"], abs=3e-5)


def rounded(rows):
    """Rows whose missing values are equal."""
    return {
        trial: {name: None if math.isnan(value) else value for name, value in row.items()}
        for trial, row in rows.items()
    }


def drive(*words):
    command = [sys.executable, "-c", INLINE, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def settle(page, board, state):
    """Ask until the sweep is in that state, and for two seconds nothing is new."""
    newest = time.monotonic()

    def quiet():
        nonlocal newest
        newest = time.monotonic() if page.ask(board) else newest
        return page.documents["sweep"]["state"] == state and time.monotonic() > newest + 2

    until(quiet, 60)


@pytest.mark.nightly
def test_a_page_follows_a_sweep_over_a_kill_and_a_restart_of_the_board(start, tmp_path):
    (tmp_path / "experiment.py").write_text(textwrap.dedent(EXPERIMENT))
    store = tmp_path / "store"
    driver = drive("run", tmp_path / "experiment.py", "--store", store)
    until(lambda: list(store.glob("sweep=*/sweep.json")))
    board = start(store, "--port", 0)
    (row,) = board.get("/api/sweeps").json()["sweeps"]
    page, late = Page(row["id"]), Page(row["id"])

    def completed():
        page.ask(board)
        assert driver.poll() is None, driver.communicate()[1]
        return sum(page.documents["sweep"]["counts"].get(state, 0) for state in ("completed", "failed")) >= 6

    until(completed)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    settle(page, board, "interrupted")
    assert_same(page, store)

    assert board.end()[0] == 143
    board = start(store, "--port", board.port)
    driver = drive("resume", "--store", store)
    while driver.poll() is None:
        page.ask(board)
        time.sleep(0.2)
    driver.communicate()
    settle(page, board, "finished")
    assert_same(page, store)
    assert not page.ask(board)

    late.ask(board)
    assert rounded(late.rows) == rounded(page.rows)
    for name in page.documents.keys() - {"metrics", "seconds"}:  # which have the scale of the newest answer
        assert late.documents[name] == page.documents[name], name
    axes = [[one["axis"] for one in known.documents["metrics"]] for known in (late, page)]
    assert axes[0] == axes[1]
    full = [whole for whole, _, _ in page.got]
    assert (full[0], sum(full) < len(full)) == (True, True), "most answers are changes alone"


DYING = """
    import os
    import signal
    import time
    from caviar import Choice, Float, Int, Sweep

    def train(config, trial):
        checkpoint = trial.load() if trial.attempt else None
        for step in range(trial.start, 30):
            time.sleep(0.02)
            if trial.attempt == 0 and trial.number in (2, 5) and step == 15:
                time.sleep(1.5)  # what was reported is in the store
                os.kill(os.getpid(), signal.SIGKILL)
            loss = (1 + config["lr"]) / (1 + step) + config["units"] / 1000
            trial.report(step, val_loss=loss, **({"acc": -loss} if step % 2 else {}))
            if trial.number == 5 and step == 9:
                trial.save(step, b"so far")

    sweep = Sweep(
        train,
        {"lr": Float(1e-4, 1.0, scale="log"), "units": Int(1, 100), "act": Choice(["relu", "tanh"])},
        metric="val_loss",
        trials=10,
    )
"""


@pytest.mark.ray
def test_processes_that_die_leave_one_curve_of_each_trial(ray, start, tmp_path):
    """Trial 2 begins again, and trial 5 goes on from its checkpoint."""
    from ray import get_runtime_context

    (tmp_path / "experiment.py").write_text(textwrap.dedent(DYING))
    store = tmp_path / "store"
    words = ["run", str(tmp_path / "experiment.py"), "--store", str(store)]
    driver = subprocess.Popen(
        [*PROGRAM, *words, "--address", get_runtime_context().gcs_address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: list(store.glob("sweep=*/sweep.json")), 60)
    board = start(store, "--port", 0)
    (row,) = board.get("/api/sweeps").json()["sweeps"]
    page = Page(row["id"])
    longest = {}
    while driver.poll() is None:
        page.ask(board)
        for trial, curve in page.curves.items():
            longest[trial] = max(longest.get(trial, 0), len(curve["step"]))
        time.sleep(0.3)
    assert driver.returncode == 0, driver.communicate()[1]
    driver.communicate()
    settle(page, board, "finished")
    assert_same(page, store)
    assert [page.rows[trial]["attempts"] for trial in (2, 5)] == [2, 2]
    assert {len(curve["step"]) for curve in page.curves.values()} == {30}
    assert max(longest.values()) == 30, "no page ever had a row twice"
