"""Finished sweeps whose trials are worth what a formula says, written through the store's own API."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from caviar.search.samplers import make_sampler, trial_seeds
from caviar.space import Choice, Float, Int, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Writer
from caviar.store.finalize import finalize
from caviar_workers import tables

BEGAN = datetime(2026, 11, 23, 4, 12, 33, tzinfo=UTC)
STEPS = 12
SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, scale="log"),
        "units": Int(20, 100),
        "beta": Float(0.9, 0.999, scale="reverse_log"),
        "act": Choice(["relu", "tanh", "gelu"]),
        "drop": Float(0.0, 0.5, when={"act": "gelu"}),
    }
)
Formula = Callable[[Mapping[str, Any], np.random.Generator], np.ndarray]


def errors(config: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Best at lr = 0.01 and more units; beta and drop do nothing; lr above 0.3 diverges."""
    at = np.abs(np.log10(config["lr"]) + 2) / 2
    found = 0.1 + 0.3 * at + 0.3 * (100 - config["units"]) / 80 + 0.02 * rng.standard_normal(len(at))
    return np.where(np.asarray(config["lr"]) > 0.3, np.nan, found)


def make_plan(trials: int = 64, name: str = "formula", space: Space = SPACE, **changes: Any) -> Plan:
    """A plan over the space of the formula."""
    return Plan(
        **{"name": name, "metric": "val_error", "mode": "min", "trials": trials, "seed": 3, "space": space} | changes
    )


def add_formula(
    store: Store, plan: Plan, formula: Formula = errors, states: Mapping[int, str] | None = None, **description: Any
) -> str:
    """A finished sweep; its id.

    Args:
        store: The store.
        plan: Of the sweep.
        formula: What the trials are worth, by the columns of their configurations; NaN: diverged.
        states: Trial → its state where it did not complete: FAILED or STOPPED, both at the sixth step.
        description: Of the sweep, beside its plan.
    """
    given = {"plan": plan.to_json(), "provenance": {}} | description
    sweep = store.create_sweep(given, b"")
    epoch = sweep.claim()
    n = plan.trials
    u = make_sampler(plan.sampler, plan.space, plan.seed, n).points(0, n)
    columns = plan.space.arrays(u)
    worth = formula(columns, np.random.default_rng(plan.seed))
    worth = -worth if plan.mode == "max" else worth
    with Writer(sweep, epoch) as writer:
        writer.add("configs", _configs(plan, u, columns))
        writer.add("curves", _curves(worth, states or {}))
        writer.add("attempts", _attempts(worth, states or {}))
    finalize(sweep, epoch)
    return sweep.id


def _configs(plan: Plan, u: np.ndarray, columns: Mapping[str, Any]) -> pa.Table:
    n = len(u)
    fixed = {
        "trial": range(n),
        "seed": trial_seeds(plan.seed, 0, n).astype("int64"),
        "index": range(n),
        "u": u.tolist(),
    }
    schema = tables.configs_schema({name: one.kind for name, one in plan.space.items()})
    listed = {name: column.tolist() for name, column in columns.items()}
    return pa.Table.from_arrays(
        [pa.array(list((fixed | listed)[field.name]), type=field.type) for field in schema], schema=schema
    )


def _steps(trial: int, states: Mapping[int, str]) -> int:
    return STEPS // 2 if trial in states else STEPS


def _curves(worth: np.ndarray, states: Mapping[int, str]) -> pa.Table:
    schema = tables.schema("curves")
    for metric in ("val_error", "train_error"):
        schema = schema.append(pa.field(metric, pa.float64()))
    rows = [
        {
            "trial": trial,
            "attempt": 0,
            "_seq": step,
            "_start": 0,
            "step": step,
            "time": BEGAN + timedelta(seconds=trial + step / 10),
            "val_error": value + np.exp(-step),
            "train_error": value / 2 + np.exp(-step),
        }
        for trial, value in enumerate(worth.tolist())
        for step in range(_steps(trial, states))
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def _attempts(worth: np.ndarray, states: Mapping[int, str]) -> pa.Table:
    schema = tables.schema("attempts")
    for form in ("last", "min", "max"):
        for metric in ("val_error", "train_error"):
            schema = schema.append(pa.field(f"{form}_{metric}", pa.float64()))
    rows = []
    for trial, value in enumerate(worth.tolist()):
        steps = _steps(trial, states)
        row: dict[str, Any] = {"trial": trial, "attempt": 0, "state": states.get(trial, "COMPLETED"), "cause": "first"}
        row |= {"started": BEGAN, "ended": BEGAN + timedelta(seconds=1), "busy": 1.0, "host": "box", "pid": 1}
        row |= {"devices": "", "rows": steps, "step": steps - 1, "start": 0, "diverged": bool(np.isnan(value))}
        for metric, share in (("val_error", 1), ("train_error", 2)):
            row[f"last_{metric}"] = value / share + np.exp(-(steps - 1))
            ends = [value / share + np.exp(-step) for step in (0, steps - 1)] if np.isfinite(value) else [None, None]
            row[f"max_{metric}"], row[f"min_{metric}"] = ends
        if row["state"] == "FAILED":
            row |= {"kind": "error", "error": "ValueError: no"}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=schema)
