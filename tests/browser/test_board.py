"""The real board in a browser: what the page has is what the store has, over a reload, a restart and a sweep's end."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from caviar import Result
from caviar.store import Store, Writer
from caviar.store.finalize import finalize

from ..board.conftest import Board, started
from ..small_stores import add_digits, attempt_row, configs, curve, make_plan
from .conftest import Visit
from .reports import look_through, ready
from .watched import Watched

TRIALS = 12


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[list[Board]]:
    """Boards that end with the test."""
    found: list[Board] = []
    yield found
    for board in found:
        board.end()


def on_the_page(watched: Watched) -> tuple[list[list[object]], list[list[object]]]:
    """Trial, state and step of each trial that the page has, and trial and step of each report."""
    trials, reports = watched.page.evaluate(
        """() => { const {n, trial, state, step, table, documents} = caviar.data;
            const rows = Array.from({length: n}, (_, i) => [trial[i], documents.sweep.states[state[i]], step[i]]);
            const steps = table.points.get(' step'), {start, length} = table;
            const of = i => Array.from(steps.subarray(start[i], start[i] + length[i]));
            return [rows, rows.flatMap(([name], i) => of(i).map(step => [name, step]))]; }"""
    )
    return sorted(trials), sorted(reports)


def in_the_store(store: Path, sweep: str) -> tuple[list[list[object]], list[list[object]]]:
    """The same, as `caviar query` has it."""
    result = Result(store, sweep)
    trials = result.sql("SELECT trial, lower(state), step FROM trials WHERE started IS NOT NULL").fetchall()
    reports = result.sql("SELECT trial, step FROM curves").fetchall()
    return sorted(map(list, trials)), sorted(map(list, reports))


def comes_to(watched: Watched, store: Path, sweep: str) -> None:
    """Wait until the page has just what the store has."""
    wanted = in_the_store(store, sweep)
    watched.until("n => caviar.data && caviar.data.n === n", len(wanted[0]))
    for _ in range(200):
        if on_the_page(watched) == wanted:
            return
        watched.page.wait_for_timeout(50)
    assert on_the_page(watched) == wanted


def publish(writer: Writer, rows: list[tuple[str, pa.Table]]) -> None:
    for table, data in rows:
        writer.add(table, data)
    writer.flush()


def test_nothing_is_lost_or_doubled_in_a_browser(visit: Visit, boards: list[Board], tmp_path: Path) -> None:
    path = tmp_path / "store"
    store = Store.open(path, create=True)
    add_digits(store)
    sweep = store.create_sweep({"plan": make_plan("live", TRIALS).to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    boards.append(started(tmp_path, path, "--port", 0))
    address = f"http://127.0.0.1:{boards[0].port}/"
    with Writer(sweep, epoch) as writer:
        publish(writer, [("configs", configs(make_plan("live", TRIALS), TRIALS))])
        publish(writer, [("curves", curve(0)), ("attempts", attempt_row(0, "COMPLETED"))])
        watched = visit(allowed=(address,), viewport={"width": 1280, "height": 900})
        page = watched.page
        watched.open(boards[0].said["link"])
        page.get_by_role("button", name="live").click()
        watched.until("caviar.data")
        assert boards[0].token not in page.url
        comes_to(watched, path, sweep.id)
        running = attempt_row(2, "RUNNING", steps=4, ended=None, busy=None)
        publish(writer, [("curves", curve(1)), ("attempts", attempt_row(1, "COMPLETED"))])
        publish(writer, [("curves", curve(2, steps=4)), ("attempts", running)])
        comes_to(watched, path, sweep.id)
        page.reload()
        ready(watched)
        comes_to(watched, path, sweep.id)
        page.evaluate("caviar.set({pinned: [1]})")
        boards[0].end()
        watched.until("!document.querySelector('#trouble').hidden")
        assert "ERR_CONNECTION_REFUSED" in " ".join(watched.faults()), "the browser says so too"
        publish(writer, [("curves", curve(2).slice(4)), ("attempts", attempt_row(2, "COMPLETED"))])
        boards.append(started(tmp_path, path, "--port", boards[0].port))
        watched.until("document.querySelector('#trouble').hidden")
        comes_to(watched, path, sweep.id)
        for trial in range(3, TRIALS):
            publish(writer, [("curves", curve(trial)), ("attempts", attempt_row(trial, "COMPLETED"))])
    finalize(sweep, epoch)
    watched.until("caviar.data.documents.sweep.state === 'finished'")
    comes_to(watched, path, sweep.id)
    assert page.evaluate("caviar.state.pinned") == [1], "what was chosen stays"
    assert [fault for fault in watched.faults() if "ERR_CONNECTION_REFUSED" not in fault] == []
    look_through(watched)
