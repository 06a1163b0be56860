"""A store with two sweeps, written through the store's own API, and a way to call the program on it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from caviar.cli.main import main
from caviar.plan import Plan
from caviar.sampling import make_sampler, trial_seeds
from caviar.space import Choice, Float, Int, Space
from caviar.store import Store, Writer
from caviar.store.finalize import finalize
from caviar.store.finals import add_final
from caviar_workers import tables

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
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 3\nValueError: \x1b[31mno such layer\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one call of the program wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Lines of stdout without trailing blanks."""
        return [line.rstrip() for line in self.out.splitlines()]


Caviar = Callable[..., Output]


@pytest.fixture
def caviar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Caviar:
    """Run the program with arguments, as from a pipe."""
    for name in ("CAVIAR_STORE", "CAVIAR_CALLED", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: str) -> Output:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(args)
        out, err = capsys.readouterr()
        return Output(code=int(end.value.code or 0), out=out, err=err)

    return call


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A store with two sweeps."""

    path: str
    digits: str
    later: str


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """The store; tests only read it."""
    path: Path = tmp_path_factory.mktemp("filled") / "store"
    store = Store.open(path, create=True)
    return Filled(path=str(path), digits=add_digits(store), later=add_interrupted(store))


@pytest.fixture
def empty(tmp_path: Path) -> str:
    """Path of a store without sweeps."""
    return str(Store.open(tmp_path / "empty", create=True).path)


@pytest.fixture
def fresh(tmp_path: Path) -> Filled:
    """A store with one sweep, called fresh, that has recorded nothing yet."""
    store = Store.open(tmp_path / "fresh", create=True)
    sweep = store.create_sweep({"plan": make_plan("fresh", 4).to_json(), "provenance": {}}, b"")
    return Filled(path=str(store.path), digits=sweep.id, later=sweep.id)


@pytest.fixture
def interrupted(tmp_path: Path) -> str:
    """Path of a store with one interrupted sweep, called later, for a test to change."""
    store = Store.open(tmp_path / "interrupted", create=True)
    add_interrupted(store)
    return str(store.path)
