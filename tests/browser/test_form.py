"""A trial that trains is acted on by the form of a real board's page, and takes what was typed."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from caviar import Result

from ..board.conftest import Board, started
from ..run.conftest import Driver
from ..run.test_edits import EXPERIMENT, INLINE, wait_for
from .conftest import Visit
from .watched import Watched, until

HOSTILE = "</script><img src=x onerror=window.hit=1>"


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    """A sweep that runs, of one trial that saves each 20 steps."""
    keeps = EXPERIMENT.replace("trials=1)", "trials=1, keep_checkpoints=999)")
    file = tmp_path / "experiment.py"
    file.write_text("\n".join(line.removeprefix("    ") for line in keeps.splitlines()), encoding="utf-8")
    driver = Driver(file, address=None, store=tmp_path / "store", first=INLINE)
    yield driver
    if driver.process.poll() is None:
        driver.signal(signal.SIGKILL)
    driver.process.communicate()


@pytest.fixture
def board(driver: Driver, tmp_path: Path) -> Iterator[Board]:
    wait_for(driver, 60)
    board = started(tmp_path, driver.store, "--port", 0, "--edit")
    yield board
    assert "unexpected" not in board.end()[1]


def asked(watched: Watched, answer: str) -> str:
    """Send the form, by the keyboard; what is said then."""
    watched.page.focus("#act-form button")
    watched.page.keyboard.press("Enter")
    return str(
        watched.until(f"() => {{ const said = document.querySelector('#act-said').innerText; return {answer}; }}")
    )


def states(driver: Driver) -> list[str]:
    """Of all trials, by number."""
    return [state for (state,) in Result(driver.store).sql("SELECT state FROM trials ORDER BY trial").fetchall()]


@pytest.mark.timeout(180)
def test_what_is_typed_takes_effect(driver: Driver, board: Board, visit: Visit) -> None:
    address = f"http://127.0.0.1:{board.port}/"
    watched = visit(board.said["link"], allowed=(address,), viewport={"width": 1280, "height": 900})
    page = watched.page
    page.locator("#sweep-list button").click()
    watched.until("() => document.querySelector('#act-facts').innerText.startsWith('running at step')")
    assert page.input_value("#act-trial") == "0"
    assert page.locator("#act-values label").all_inner_texts()[0].startswith("lr")

    page.get_by_label("lr", exact=False).first.fill("7")
    assert "is outside 0.0001 … 1: nothing was changed" in asked(watched, "said !== 'asked …' && said")
    assert [fault for fault in watched.faults() if "400 (Bad Request)" not in fault] == []
    page.get_by_label("lr", exact=False).first.fill("*0.5")
    page.get_by_label("why").fill(HOSTILE)
    assert "after step" in asked(watched, "said.includes('→') && said")
    wait_for(driver, 1, "rate < 0.9 * (SELECT max(rate) FROM curves)")
    (edit,) = Result(driver.store).diary(0).entries
    assert edit.text == HOSTILE
    assert edit.changes["lr"][1] == pytest.approx(edit.changes["lr"][0] / 2)
    assert page.input_value("#act-values input") == "", "so that it is not asked for twice"
    watched.until("() => document.querySelector('#acts-list')?.innerText.includes('onerror')")
    assert page.evaluate("window.hit") is None

    page.get_by_label("roll back").check()
    page.locator("[name=to_step]").fill("39")
    page.get_by_label("lr", exact=False).first.fill("0.03")
    assert "goes on from step 39" in asked(watched, "said.includes('goes on') && said")
    wait_for(driver, 1, "trial = 0")
    page.get_by_label("note", exact=False).first.check()
    page.locator("[name=note]").fill("two days later")
    assert asked(watched, "said === 'noted' && said") == "noted"
    assert [one.action for one in Result(driver.store).diary(0).entries] == ["edit", "rollback", "note"]
    watched.until("() => document.querySelectorAll('#acts-list tr').length >= 3", seconds=60)


@pytest.mark.timeout(180)
def test_a_trial_is_forked_paused_and_let_go_on(driver: Driver, board: Board, visit: Visit, tmp_path: Path) -> None:
    watched = visit(board.said["link"], allowed=(f"http://127.0.0.1:{board.port}/",))
    page = watched.page
    page.locator("#sweep-list button").click()
    watched.until("() => document.querySelector('#act-facts').innerText.startsWith('running at step')")

    page.get_by_label("fork").check()
    page.locator("[name=at_step]").fill("19")
    page.locator("[name=k]").fill("2")
    page.get_by_label("lr", exact=False).first.fill("1e-3..1e-2")
    page.get_by_label("why").fill("two more cubs")
    asked(watched, "said !== 'asked …' && said")
    until(lambda: states(driver)[1:] != [], page, "there is no fork")
    origins = "SELECT ancestor, last_step FROM lineage WHERE part = 0"
    assert Result(driver.store).sql(origins).fetchall() == [(0, 19)] * 2

    page.get_by_label("pause").check()
    page.locator("#act-trial").fill("0")
    asked(watched, "said.startsWith('pauses at its next checkpoint') && said")
    until(lambda: states(driver)[0] == "PAUSED", page, "it does not pause", 60)
    page.get_by_label("continue").check()
    asked(watched, "said.startsWith('goes on') && said")
    tmp_path.joinpath("enough").touch()
    until(lambda: states(driver) == ["COMPLETED"] * 3, page, "they do not end", 90)
    assert [one.action for one in Result(driver.store).diary(0).entries] == ["forks", "pause", "continue"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_the_form_can_be_perceived_and_reached(board: Board, visit: Visit, scheme: str, width: int) -> None:
    address = f"http://127.0.0.1:{board.port}/"
    watched = visit(
        board.said["link"], allowed=(address,), color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page = watched.page
    page.locator("#sweep-list button").click()
    watched.until("() => document.querySelector('#act-facts').innerText.startsWith('running at step')")
    for act in ("edit", "rollback", "fork", "note"):
        page.locator(f"[name=act][value={act}]").check()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        found = Axe().run(page, context="#act").response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    page.focus("#act-trial")
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.textContent"))
    assert reached[:3] == ["act", "note", "do it"], "radio buttons are one stop"
    page.emulate_media(media="print")
    assert not page.locator("#act").is_visible()
