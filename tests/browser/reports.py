"""Sweeps of any shape, written through the store's own API, and reports of them as a browser shows them."""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from caviar.results.report.report_file import write_report
from caviar.search.samplers import make_sampler, trial_seeds
from caviar.space import Choice, Float, Int, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Writer
from caviar.store.finalize import finalize
from caviar_workers import tables

from .watched import Watched

BEGAN = datetime(2026, 11, 23, 4, 12, 33, tzinfo=UTC)
SPACE = Space({"lr": Float(1e-4, 1.0, scale="log"), "units": Int(20, 100), "act": Choice(["relu", "tanh"])})
Curve = Mapping[str, Sequence[float]]
"""The values of each metric, one a step."""


def add_sweep(
    store: Store,
    curves: Sequence[Curve],
    *,
    states: Mapping[int, str] | None = None,
    error: str = "ValueError: no",
    seconds: float = 1.0,
    provenance: Mapping[str, Any] | None = None,
    **plan: Any,
) -> str:
    """A finished sweep with a trial for each curve; its id.

    Args:
        store: The store.
        curves: Of the trials.
        states: Trial → its state where it did not complete.
        error: What those that failed say.
        seconds: Between two reports.
        provenance: Where it comes from.
        plan: Of the sweep: name, metric, space, …
    """
    given = Plan(**{"name": "odd", "metric": "loss", "mode": "min", "trials": max(len(curves), 1), "seed": 3,
                    "space": SPACE} | plan)  # fmt: skip
    sweep = store.create_sweep({"plan": given.to_json(), "provenance": dict(provenance or {})}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        if curves:
            writer.add("configs", _configs(given, len(curves)))
            writer.add("curves", _curves(curves, seconds))
            writer.add("attempts", _attempts(curves, states or {}, error, seconds))
    finalize(sweep, epoch)
    return sweep.id


def _configs(plan: Plan, n: int) -> pa.Table:
    u = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials).points(0, n)
    fixed = {"trial": range(n), "seed": trial_seeds(plan.seed, 0, n).astype("int64"), "index": range(n)}
    columns = fixed | {"u": u.tolist()} | {name: one.tolist() for name, one in plan.space.arrays(u).items()}
    schema = tables.configs_schema({name: one.kind for name, one in plan.space.items()})
    return pa.Table.from_arrays([pa.array(list(columns[one.name]), type=one.type) for one in schema], schema=schema)


def _metrics(curves: Sequence[Curve]) -> list[str]:
    return list(dict.fromkeys(name for curve in curves for name in curve))


def _length(curve: Curve) -> int:
    return max(map(len, curve.values()), default=0)


def _curves(curves: Sequence[Curve], seconds: float) -> pa.Table:
    schema = tables.schema("curves")
    for name in _metrics(curves):
        schema = schema.append(pa.field(name, pa.float64()))
    rows = [
        {"trial": trial, "attempt": 0, "_seq": step, "_start": 0, "step": step}
        | {"time": BEGAN + timedelta(seconds=trial + seconds * step)}
        | {name: values[step] for name, values in curve.items()}
        for trial, curve in enumerate(curves)
        for step in range(_length(curve))
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def _attempts(curves: Sequence[Curve], states: Mapping[int, str], error: str, seconds: float) -> pa.Table:
    schema = tables.schema("attempts")
    for name in _metrics(curves):
        for form in ("last", "min", "max"):
            schema = schema.append(pa.field(f"{form}_{name}", pa.float64()))
    rows = []
    for trial, curve in enumerate(curves):
        steps, state = _length(curve), states.get(trial, "COMPLETED")
        row: dict[str, Any] = {"trial": trial, "attempt": 0, "state": state, "cause": "first", "host": "box", "pid": 1}
        row |= {"started": BEGAN + timedelta(seconds=trial), "busy": seconds * steps, "devices": "", "rows": steps}
        row |= {"ended": BEGAN + timedelta(seconds=trial + seconds * steps), "step": steps - 1 if steps else None}
        row |= {"start": 0, "diverged": any(not math.isfinite(x) for values in curve.values() for x in values)}
        row |= {"kind": "error", "error": error} if state == "FAILED" else {}
        for name, values in curve.items():
            finite = [x for x in values if math.isfinite(x)]
            row[f"last_{name}"] = values[-1] if values else None
            row |= {f"min_{name}": min(finite, default=None), f"max_{name}": max(finite, default=None)}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=schema)


def falling(n: int, steps: int = 8, metric: str = "loss") -> list[Curve]:
    """Curves of n trials that fall to different values; the last trial is best."""
    return [{metric: [1 + (n - i) / n + math.exp(-step) for step in range(steps)]} for i in range(n)]


def report_of(store: Store, *sweeps: str, at: Path) -> str:
    """Write a report of sweeps to a file; its address."""
    write_report(store, [store.find(sweep) for sweep in sweeps], str(at), print, force=True)
    return at.as_uri()


def ready(watched: Watched) -> Watched:
    """Wait until the page shows its sweep."""
    watched.until("window.caviar && window.caviar.ready")
    return watched


BLANK = """() => [...document.querySelectorAll('.picture')].filter(one => one.offsetParent).filter(one =>
    ![...one.querySelectorAll('canvas')].some(({ariaHidden, width, height}, i, all) => !ariaHidden && width && height
        && new Uint32Array(all[i].getContext('2d').getImageData(0, 0, width, height).data.buffer).some(Boolean)))
    .map(one => one.ariaLabel)"""
"""Names of the pictures that can be seen and on which nothing is drawn."""

SHOW_NEXT = """() => { const size = one => (one.querySelector('canvas') || {width: 300}).width;
    const left = [...document.querySelectorAll('.picture')].filter(one => one.offsetParent && size(one) === 300);
    (left[0] || document.querySelector('#trials')).scrollIntoView();
    return left.length; }"""
"""Scroll to the first picture whose canvas has no size of its own yet, and say how many there are."""


def look_through(watched: Watched, seconds: float = 20) -> None:
    """Scroll through the page, so that all pictures and the table are drawn."""
    page, end = watched.page, time.monotonic() + seconds
    while (left := page.evaluate(SHOW_NEXT)) and time.monotonic() < end:
        page.wait_for_timeout(30)
    page.wait_for_timeout(30)
    assert (left, page.evaluate(BLANK)) == (0, [])


def text(watched: Watched) -> str:
    """All that can be read on the page."""
    return str(watched.page.evaluate("document.body.innerText"))
