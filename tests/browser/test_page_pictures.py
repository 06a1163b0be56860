"""A report in a browser: what is under the pointer, what is selected, what the keys do, and what is said in words."""

import html
import math

import numpy as np
import pytest

from caviar.display.page import report_html

from .made_payload import STEPS, TRIALS, curves, made_payload
from .watched import until

READY = "window.caviar && window.caviar.ready"
BEST = int(curves()[:, -1].argmin())
RANKED = curves()[:, -1].argsort()


@pytest.fixture
def report(visit, tmp_path):
    """Opens a report of the made sweep, with a fragment; gives the page, once it has drawn."""

    def open_report(fragment="", payload=None, **context):
        (tmp_path / "report.html").write_text(report_html("made", [payload or made_payload()]), encoding="utf-8")
        watched = visit((tmp_path / "report.html").as_uri() + fragment, **context)
        watched.until(READY)
        watched.page.wait_for_timeout(300)
        return watched.page

    return open_report


def state(page, key):
    return page.evaluate(f"window.caviar.state.{key}")


def nearest(page, box, x, y):
    """The trial whose curve is nearest to a point, by all pieces of all curves, in the pixels that the page draws."""
    left, top, width, height = page.evaluate(
        "(() => { const c = document.querySelector('#curves canvas'); return [c.offsetLeft, c.offsetTop, "
        "c.clientWidth, c.clientHeight]; })()"
    )
    assert (left, top) == (0, 0)
    inner_left = inner_frame(page)
    span = width - inner_left - 54
    low, high = -0.02, 1.02  # the axis with its room
    xs = inner_left + np.arange(STEPS) / (STEPS - 1) * span
    best, found = math.inf, -1
    for trial, values in enumerate(curves()):
        ys = 10 + (1 - (values - low) / (high - low)) * (height - 34)
        for k in range(STEPS - 1):
            d = distance(x - box["x"], y - box["y"], xs[k], ys[k], xs[k + 1], ys[k + 1])
            if d < best:
                best, found = d, trial
    return found, best


def inner_frame(page):
    """Where the first step lies: the page leaves as much room as its longest label takes."""
    return page.evaluate(
        "(() => { const c = document.createElement('canvas').getContext('2d');"
        " c.font = `11px ${getComputedStyle(document.body).fontFamily}`;"
        " return 14 + Math.max(20, ...['0.2', '0.4', '0.6', '0.8', '0', '1'].map((t) => c.measureText(t).width)); })()"
    )


def distance(x, y, x0, y0, x1, y1):
    dx, dy = x1 - x0, y1 - y0
    t = min(max(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0), 1)
    return math.hypot(x0 + t * dx - x, y0 + t * dy - y)


def test_the_nearest_curve_is_named_with_its_configuration(report):
    page = report()
    box = page.locator("#curves .picture").bounding_box()
    rng = np.random.default_rng(7)
    tried = 0
    for x, y in rng.uniform([0.2, 0.25], [0.9, 0.85], (30, 2)):
        at = box["x"] + x * box["width"], box["y"] + y * box["height"]
        wanted, away = nearest(page, box, *at)
        page.mouse.move(*at)
        if away > 25:
            continue
        assert state(page, "hot") == wanted
        assert page.locator("#hint").inner_text().startswith(f"t{wanted} ")
        tried += 1
    assert tried >= 15
    assert "lr" in page.locator("#hint").inner_text()
    page.mouse.move(2, 2)
    assert state(page, "hot") is None
    assert not page.locator("#hint").is_visible()


def test_keys_go_through_the_curves_by_rank_and_escape_lets_go(report):
    page = report()
    page.locator("#curves .picture").focus()
    for key, place in [("Home", 0), ("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("End", TRIALS - 1)]:
        page.keyboard.press(key)
        assert state(page, "hot") == RANKED[place]
    assert page.locator("#live").inner_text().startswith(f"t{RANKED[-1]}, ")
    page.keyboard.press("Enter")
    assert state(page, "pinned") == [RANKED[-1]]
    page.keyboard.press("Escape")
    assert state(page, "hot") is None
    page.keyboard.press("Escape")
    assert state(page, "pinned") == []


def test_a_drag_along_an_axis_selects_in_all_pictures(report):
    page = report()
    page.locator("#parallel").scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    box = page.locator("#parallel .picture").bounding_box()
    page.mouse.move(box["x"] + 34, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 34, box["y"] + 200, steps=4)
    page.mouse.up()
    low, high = state(page, "keep.lr")
    inside = page.evaluate(f"window.caviar.data.parameters[0].u.reduce((n, u) => n + (u >= {low} && u <= {high}), 0)")
    assert 0 < inside < TRIALS
    assert page.locator("#selection-text").inner_text().startswith(f"{inside} of {TRIALS} trials selected")
    assert state(page, "pinned") == [], "the click that ends a drag pins nothing"
    said = page.locator("#trials-said")
    until(lambda: said.inner_text() == f"{inside} of {TRIALS} trials.", page, "the table follows once the hand rests")
    page.mouse.click(box["x"] + 34, box["y"] + 120)
    assert page.evaluate("Object.keys(window.caviar.state.keep)") == []


def test_under_a_drag_the_other_pictures_wait(report):
    page = report(viewport={"width": 1200, "height": 2400})
    box = page.locator("#parallel .picture").bounding_box()
    page.mouse.move(box["x"] + 34, box["y"] + 60)
    page.mouse.down()
    moved = """async ([x, y]) => {
        const before = window.caviar.curves, begun = performance.now();
        const init = {clientX: x, clientY: y, buttons: 1, bubbles: true};
        document.querySelector('#parallel .picture').dispatchEvent(new PointerEvent('pointermove', init));
        await new Promise(requestAnimationFrame);
        return {waits: before === window.caviar.curves, long: performance.now() - begun > 120}; }"""
    page.evaluate("window.before = window.caviar.curves")
    for y in (100, 140, 180):
        seen = page.evaluate(moved, [box["x"] + 34, box["y"] + y])
        assert seen["waits"] or seen["long"], "a hand that rests so long lets them follow"
    assert "lr" in state(page, "keep")
    page.mouse.up()
    until(lambda: page.evaluate("window.before !== window.caviar.curves"), page, "they follow once the hand rests")


def test_an_axis_is_selected_by_keys_too(report):
    page = report()
    page.locator("#parallel").scroll_into_view_if_needed()
    handle = page.locator("#parallel button.axis").first
    handle.focus()
    handle.press("ArrowUp")
    assert state(page, "keep.lr") == pytest.approx([0.4, 0.6])
    until(
        lambda: handle.get_attribute("aria-valuetext") == "about 0.01 to about 0.01", page, "the axis tells its range"
    )
    handle.press("Shift+ArrowUp")
    handle.press("ArrowDown")
    assert state(page, "keep.lr") == pytest.approx([0.3, 0.6])
    handle.press("Delete")
    assert page.evaluate("Object.keys(window.caviar.state.keep)") == []


def test_the_view_is_in_the_address_and_comes_back(report, visit):
    page = report("#keep.lr=0.2~0.7&metric=loss&smooth=0.5&pinned=3~4&logx=true&sort=-p%20lr")
    assert state(page, "smooth") == 0.5
    assert state(page, "pinned") == [3, 4]
    assert page.locator("#selection").is_visible()
    assert page.locator("#smooth").input_value() == "0.5"
    page.locator("#logx").uncheck()
    page.locator("#find").fill("tanh")
    until(lambda: "find=tanh" in page.evaluate("location.hash"), page, "the address tells what is looked for")
    address = page.evaluate("location.hash")
    assert "logx" not in address
    again = visit(page.url.partition("#")[0] + address)
    again.until(READY)
    assert again.page.evaluate("JSON.stringify(window.caviar.state)") == page.evaluate(
        "JSON.stringify(window.caviar.state)"
    )


def test_the_table_sorts_numbers_as_numbers_and_makes_only_the_rows_in_sight(report):
    page = report()
    page.locator("#trials").scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    page.locator("#trials thead button", has_text="lr").click()
    page.wait_for_timeout(200)
    shown = page.locator("#trials tbody tr[data-row]")
    assert shown.count() < TRIALS
    assert page.locator("#trials table").get_attribute("aria-rowcount") == str(TRIALS + 1)
    rows = [int(one) for one in shown.evaluate_all("(all) => all.map((one) => one.dataset.row)")]
    lr = page.evaluate("[...window.caviar.data.parameters[0].values]")
    assert [lr[row] for row in rows] == sorted(lr)[: len(rows)]
    page.locator("#trials thead button", has_text="lr").click()
    assert page.locator("#trials th[aria-sort=descending]").inner_text().startswith("lr")


def test_what_has_nothing_to_show_says_why(report):
    page = report()
    assert page.locator("#pairs-said").inner_text() == "there is none"
    assert not page.locator("#pairs .many").is_visible()
    assert not page.locator("#utilisation").is_visible(), "what is left out without a word"


def test_a_sweep_without_a_trial_says_so_in_each_picture(report):
    page = report(payload=made_payload(slice(0, 0)), viewport={"width": 1000, "height": 4000})
    page.wait_for_timeout(300)
    assert page.locator("#verdict-value").inner_text() == "No trial has completed yet."
    told = {one: page.locator(f"#{one}-said").inner_text() for one in ("curves", "axes", "parallel", "slots", "trials")}
    assert told == {
        **dict.fromkeys(("curves", "axes", "parallel", "slots"), "no trial has begun"),
        "trials": "0 trials.",
    }


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_it_fits_and_each_picture_has_a_name_and_a_sentence(report, width, scheme):
    page = report(viewport={"width": width, "height": 3000}, color_scheme=scheme)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    unnamed = "[...document.querySelectorAll('[role=img]')].filter((one) => !one.getAttribute('aria-label'))"
    assert page.evaluate(f"{unnamed}.length") == 0
    unsaid = "[...document.querySelectorAll('canvas[aria-describedby]')].filter((one) => "
    assert (
        page.evaluate(unsaid + "!document.getElementById(one.getAttribute('aria-describedby')).textContent).length")
        == 0
    )
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") != scheme


def test_paper_shows_all_pictures_on_white(report):
    page = report(color_scheme="dark", viewport={"width": 800, "height": 600})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    inked = """[...document.querySelectorAll('.picture > canvas:first-child')].map((canvas) => {
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        return data.some((value) => value > 0); })"""
    assert page.evaluate(inked) == [True] * 5  # curves, two axes, parallel coordinates, slots
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert not page.locator("#curves .tools").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_sandboxed_frame_shows_it(visit, tmp_path):
    inner = html.escape(report_html("made", [made_payload()]))
    frame = f'<iframe sandbox="allow-scripts" width=900 height=800 srcdoc="{inner}"></iframe>'
    outer = f'<!doctype html><meta charset="utf-8"><title>t</title>{frame}'
    (tmp_path / "outer.html").write_text(outer, encoding="utf-8")
    watched = visit((tmp_path / "outer.html").as_uri())
    frame = watched.page.frames[1]
    until(lambda: frame.evaluate(READY), watched.page, READY)
    assert frame.evaluate("window.caviar.data.n") == TRIALS
    frame.locator("#curves .picture").focus()
    watched.page.keyboard.press("Home")
    assert frame.evaluate("window.caviar.state.hot") == BEST


def test_a_finger_is_told_what_it_touches(report):
    page = report(has_touch=True)
    box = page.locator("#curves .picture").bounding_box()
    x, y = next(
        (box["x"] + 0.5 * box["width"], box["y"] + part * box["height"])
        for part in np.arange(0.3, 0.8, 0.02)
        if nearest(page, box, box["x"] + 0.5 * box["width"], box["y"] + part * box["height"])[1] < 10
    )
    page.touchscreen.tap(x, y)
    until(lambda: state(page, "pinned"), page, "the trial is pinned")
    assert state(page, "pinned") == [nearest(page, box, x, y)[0]]
    assert page.locator("#hint").inner_text().startswith(f"t{state(page, 'pinned')[0]} ")
