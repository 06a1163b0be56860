"""Finished or broken sweeps of any shape, written through the store's own API: curves are given, all else follows."""

import math
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from caviar.search.samplers import make_sampler, trial_seeds
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Writer
from caviar.store.finalize import finalize
from caviar_workers import tables

BEGAN = datetime(2026, 11, 23, 4, 12, 33, tzinfo=UTC)
LR = Space({"lr": Float(1e-4, 1.0, scale="log")})


def plan_of(trials, space=LR, **changes):
    """A plan that minimises `loss`."""
    return Plan(
        **{"name": "odd", "metric": "loss", "mode": "min", "trials": trials, "seed": 0, "space": space} | changes
    )


def add_curves(store: Store, plan: Plan, curves, states=None, *, step_s=1.0, timed=True, ended=True, **description):
    """A sweep; its id.

    Args:
        store: The store.
        plan: Of the sweep.
        curves: Of each trial, metric → values, one a step; None: not reported at that step.
        states: Trial → its state where it did not complete.
        step_s: Seconds between two reports; trials follow each other.
        timed: Whether times are known.
        ended: Whether the sweep ended in good order.
        description: Of the sweep, beside its plan.
    """
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}} | description, b"")
    epoch = sweep.claim()
    states = states or {}
    metrics = list(dict.fromkeys(name for one in curves for name in one))
    with Writer(sweep, epoch) as writer:
        if curves:
            writer.add("configs", _configs(plan, len(curves)))
            writer.add("curves", _curves(curves, metrics, step_s, timed))
            writer.add("attempts", _attempts(plan, curves, metrics, states, step_s, timed))
    if ended:
        finalize(sweep, epoch)
    else:
        sweep.release(epoch)
    return sweep.id


def _configs(plan, n):
    u = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials).points(0, n)
    fixed = {
        "trial": range(n),
        "seed": trial_seeds(plan.seed, 0, n).astype("int64"),
        "index": range(n),
        "u": u.tolist(),
    }
    listed = fixed | {name: column.tolist() for name, column in plan.space.arrays(u).items()}
    schema = tables.configs_schema({name: one.kind for name, one in plan.space.items()})
    return pa.table([pa.array(list(listed[field.name]), field.type) for field in schema], schema=schema)


def _length(curve):
    return max((len(values) for values in curve.values()), default=0)


def _starts(curves, step_s):
    starts, at = [], BEGAN
    for curve in curves:
        starts.append(at)
        at += timedelta(seconds=step_s * max(_length(curve), 1))
    return starts


def _curves(curves, metrics, step_s, timed):
    schema = pa.schema([*tables.schema("curves"), *((name, pa.float64()) for name in metrics)])
    rows = [
        {"trial": trial, "attempt": 0, "_seq": step, "_start": 0, "step": step}
        | {"time": start + timedelta(seconds=step_s * step) if timed else None}
        | {name: values[step] for name, values in curve.items() if step < len(values)}
        for trial, (curve, start) in enumerate(zip(curves, _starts(curves, step_s), strict=True))
        for step in range(_length(curve))
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def _attempts(plan, curves, metrics, states, step_s, timed):
    forms = [(f"{form}{name}", pa.float64()) for form in tables.METRIC_FORMS for name in metrics]
    schema = pa.schema([*tables.schema("attempts"), *forms])
    rows = []
    for trial, (curve, start) in enumerate(zip(curves, _starts(curves, step_s), strict=True)):
        length, state = _length(curve), states.get(trial, "COMPLETED")
        took = step_s * max(length, 1)
        row = {"trial": trial, "attempt": 0, "state": state, "cause": "first", "rows": length, "start": 0}
        row |= {"started": start if timed else None, "busy": took if timed else 0.0}  # as an import has it
        row |= {"ended": start + timedelta(seconds=took), "host": "box", "pid": 1, "devices": ""}
        row |= {"ended": None, "busy": None} if state == "RUNNING" else {}
        row |= {"step": length - 1 if length else None}
        row |= {"diverged": any(one is not None and not math.isfinite(one) for one in curve.get(plan.metric, ()))}
        if state == "FAILED":
            row |= {"kind": "error", "error": f'Traceback:\n  File "x.py", line 1\nValueError: of trial {trial % 2}'}
        for name, values in curve.items():
            known = [one for one in values if one is not None]
            finite = [one for one in known if math.isfinite(one)]
            row |= {f"last_{name}": known[-1] if known else None}
            row |= {f"min_{name}": min(finite, default=None), f"max_{name}": max(finite, default=None)}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=schema)
