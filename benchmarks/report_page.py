"""What the report of a large sweep costs: to write, to open, to hover and to select in; beside a bare canvas.

    python benchmarks/report_page.py [--sizes 200x30 10000x100] [--huge 100000x10] [--json FILE]

A size is trials × steps, of one metric and ten parameters. The report is written by a process of its own, `caviar
report`, and opened from disk in headless Chromium, whose CPU seconds are those of all its processes, software drawing
included. The other side of the curves is the same lines on a bare canvas, in the same page. Without Chromium only what
is written is measured. Budgets: 200 × 30 ≤ 0.7 MB, 10,000 × 100 ≤ 3 MB, written in ≤ 4 CPU s; first picture ≤ 3.5 CPU
s; curves ≤ 3 × the bare canvas; the nearest curve right 20 times of 20, in ≤ 8 ms; a move of a brush ≤ 0.1 CPU s.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

from caviar.search.samplers import make_sampler, trial_seeds
from caviar.space import Choice, Float, Int, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Writer
from caviar.store.finalize import finalize
from caviar_workers import tables
from pairs import write_json
from process_tree import run_tree

CAVIAR = str(Path(sys.executable).with_name("caviar"))
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, scale="log"),
        "beta": Float(0.9, 0.9999, scale="reverse_log"),
        "units": Int(16, 1024, scale="log"),
        "layers": Int(1, 8),
        "act": Choice(["relu", "tanh", "gelu"]),
        **{f"p{k}": Float(0.0, 1.0) for k in range(5)},
    }
)
BEGUN_MS = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
REDRAWS, MOVES, POINTS = 5, 20, 20
BLOCK = 2_000


def fill(store: Store, trials: int, steps: int) -> str:
    """Record a finished sweep; returns its id."""
    plan = Plan(name=f"{trials} x {steps}", metric="loss", mode="min", trials=trials, seed=0, space=SPACE)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    u = make_sampler("random", SPACE, 0, trials).points(0, trials)
    columns = SPACE.arrays(u)
    rng = np.random.default_rng(0)
    worth = 0.1 + np.abs(np.log10(columns["lr"]) + 2) / 5 + 0.02 * rng.standard_normal(trials)
    with Writer(sweep, epoch) as writer:
        writer.add("configs", _configs(u, columns))
        for first in range(0, trials, BLOCK):
            some = worth[first : first + BLOCK]
            loss = (
                some[:, None] + np.exp(-np.arange(steps) / steps * 5) + 0.01 * rng.standard_normal((len(some), steps))
            )
            writer.add("curves", _curves(first, loss))
            writer.add("attempts", _attempts(first, loss))
    finalize(sweep, epoch)
    return sweep.id


def _table(schema: pa.Schema, columns: dict[str, Any], count: int) -> pa.Table:
    """Columns given as arrays or as one value for all rows; those that are not given are empty."""
    whole = {name: value if isinstance(value, np.ndarray) else [value] * count for name, value in columns.items()}
    arrays = [pa.array(whole.get(one.name, [None] * count)).cast(one.type) for one in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _configs(u: np.ndarray, columns: dict[str, Any]) -> pa.Table:
    n = len(u)
    schema = tables.configs_schema({name: one.kind for name, one in SPACE.items()})
    fixed = {"trial": np.arange(n), "seed": trial_seeds(0, 0, n).astype("int64"), "index": np.arange(n)}
    listed = fixed | {"u": u.tolist()} | {name: one.tolist() for name, one in columns.items()}
    return pa.Table.from_arrays([pa.array(listed[one.name], type=one.type) for one in schema], schema=schema)


def _curves(first: int, loss: np.ndarray) -> pa.Table:
    count, steps = loss.shape
    step = np.tile(np.arange(steps), count)
    trial = np.repeat(np.arange(first, first + count), steps)
    times = (BEGUN_MS + trial * 100 + step * 250).astype("M8[ms]")
    columns = {"trial": trial, "attempt": 0, "_seq": step, "_start": 0, "step": step, "time": times}
    schema = tables.schema("curves").append(pa.field("loss", pa.float64()))
    return _table(schema, columns | {"loss": loss.ravel()}, loss.size)


def _attempts(first: int, loss: np.ndarray) -> pa.Table:
    count, steps = loss.shape
    schema = tables.schema("attempts")
    for form in ("last", "min", "max"):
        schema = schema.append(pa.field(f"{form}_loss", pa.float64()))
    trial = np.arange(first, first + count)
    begun = BEGUN_MS + trial * 100
    columns = {"trial": trial, "attempt": 0, "state": "COMPLETED", "cause": "first", "host": "box", "pid": 1}
    columns |= {"started": begun.astype("M8[ms]"), "ended": (begun + steps * 250).astype("M8[ms]"), "devices": ""}
    columns |= {"busy": steps / 4, "rows": steps, "step": steps - 1, "start": 0, "diverged": False}
    columns |= {"last_loss": loss[:, -1], "min_loss": loss.min(axis=1), "max_loss": loss.max(axis=1)}
    return _table(schema, columns, count)


def written(store: Path, sweep: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Write the report of a sweep as a person does; the file, and what it cost."""
    file = folder / f"{sweep}.html"
    ran = run_tree([CAVIAR, "report", sweep, "-o", file, "--store", store], folder, dict(os.environ))
    said = (folder / "stderr").read_text("utf-8").splitlines() + ran.output.splitlines()
    left_out = [line for line in said if "wrote" not in line]
    return file, {"MB": file.stat().st_size / 1e6, "build_cpu_s": ran.cpu_s, "left_out": left_out}


def browser_cpu_s() -> float:
    """CPU seconds of Chromium's processes that are alive."""
    found = 0.0
    for one in psutil.Process().children(recursive=True):
        try:
            if "chrom" in one.name():
                used = one.cpu_times()
                found += used.user + used.system
        except psutil.Error:  # it has ended since
            continue
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser, or None where no Chromium is installed."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        print("no Chromium on the PATH: what the browser takes is not measured")
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=os.geteuid() != 0)
        yield browser
        browser.close()


def until(page: Any, condition: str) -> None:
    """Wait for an expression of JavaScript: the page's policy forbids what Playwright has for it."""
    end = time.monotonic() + 300
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise SystemExit(f"not within 300 s: {condition}")
        page.wait_for_timeout(20)


def opened(browser: Any, file: Path) -> tuple[Any, dict[str, Any]]:
    """Open a report; the page, and what it took until its first picture was there."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    before, begun = browser_cpu_s(), time.perf_counter()
    page.goto(file.as_uri())
    until(page, "Boolean(window.caviar && window.caviar.ready && window.caviar.curves)")
    wall = time.perf_counter() - begun
    page.wait_for_timeout(300)
    return page, {"first_picture_cpu_s": browser_cpu_s() - before, "first_picture_s": wall}


# Each leaves one pixel read back, so that all is painted.
REDRAW = """async (count) => {
    const canvas = document.querySelector('#curves canvas');
    for (let k = 0; k < count; k++) {
        const before = caviar.curves;
        caviar.set({logx: !caviar.state.logx});
        while (caviar.curves === before || !caviar.curves) await new Promise(requestAnimationFrame);
        canvas.getContext('2d').getImageData(0, 0, 1, 1);
    } }"""
BARE = """(count) => {
    const like = document.querySelector('#curves canvas'), {xs, ys, start, length, order} = caviar.curves;
    for (let k = 0; k < count; k++) {
        const canvas = Object.assign(document.createElement('canvas'), {width: like.width, height: like.height});
        const context = canvas.getContext('2d');
        order.toReversed().forEach((i, place) => {
            context.strokeStyle = `rgb(${Math.floor(place / 10) % 200}, 90, 160)`;
            context.beginPath();
            for (let at = start[i]; at < start[i] + length[i]; at++) context.lineTo(xs[at], ys[at]);
            context.stroke();
        });
        context.getImageData(0, 0, 1, 1);
    } }"""
HOVER = """(count) => {
    const box = document.querySelector('#curves .picture'), around = box.getBoundingClientRect(), found = [];
    const {xs, ys, start, length, rows, order, frame} = caviar.curves;
    let seed = 1;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let k = 0; k < count; k++) {
        const i = order[Math.floor(random() * order.length)], at = start[i] + Math.floor(random() * length[i]);
        const [x, y] = [xs[at] + 3 * random(), Math.min(Math.max(ys[at] + 3 * random(), 15), frame.height)];
        let least = Infinity, nearest = null;
        for (const i of order) for (let p = start[i] + 1; p < start[i] + length[i]; p++) {
            const [dx, dy] = [xs[p] - xs[p - 1], ys[p] - ys[p - 1]], square = dx * dx + dy * dy;
            const t = Math.min(Math.max(((x - xs[p - 1]) * dx + (y - ys[p - 1]) * dy) / square, 0), 1);
            const d = (xs[p - 1] + t * dx - x) ** 2 + (ys[p - 1] + t * dy - y) ** 2;
            if (d < least) { least = d; nearest = caviar.data.trial[rows[i]]; }
        }
        const begun = performance.now();
        box.dispatchEvent(new PointerEvent('pointermove', {clientX: around.left + x, clientY: around.top + y}));
        found.push([performance.now() - begun, caviar.state.hot === nearest]);
    }
    return found; }"""


def drawn(page: Any) -> dict[str, Any]:
    """Curves painted anew, in turns with the same lines on a bare canvas; and the nearest of them."""
    spent: dict[str, list[float]] = {REDRAW: [], BARE: []}
    for _ in range(3):
        for side, costs in spent.items():
            before = browser_cpu_s()
            page.evaluate(side, REDRAWS)
            costs.append((browser_cpu_s() - before) / REDRAWS)
    ours, bare = (statistics.median(costs) for costs in spent.values())
    hovers = page.evaluate(HOVER, POINTS)
    return {
        "curves_cpu_s": ours,
        "bare_canvas_cpu_s": bare,
        "nearest_right": sum(right for _, right in hovers),
        "nearest_ms": statistics.median(ms for ms, _ in hovers),
        "nearest_worst_ms": max(ms for ms, _ in hovers),
    }


def brushed(page: Any) -> float:
    """CPU seconds of a move of the pointer that selects along an axis."""
    page.evaluate("document.querySelector('#parallel').scrollIntoView()")
    page.wait_for_selector("#parallel button.axis")
    page.wait_for_timeout(500)
    box, handle = (page.locator(f"#parallel {one}").first.bounding_box() for one in (".picture", "button.axis"))
    x, y = handle["x"] + handle["width"] / 2, box["y"] + box["height"] * 0.8
    page.mouse.move(x, y)
    page.mouse.down()
    before = browser_cpu_s()
    for k in range(MOVES):
        page.mouse.move(x, y - 4 * k - 8)
        page.wait_for_timeout(50)
    spent = (browser_cpu_s() - before) / MOVES
    page.mouse.up()
    return spent


def looked_at(browser: Any, file: Path, *, whole: bool) -> dict[str, Any]:
    """What the browser takes to open a report, and if `whole` to draw, hover and select in it."""
    page, found = opened(browser, file)
    if whole:
        found |= drawn(page) | {"brush_cpu_s": brushed(page)}
    page.context.close()
    return found


def show(size: str, found: dict[str, Any]) -> None:
    """Print one size: ours, and the other side or the budget."""
    print(f"\n{size}: {found['MB']:.2f} MB, written in {found['build_cpu_s']:.2f} CPU s", flush=True)
    for sentence in found["left_out"]:
        print(f"  {sentence}")
    if "first_picture_s" in found:
        print(f"  first picture {found['first_picture_cpu_s']:.2f} CPU s ({found['first_picture_s']:.2f} s)")
    if "curves_cpu_s" in found:
        ours, bare = found["curves_cpu_s"], found["bare_canvas_cpu_s"]
        ratio = f"{ours / bare:.2f}" if bare else "-"
        print(f"  curves painted {ours:.3f} CPU s, on a bare canvas {bare:.3f} CPU s: {ratio} x")
        right, ms, worst = found["nearest_right"], found["nearest_ms"], found["nearest_worst_ms"]
        print(f"  nearest curve right {right} of {POINTS}, {ms:.1f} ms, worst {worst:.1f} ms")
        print(f"  a move of a brush {found['brush_cpu_s']:.3f} CPU s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["200x30", "10000x100"], metavar="TRIALSxSTEPS")
    parser.add_argument("--huge", default="100000x10", metavar="TRIALSxSTEPS", help="opened only")
    parser.add_argument("--json", metavar="FILE")
    asked = parser.parse_args()
    told: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        place, store = Path(name), Store.open(Path(name) / "store", create=True)
        sizes = {size: fill(store, *map(int, size.split("x"))) for size in [*asked.sizes, asked.huge]}
        files = {size: written(place / "store", sweep, place) for size, sweep in sizes.items()}
        with chromium() as browser:
            for size, (file, found) in files.items():
                told[size] = found | (looked_at(browser, file, whole=size != asked.huge) if browser else {})
                show(size, told[size])
    write_json(asked.json, told)


if __name__ == "__main__":
    main()
