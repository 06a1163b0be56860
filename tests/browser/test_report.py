"""The report of a sweep as a person uses it: pointer, keyboard, address, dark and narrow windows, paper."""

from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from caviar import Result
from caviar.store import Store

from ..formula_sweeps import add_formula, make_plan
from .conftest import Visit
from .reports import BLANK, look_through, ready, report_of, text

FAILED, STOPPED = 3, 7


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report of 200 trials; the store lies beside it."""
    folder = tmp_path_factory.mktemp("report")
    store = Store.open(folder / "store", create=True)
    sweep = add_formula(store, make_plan(200), states={FAILED: "FAILED", STOPPED: "STOPPED"})
    return report_of(store, sweep, at=folder / "report.html")


@pytest.fixture(scope="module")
def trials(report: str) -> dict[str, np.ndarray]:
    """The columns of the store's own view of its trials."""
    path = Path(report.removeprefix("file://")).with_name("store")
    frame = Result(path).sql("SELECT * FROM trials ORDER BY trial").df()
    return {name: frame[name].to_numpy() for name in frame}


def test_it_opens_from_disk_and_each_picture_is_drawn(visit: Visit, report: str, trials: dict[str, np.ndarray]) -> None:
    watched = ready(visit(report, viewport={"width": 1280, "height": 800}))
    look_through(watched)
    best = int(np.nanargmin(np.where(trials["state"] == "COMPLETED", trials["last_val_error"], np.nan)))
    assert watched.page.inner_text("#verdict-value").split() == [f"t{best}", f"{trials['last_val_error'][best]:.4f}"]
    policy = watched.page.get_attribute("meta[http-equiv]", "content")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


NEAREST = """([x, y]) => {  // by trying each piece of each curve
    const {xs, ys, start, length, rows} = caviar.curves, apart = (row, k) => {
        const [ax, ay, bx, by] = [xs[k - 1], ys[k - 1], xs[k], ys[k]], square = (bx - ax) ** 2 + (by - ay) ** 2;
        const t = square ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square)) : 0;
        return Math.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y); };
    let found = [Infinity, null];
    rows.forEach((row, i) => { for (let k = start[i] + 1; k < start[i] + length[i]; k++) {
        const d = apart(row, k); if (d < found[0]) found = [d, caviar.data.trial[row]]; } });
    return found; }"""


BESIDE = "x => Array.from(caviar.curves.ys).filter((y, k) => y > 0 && Math.abs(caviar.curves.xs[k] - x) < 60)"


def test_the_pointer_names_the_nearest_curve(visit: Visit, report: str) -> None:
    watched = ready(visit(report, viewport={"width": 1280, "height": 800}))
    page, rng = watched.page, np.random.default_rng(0)
    watched.until("caviar.curves")
    page.evaluate("document.querySelector('#curves').scrollIntoView()")
    box = page.locator("#curves .picture").bounding_box()
    assert box is not None
    frame = page.evaluate("caviar.curves.frame")
    right = 0
    for _ in range(20):
        x = frame["left"] + rng.uniform(0.02, 0.98) * frame["width"]
        y = float(rng.choice(page.evaluate(BESIDE, x))) + rng.uniform(-8, 8)
        page.mouse.move(box["x"] + x, box["y"] + y)
        distance, trial = page.evaluate(NEAREST, [x, y])
        assert distance < 30
        right += page.evaluate("caviar.state.hot") == trial
        assert page.inner_text("#hint b") == f"t{trial}"
    assert right == 20
    page.mouse.move(2, 2)
    assert page.evaluate("caviar.state.hot") is None
    assert page.is_hidden("#hint")


def test_curves_lie_where_their_values_are(visit: Visit, report: str, trials: dict[str, np.ndarray]) -> None:
    watched = ready(visit(f"{report}#logy=false"))
    watched.until("caviar.curves")
    rows, ends, lefts = watched.page.evaluate(
        "() => { const {rows, start, length, xs, ys} = caviar.curves, end = i => start[i] + length[i] - 1; return ["
        "rows.map(row => caviar.data.trial[row]), rows.map((_, i) => ys[end(i)]), rows.map((_, i) => xs[end(i)])] }"
    )
    values = trials["last_val_error"][rows]
    shown = np.isfinite(values)
    assert np.corrcoef(values[shown], np.array(ends)[shown])[0, 1] < -0.9999, "the less, the lower"
    steps = trials["step"][rows]
    assert np.corrcoef(steps, lefts)[0, 1] > 0.9999


def test_a_logarithm_of_steps_has_room_for_step_0(visit: Visit, report: str) -> None:
    watched = ready(visit(f"{report}#logx=true", viewport={"width": 1280, "height": 800}))
    watched.until("caviar.curves")
    xs = "const {xs, start, frame, rows} = caviar.curves, first = rows.map((_, i) => xs[start[i]]);"
    assert watched.page.evaluate(f"() => {{ {xs} return first.every(x => x === frame.left); }}")
    page = watched.page
    page.evaluate("document.querySelector('#curves').scrollIntoView()")
    box, frame = page.locator("#curves .picture").bounding_box(), page.evaluate("caviar.curves.frame")
    x, (y,) = frame["left"] + 20, page.evaluate("[caviar.curves.ys[caviar.curves.start[0]]]")
    page.mouse.move(box["x"] + x, box["y"] + y)
    assert page.evaluate("caviar.state.hot") == page.evaluate(NEAREST, [x, y])[1]


def brushed(watched, name: str) -> None:
    """Drag from a quarter to the middle of an axis of the parallel coordinates."""
    page = watched.page
    page.locator("#parallel").scroll_into_view_if_needed()
    handle = page.locator("#parallel button.axis", has_text=name)
    handle.wait_for()
    box, at = page.locator("#parallel .picture").bounding_box(), handle.bounding_box()
    x, top, height = at["x"] + at["width"] / 2, box["y"] + 44, box["height"] - 58
    page.mouse.move(x, top + height * 0.75)
    page.mouse.down()
    page.mouse.move(x, top + height * 0.6, steps=3)
    page.mouse.move(x, top + height * 0.5)
    page.mouse.up()


def test_a_brush_selects_in_all_pictures_and_in_the_address(
    visit: Visit, report: str, trials: dict[str, np.ndarray]
) -> None:
    watched = ready(visit(report, viewport={"width": 1280, "height": 800}))
    page = watched.page
    brushed(watched, "lr")
    low, high = watched.until("caviar.state.keep.lr")
    assert (low, high) == (pytest.approx(0.25, abs=0.02), pytest.approx(0.5, abs=0.02))
    u = (np.log10(trials["lr"]) + 4) / 4
    expected = set(np.flatnonzero((u >= low) & (u <= high)).tolist())
    assert 20 < len(expected) < 100
    page.fill("#find", "")
    shown = watched.until("() => document.querySelector('#trials-said').innerText")
    assert str(len(expected)) in shown
    assert str(len(expected)) in page.inner_text("#selection-text")
    hash_ = watched.until("() => location.hash.includes('keep.lr=') && location.hash")
    page.select_option("#metric", "train_error")
    page.evaluate("caviar.set({pinned: [5, 9], smooth: 0.5})")
    hash_ = watched.until("() => location.hash.includes('pinned') && location.hash")
    again = ready(visit(report + hash_))
    told = again.page.evaluate("caviar.state")
    before = page.evaluate("caviar.state")
    assert told == before | {"keep": {"lr": pytest.approx([low, high], abs=1e-4)}}
    assert again.page.input_value("#metric") == "train_error"
    page.reload()
    ready(watched)
    assert page.evaluate("caviar.state.pinned") == [5, 9]
    page.click("#clear")
    assert page.evaluate("Object.keys(caviar.state.keep)") == []


REACHABLE = """() => [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.tabIndex >= 0)
    .map((one, i) => { one.dataset.place = i; return i; })"""


def test_the_keyboard_reaches_all_there_is(visit: Visit, report: str) -> None:
    watched = ready(visit(report, viewport={"width": 1280, "height": 800}))
    look_through(watched)
    page = watched.page
    page.evaluate("scrollTo(0, 0)")
    wanted = set(page.evaluate(REACHABLE))
    assert len(wanted) > 25
    reached = set()
    for _ in range(len(wanted) + 60):
        if wanted <= reached:
            break
        page.keyboard.press("Tab")
        reached.add(page.evaluate("Number(document.activeElement.dataset.place ?? -1)"))
    assert wanted - reached == set()


def test_the_table_is_one_stop_and_arrows_go_through_its_rows(visit: Visit, report: str) -> None:
    watched = ready(visit(f"{report}#sort=trial", viewport={"width": 1280, "height": 800}))
    page = watched.page
    page.evaluate("document.querySelector('#trials').scrollIntoView()")
    watched.until("document.querySelector('tr[data-row]')")
    page.focus("#trials .scroll")
    for _ in range(40):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("caviar.state.hot") == 39
    row = page.locator("tr.best[data-row='39']").bounding_box()
    box = page.locator("#trials .scroll").bounding_box()
    assert row is not None
    assert box is not None
    assert box["y"] <= row["y"] <= box["y"] + box["height"] - row["height"], "it is in sight"
    page.keyboard.press("Enter")
    assert page.evaluate("caviar.state.pinned") == [39]
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('tr[data-row]')") is None
    assert page.evaluate("document.activeElement.closest('#trials')") is None


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_nothing_is_hard_to_perceive_or_to_reach(visit: Visit, report: str, scheme: str, width: int) -> None:
    watched = ready(visit(report, color_scheme=scheme, viewport={"width": width, "height": 800}))
    look_through(watched)
    assert watched.page.evaluate("document.documentElement.scrollWidth") == width, "nobody need scroll sideways"
    found = Axe().run(watched.page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in serious] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_are_those_that_the_system_prefers_until_asked_for_others(
    visit: Visit, report: str, scheme: str
) -> None:
    watched = ready(visit(report, color_scheme=scheme))
    page = watched.page
    lightness = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    assert (sum(page.evaluate(lightness)) < 200) is (scheme == "dark")
    page.click("#theme")
    assert (sum(page.evaluate(lightness)) < 200) is (scheme == "light")
    other = "light" if scheme == "dark" else "dark"
    watched.until(f"() => location.hash.includes('theme={other}')")


@pytest.mark.nightly  # by day the page of a made-up payload is printed
def test_paper_shows_all_pictures(visit: Visit, report: str, tmp_path: Path) -> None:
    watched = ready(visit(report, color_scheme="dark", viewport={"width": 1280, "height": 800}))
    assert watched.page.evaluate(BLANK) != [], "nobody has scrolled to them yet"
    watched.until("typeof window.echarts.init === 'function'")
    watched.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert watched.page.evaluate(BLANK) == []
    assert watched.page.evaluate("document.documentElement.dataset.theme") == "light"
    watched.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert watched.page.evaluate("document.documentElement.dataset.theme") == "dark"
    watched.page.evaluate("addEventListener('beforeprint', () => { window.told = true; })")
    printed = watched.page.pdf(format="A4")
    assert watched.page.evaluate("window.told"), "the browser says so before it prints"
    assert printed.startswith(b"%PDF")
    assert len(printed) > 50_000


def test_several_sweeps_are_chosen_from(visit: Visit, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    first, second = (add_formula(store, make_plan(16, name)) for name in ("one", "two"))
    watched = ready(visit(report_of(store, first, second, at=tmp_path / "both.html")))
    assert "one" in watched.page.inner_text("#name")
    watched.page.select_option("#sweep", second)
    watched.until("id => caviar.data.id === id", second)
    assert "two" in watched.page.inner_text("#name")
    assert watched.until(f"() => location.hash.includes('{second}')")
    assert "undefined" not in text(watched)
