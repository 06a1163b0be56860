"""What was done to trials, on the page: a mark on the curve with a box, the branch that ended, and a list in words."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from caviar.display.page import report_html

from .conftest import Visit
from .made_payload import made_payload
from .watched import Watched

HOSTILE = "<img src=x onerror=window.hit=1>"
SAID = [f"was edited at step 6 by ann@box: lr 0.1 → 0.05 ({HOSTILE})", "noted at step 6: </script><b>x</b>"]
ACTS: dict[str, Any] = {
    "metric": "loss",
    "rows": [["t3", "6", "◆ edit", "lr 0.1 → 0.05", HOSTILE, "ann@box", "2026-11-30 12:44"]],
    "marks": [
        {"trial": 3, "step": 6, "value": None, "symbols": "◆●", "said": SAID},
        {"trial": 3, "step": 12, "value": 0.9, "symbols": "◄", "said": ["on the branch that ended"]},
        {"trial": 999, "step": 12, "value": None, "symbols": "●", "said": ["of a trial that is not shown"]},
    ],
    "branches": [{"trial": 3, "branch": 0, "points": [[8, 0.5], [10, 0.7], [12, 0.9]]}],
}
PLACE = """([trial, step]) => { const {xs, ys, steps, start, length, rows} = caviar.curves;
    const i = rows.findIndex(row => caviar.data.trial[row] === trial);
    const k = Array.from({length: length[i]}, (_, j) => start[i] + j).find(j => steps[j] === step);
    return [xs[k], ys[k]]; }"""


@pytest.fixture
def report(visit: Visit, tmp_path: Any) -> Any:
    """Opens a report with these acts."""

    def opened(fragment: str = "", **context: Any) -> Watched:
        payload = made_payload(acts=ACTS, absent={"utilisation": ""})
        (tmp_path / "report.html").write_text(report_html("made", [payload]), encoding="utf-8")
        watched = visit((tmp_path / "report.html").as_uri() + fragment, **context)
        watched.until("window.caviar && caviar.ready && caviar.curves")
        watched.page.evaluate("document.querySelector('#curves').scrollIntoView()")
        watched.page.wait_for_timeout(100)
        return watched

    return opened


def hint_at(watched: Watched, x: float, y: float) -> str:
    box = watched.page.locator("#curves .picture").bounding_box()
    assert box is not None
    watched.page.mouse.move(box["x"] + x, box["y"] + y)
    return str(watched.page.evaluate("document.querySelector('#hint').innerText"))


def test_a_mark_says_what_was_done_and_nothing_of_it_runs(report: Any) -> None:
    watched = report()
    told = hint_at(watched, *watched.page.evaluate(PLACE, [3, 6]))
    assert told.startswith("t3 ")
    assert all(one in told for one in SAID)
    x, y = watched.page.evaluate(PLACE, [3, 9])
    assert SAID[0] not in hint_at(watched, x, y), "elsewhere on the curve it is not told"
    assert watched.page.evaluate("window.hit") is None
    assert watched.page.locator("#acts-list td").nth(3).inner_text() == HOSTILE


@pytest.mark.parametrize(("fragment", "there"), [("", True), ("#smooth=0.5", False), ("#x=compute", False)])
def test_a_mark_on_a_branch_that_ended_is_there_where_the_branch_is(report: Any, fragment: str, there: bool) -> None:
    watched = report(fragment)
    x, y = watched.page.evaluate("() => { const {across, place} = caviar.curves; return [across(12), place(0.9)]; }")
    assert ("on the branch that ended" in hint_at(watched, x, y)) is there


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_the_list_is_there_for_all(report: Any, scheme: str, width: int) -> None:
    watched = report(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = watched.page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("#acts-list tr").inner_text().split("\t")[:4] == ["t3", "6", "◆ edit", "lr 0.1 → 0.05"]
    found = Axe().run(page, context="#acts").response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
