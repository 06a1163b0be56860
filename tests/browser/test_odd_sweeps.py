"""Reports of sweeps that are empty, small or odd: each opens, says what there is, and shows no number that is none."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from caviar.space import Choice, Float, Int, Space
from caviar.store import Store

from ..formula_sweeps import add_formula, make_plan
from ..small_stores import add_every_kind
from .conftest import Visit
from .reports import add_sweep, falling, look_through, ready, report_of, text

LONG = "a_name_that_goes_on_" * 10
ODD = "κ 🦊 שלום 漢字"
HUGE = 1.7e308

SWEEPS: dict[str, Callable[[Store], str]] = {
    "no trial": lambda store: add_sweep(store, []),
    "one trial": lambda store: add_sweep(store, falling(1)),
    "two trials": lambda store: add_sweep(store, falling(2)),
    "one step": lambda store: add_sweep(store, falling(12, steps=1)),
    "one trial of one step": lambda store: add_sweep(store, falling(1, steps=1)),
    "a constant metric": lambda store: add_sweep(store, [{"loss": [0.25] * 6}] * 10),
    "zero": lambda store: add_sweep(store, [{"loss": [0.0] * 6}] * 10),
    "all failed": lambda store: add_sweep(store, [{"loss": []}] * 6, states=dict.fromkeys(range(6), "FAILED")),
    "all diverged": lambda store: add_sweep(store, [{"loss": [1.0, math.nan, math.inf, -math.inf, math.nan]}] * 6),
    "two hundred metrics": lambda store: add_sweep(
        store, [curve | {f"metric {k}": [k + 0.5] * 8 for k in range(199)} for curve in falling(10)]
    ),
    "sixty parameters": lambda store: add_sweep(
        store, falling(70), space=Space({f"parameter {k}": Float(0.0, 1.0) for k in range(60)})
    ),
    "no parameter": lambda store: add_sweep(store, falling(6), space=Space({"fixed": 3})),
    "conditional": lambda store: add_formula(store, make_plan(40)),
    "the most is best": lambda store: add_formula(store, make_plan(40, mode="max")),
    "long names": lambda store: add_sweep(
        store,
        [{LONG[:128]: curve["loss"]} for curve in falling(20)],
        metric=LONG[:128],
        name=LONG[:64],
        space=Space(
            {f"{k}{LONG}"[:128]: Float(0.1, 1.0, scale="log") for k in range(3)}
            | {f"c{LONG}"[:128]: Choice([f"{k}{LONG}" for k in range(3)])}
        ),
    ),
    "other scripts": lambda store: add_sweep(
        store,
        [{ODD: curve["loss"]} for curve in falling(20)],
        metric=ODD,
        space=Space({ODD: Int(1, 9), f"{ODD} 2": Choice([ODD, "👩‍👩‍👧‍👦", "é"])}),
    ),
    "the largest numbers": lambda store: add_sweep(
        store, [{"loss": [HUGE, -HUGE, HUGE / (i + 1), -HUGE / (i + 1)]} for i in range(8)]
    ),
    "the smallest numbers": lambda store: add_sweep(store, [{"loss": [5e-324 * (i + 1)] * 4} for i in range(8)]),
    "two months": lambda store: add_sweep(store, falling(8), seconds=86400 * 7.5),
    "what is running, paused, lost": lambda store: add_every_kind(store)["resumed"],
}
WORDLESS = """[...document.querySelectorAll('.said[id$=-said]')].filter(one => one.offsetParent && !one.textContent)
    .map(one => one.id).filter(id => id !== 'provenance-said')"""
NO_NUMBER = re.compile(r"\b(NaN|undefined|null|Infinity|\[object|true|false)\b")


IN_THE_GATE = {"no trial", "all failed", "other scripts", "the largest numbers"}
"""Those by which something else is not there, too long or too large; the others are looked at by night."""


@pytest.mark.parametrize(
    "kind", [pytest.param(one, marks=[pytest.mark.nightly] * (one not in IN_THE_GATE)) for one in SWEEPS]
)
def test_it_opens_and_says_what_there_is(visit: Visit, tmp_path: Path, kind: str) -> None:
    store = Store.open(tmp_path / "store", create=True)
    sweep = SWEEPS[kind](store)
    watched = ready(visit(report_of(store, sweep, at=tmp_path / "report.html"), viewport={"width": 400, "height": 900}))
    look_through(watched)
    page = watched.page
    assert NO_NUMBER.findall(text(watched)) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 400, "it is not scrolled sideways"
    assert len(page.inner_text("#verdict")) > 20
    assert page.evaluate(WORDLESS) == []
    for picture in ("#curves .picture", "#parallel .picture"):
        if page.is_visible(picture):
            page.focus(picture)
            page.keyboard.press("End")
            page.keyboard.press("Home")
