"""A sweep whose every word is an attack: names, values, errors, notes. Nothing of it runs; it is shown as text."""

import html
from pathlib import Path

import pytest

from caviar.results.open_sweep import open_sweep
from caviar.results.report.report_file import report_frame
from caviar.space import Choice, Float, Space
from caviar.store import Store

from .conftest import Visit
from .reports import add_sweep, falling, look_through, ready, report_of, text
from .watched import until

ATTACKS = (
    "<script>window.hit=1</script>",
    '"><img src=x onerror=window.hit=2>',
    "</script><script>window.hit=3</script>",
    "javascript:window.hit=4",
    "' onmouseover='window.hit=5",
    "<!--<script>",
    "${window.hit=6}",
    "{{7*7}}{% raw %}",
    "&lt;b&gt;&amp;",
    "\\u003cimg src=x onerror=window.hit=7\\u003e",
    "]]></style><svg onload=window.hit=8>",
    "constructor",
)
CONTROLS = ("__proto__", "line\u2028para\u2029end", "\u202eright to left\u202c\u2066x\u2069", "\x1b[31mred\ufffe")
"""Names may not hold these."""
INJECTED = (
    "document.querySelectorAll('body script:not([type]) ~ script, #page script, img, iframe, svg, object, embed')"
)


POLLUTED = "[Object, Object.prototype, Array.prototype, Function.prototype, toString].flatMap(Object.keys)"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """A store with a sweep that is made of attacks."""
    store = Store.open(tmp_path_factory.mktemp("hostile") / "store", create=True)
    space = Space(
        {attack: Float(1e-4, 1.0, scale="log") for attack in ATTACKS}
        | {f"choice {ATTACKS[0]}": Choice([*ATTACKS, *CONTROLS])}
    )
    curves = falling(24, metric=ATTACKS[1])
    for curve in curves:
        for attack in ATTACKS:
            curve.setdefault(f"m {attack}", [1.0 / (1 + step) for step in range(8)])
    sweep = add_sweep(
        store,
        curves,
        states={0: "FAILED", 1: "FAILED"},
        error="Traceback (most recent call last):\n" + "\n".join(ATTACKS + CONTROLS) + f"\nValueError: {ATTACKS[2]}\n",
        provenance=dict.fromkeys(("host", "command", "git_commit"), ATTACKS[0]),
        name=ATTACKS[2],
        metric=ATTACKS[1],
        space=space,
        tags=tuple(ATTACKS[:4]),
        note="\n".join(ATTACKS + CONTROLS),
    )
    return store, sweep


@pytest.fixture(scope="module")
def address(attacked: tuple[Store, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where its report is."""
    store, sweep = attacked
    return report_of(store, sweep, at=tmp_path_factory.mktemp("hostile") / "report.html")


def test_nothing_of_it_runs_and_it_is_shown_as_text(visit: Visit, address: str) -> None:
    watched = ready(visit(address, viewport={"width": 1280, "height": 800}))
    look_through(watched)
    page = watched.page
    box = page.locator("#curves .picture").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.focus("#curves .picture")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#live")
    assert page.evaluate("window.hit") is None
    assert page.evaluate(POLLUTED) == []
    assert page.evaluate(f"{INJECTED}.length") == 0
    shown = text(watched)
    assert ATTACKS[2] in page.inner_text("#name")
    for attack in ATTACKS[:4]:
        assert attack in shown


def test_its_names_pass_through_the_address(visit: Visit, address: str) -> None:
    watched = ready(visit(address))
    watched.page.evaluate("keep => caviar.set({keep})", {name: [0.2, 0.7] for name in ATTACKS})
    before = watched.page.evaluate("Object.entries(caviar.state.keep)")
    assert len(before) == len(ATTACKS)
    hash_ = watched.until("() => location.hash.length > 100 && location.hash")
    again = ready(visit(address + hash_))
    look_through(again)
    assert sorted(again.page.evaluate("Object.entries(caviar.state.keep)")) == sorted(before)
    assert again.page.evaluate("window.hit") is None


MADE_UP = "&".join(
    (
        "#metric=%3Cscript%3Ewindow.hit%3D1%3C/script%3E&color=__proto__&sort=constructor&x=%22%3E%3Cimg%20onerror%3D1%3E",
        "keep.__proto__=0~1&pinned=1e99~NaN~-1&smooth=NaN&hot=999999&summary=toString&theme=%3Cb%3E&sweep=javascript:1",
        "%E0%A4%A&=&&&keep.=1~0&keep.lr=Infinity~NaN&find=%00%F0%9F%98%80",
    )
)


def test_an_address_that_somebody_made_up_does_no_harm(visit: Visit, address: str) -> None:
    watched = ready(visit(address + MADE_UP))
    look_through(watched)
    assert watched.page.evaluate("window.hit") is None
    assert watched.page.evaluate(POLLUTED) == []
    assert watched.page.evaluate("caviar.state.summary") == "toString", "it was read"


def test_the_frame_of_a_notebook_shows_it_and_reaches_nothing(
    visit: Visit, attacked: tuple[Store, str], tmp_path: Path
) -> None:
    store, sweep = attacked
    with open_sweep(store, store.find(sweep), print) as opened:
        frame = report_frame(opened, [], 700)
    around = tmp_path / "notebook.html"
    around.write_text(
        f"<!doctype html><meta charset=utf-8><title>t</title><p>{html.escape(ATTACKS[0])}</p>{frame}", encoding="utf-8"
    )
    watched = visit(around.as_uri(), viewport={"width": 1280, "height": 800})
    (inner,) = [one for one in watched.page.frames if one != watched.page.main_frame]
    until(lambda: inner.evaluate("Boolean(window.caviar && window.caviar.ready)"), watched.page, "the frame is ready")
    inner.evaluate("caviar.set({pinned: [3], smooth: 0.5, keep: {'constructor': [0.1, 0.9]}})")
    for place in range(0, 6000, 500):
        inner.evaluate("place => scrollTo(0, place)", place)
        watched.page.wait_for_timeout(20)
    assert ATTACKS[2] in inner.inner_text("#name")
    assert inner.evaluate("window.hit") is None
    assert watched.page.evaluate("window.hit") is None
    assert inner.evaluate("() => { try { return parent.document.title; } catch { return null; } }") is None
