"""Small stores, written through the store's own API: what each of their trials reported is a formula."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from caviar.search.samplers import make_sampler, trial_seeds
from caviar.space import Choice, Float, Int, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Writer
from caviar.store.final_tests import add_final
from caviar.store.finalize import finalize
from caviar.store.fingerprints import add_fingerprint
from caviar_workers import tables
from caviar_workers.messages import DataDigest, Fingerprint, Machine

BEGAN = datetime(2026, 11, 23, 4, 12, 33, tzinfo=UTC)
SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, scale="log"),
        "beta": Float(0.9, 0.99999, scale="reverse_log"),
        "units": Int(50, 100),
        "act": Choice(["relu", "=tanh"]),
    }
)
STEPS = 20
FAILED, DIVERGED, RETRIED = 3, 4, 5
PRINT = Fingerprint(
    host="box",
    machine=Machine(
        python="3.11.9",
        system="Linux x86_64 glibc 2.36",
        cpu="a CPU",
        cores=8,
        blas=("openblas 0.3.30 on 1 thread",),
        gpus=("a GPU",),
        driver="560.1",
        cuda="12.6",
        cudnn="90300",
    ),
    distributions={"numpy": "2.1.0"},
    data=DataDigest(sha256="ab" * 32, bytes=1234),
)
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 3\nValueError: \x1b[31mno such layer\n'


def make_plan(name: str, trials: int, **changes: Any) -> Plan:
    """A plan over SPACE."""
    return Plan(name=name, metric="val_loss", mode="min", trials=trials, seed=0, space=SPACE, **changes)


def value(trial: int, step: int) -> float:
    """val_loss of a trial at a step; trial 2 ends best."""
    if trial == DIVERGED and step > 10:
        return math.nan
    return 0.05 + 0.01 * abs(trial - 2) + math.exp(-step / 5)


def configs(plan: Plan, count: int) -> pa.Table:
    """The first `count` rows of the table of configurations."""
    u = make_sampler("random", plan.space, plan.seed, plan.trials).points(0, count)
    fixed = {
        "trial": range(count),
        "seed": trial_seeds(plan.seed, 0, count).astype("int64"),
        "index": range(count),
        "u": u.tolist(),
    }
    kinds = {name: parameter.kind for name, parameter in plan.space.items()}
    return _table(tables.configs_schema(kinds), fixed | plan.space.arrays(u))


def curve(trial: int, attempt: int = 0, steps: int = STEPS) -> pa.Table:
    """The reports of one attempt."""
    schema = tables.schema("curves").append(pa.field("val_loss", pa.float64()))
    schema = schema.append(pa.field("train_loss", pa.float64()))
    rows = [
        {
            "trial": trial,
            "attempt": attempt,
            "_seq": step,
            "_start": 0,
            "step": step,
            "time": BEGAN + timedelta(seconds=trial + step / 10),
            "val_loss": value(trial, step),
            "train_loss": value(trial, step) / 2,
        }
        for step in range(steps)
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def attempt_row(trial: int, state: str, attempt: int = 0, steps: int = STEPS, **changes: Any) -> pa.Table:
    """One row of the table of attempts."""
    forms = {}
    for metric, share in (("val_loss", 1), ("train_loss", 2)):
        values = [value(trial, step) / share for step in range(steps)]
        finite = [x for x in values if math.isfinite(x)]
        forms[f"last_{metric}"] = values[-1] if values else None
        forms[f"min_{metric}"] = min(finite, default=None)
        forms[f"max_{metric}"] = max(finite, default=None)
    schema = tables.schema("attempts")
    for name in forms:
        schema = schema.append(pa.field(name, pa.float64()))
    row = {
        "trial": trial,
        "attempt": attempt,
        "state": state,
        "cause": "first" if attempt == 0 else "retry",
        "started": BEGAN + timedelta(seconds=trial),
        "ended": BEGAN + timedelta(seconds=trial + 3.2),
        "busy": 3.2,
        "host": "box",
        "pid": 4711,
        "devices": "",
        "rows": steps,
        "step": steps - 1 if steps else None,
        "start": 0,
        "diverged": trial == DIVERGED,
    }
    return pa.Table.from_pylist([row | forms | changes], schema=schema)


def log_row(trial: int, seq: int, text: str) -> pa.Table:
    """One piece of captured output."""
    row = {"trial": trial, "attempt": 0, "_seq": seq, "time": BEGAN, "stream": "out", "text": text}
    return pa.Table.from_pylist([row], schema=tables.schema("logs"))


def _table(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    arrays = [pa.array(list(columns[field.name]), type=field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def add_digits(store: Store, plan: Plan | None = None) -> str:
    """A finished sweep of eight trials: one failed, one diverged, one was tried twice."""
    plan = plan or make_plan("digits", 8, tags=("demo",), note="a \x1b[2Jnote")
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {"host": "box"}}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 8))
        for trial in range(8):
            steps = 7 if trial == FAILED else STEPS
            if trial == RETRIED:
                writer.add("curves", curve(trial, 0, 5))
                writer.add("attempts", attempt_row(trial, "LOST", 0, 5, kind="lost"))
            attempt = int(trial == RETRIED)
            writer.add("curves", curve(trial, attempt, steps))
            failure = {"kind": "error", "error": TRACEBACK} if trial == FAILED else {}
            state = "FAILED" if trial == FAILED else "COMPLETED"
            writer.add("attempts", attempt_row(trial, state, attempt, steps, **failure))
        writer.add("logs", log_row(2, 0, "loading\nepoch 0 "))
        writer.add("logs", log_row(2, 1, "done \x1b[31mred\x1b[0m\n"))
    finalize(sweep, epoch)
    add_final(sweep, {"trial": 2, "value": 0.0724, "metrics": {"test_error": 0.0213}})
    add_fingerprint(sweep, PRINT)
    return sweep.id


def add_interrupted(store: Store) -> str:
    """A sweep whose driver is gone: two trials ended, one was running, one is not drawn."""
    plan = make_plan("later", 4)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 3))
        for trial in range(2):
            writer.add("curves", curve(trial))
            writer.add("attempts", attempt_row(trial, "COMPLETED"))
        writer.add("curves", curve(2, steps=4))
        writer.add("attempts", attempt_row(2, "RUNNING", steps=4, ended=None, busy=None))
    sweep.release(epoch)
    return sweep.id


def add_paused(store: Store) -> str:
    """A sweep whose driver is gone: one trial is paused, one was cancelled before it was drawn, one is not drawn."""
    plan = make_plan("halved", 4, stopping="asha", pausing=True)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 2))
        for trial, state in enumerate(("COMPLETED", "PAUSED")):
            writer.add("curves", curve(trial))
            writer.add("attempts", attempt_row(trial, state))
        writer.add("attempts", attempt_row(3, "CANCELLED", steps=0, busy=None))
    sweep.release(epoch)
    return sweep.id


def decision(n: int, trial: int | None, action: str, **given: Any) -> pa.Table:
    """One row of the table of decisions."""
    facts = {"attempt": 0, "action": action, "decided_by": "user", "numbers": "{}"}
    row = {"n": n, "time": BEGAN, "trial": trial, **facts}
    return pa.Table.from_pylist([row | given], schema=tables.schema("decisions"))


def add_zoom(store: Store, parent: str) -> str:
    """A finished sweep of three trials that was zoomed out of another one, and found nothing better."""
    plan = make_plan("digits-zoom", 3, parent=parent, relation="zoom")
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 3))
        for trial in range(3):
            writer.add("curves", curve(trial, steps=STEPS - 5))
            writer.add("attempts", attempt_row(trial, "COMPLETED", steps=STEPS - 5))
    finalize(sweep, epoch)
    return sweep.id


def add_resumed(store: Store) -> str:
    """A sweep that runs again: its first driver was lost, its second one stopped a trial, and another one runs."""
    plan = make_plan("resumed", 4, stopping="median", rule="smoothed")
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    first = sweep.claim()
    with Writer(sweep, first) as writer:
        writer.add("configs", configs(plan, 3))
        writer.add("curves", curve(0, steps=9))
        writer.add("attempts", attempt_row(0, "RUNNING", steps=9, ended=None, busy=None))
    sweep.release(first)
    second = sweep.claim()
    with Writer(sweep, second) as writer:
        writer.add("attempts", attempt_row(0, "LOST", steps=9, kind="lost", busy=None))
        writer.add("curves", curve(0, 1))
        writer.add("attempts", attempt_row(0, "COMPLETED", 1))
        numbers = '{"median": 0.3, "of": 1}'
        told = {"decided_by": "median", "step": 9, "value": value(1, 9), "bar": 0.3, "numbers": numbers}
        writer.add("curves", curve(1, steps=10))
        writer.add("decisions", decision(0, 1, "stop", **told))
        writer.add("attempts", attempt_row(1, "STOPPED", steps=10))
        writer.add("curves", curve(2, steps=4))
        writer.add("attempts", attempt_row(2, "RUNNING", steps=4, ended=None, busy=None))
    return sweep.id


def add_every_kind(store: Store) -> dict[str, str]:
    """Name → id of sweeps that hold all that can become of a trial; the last one runs, as long as this process does."""
    digits = add_digits(store)
    return {
        "digits": digits,
        "digits-zoom": add_zoom(store, digits),
        "later": add_interrupted(store),
        "halved": add_paused(store),
        "resumed": add_resumed(store),
    }
