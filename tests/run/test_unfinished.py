"""What is left of a sweep whose driver died."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from caviar.run.engine.trial_source import ResumeState
from caviar.run.resume import unfinished
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Writer
from caviar_workers.tables import configs_schema, schema


def test_rows_that_a_dying_driver_published_without_their_attempt_are_superseded(store: Path) -> None:
    """The segments of one tick appear one after the other: a kill may come in between."""
    plan = Plan(name="x", metric="loss", mode="min", trials=2, seed=0, space=Space({"lr": Float(0.1, 1.0)}))
    opened = Store.open(store, create=True)
    sweep_dir = opened.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep_dir.claim()
    configs = {"trial": [0, 1], "seed": [1, 2], "index": [0, 1], "u": [[0.1], [0.2]], "lr": [0.1, 0.2]}
    rows: dict[str, list[Any]] = {"trial": [1], "attempt": [0], "_seq": [0], "_start": [0], "step": [0], "time": [0]}
    with Writer(sweep_dir, epoch) as writer:
        writer.add("configs", pa.table(configs, schema=configs_schema({"lr": "float"})))
        writer.add("curves", pa.table(rows, schema=schema("curves")).append_column("loss", pa.array([0.5])))
    sweep_dir.release(epoch)

    left = ResumeState(written=2, attempts={0: 0, 1: 1}, newest=1, measured=True, metrics=("loss",))
    assert unfinished(opened, sweep_dir) == left


ENDED = [("COMPLETED", 0.5), ("STOPPED", 0.5), ("STOPPED", None), ("FAILED", 0.5), ("CANCELLED", None), ("PAUSED", 1.0)]


@pytest.mark.parametrize("metric", ["loss", "other"])
def test_trials_that_were_ended_when_they_had_a_value_are_hope_for_the_next_driver(store: Path, metric: str) -> None:
    count = len(ENDED)
    plan = Plan(name="x", metric="loss", mode="min", trials=count, seed=0, space=Space({"lr": Float(0.1, 1.0)}))
    opened = Store.open(store, create=True)
    sweep_dir = opened.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep_dir.claim()
    attempts = {
        "trial": list(range(count)),
        "attempt": [0] * count,
        "state": [state for state, _ in ENDED],
        "ended": [1] * count,
        "step": [None if value is None else 0 for _, value in ENDED],
    }
    values = pa.array([value for _, value in ENDED], pa.float64())
    curves = {name: list(range(count)) if name == "trial" else [0] * count for name in schema("curves").names}
    with Writer(sweep_dir, epoch) as writer:
        writer.add("curves", pa.table(curves, schema=schema("curves")).append_column(metric, values))
        known = pa.Table.from_pylist(pa.table(attempts).to_pylist(), schema=schema("attempts"))
        for form in ("last_", "min_", "max_"):
            known = known.append_column(form + metric, values)
        writer.add("attempts", known)
    sweep_dir.release(epoch)

    assert unfinished(opened, sweep_dir).completed == (3 if metric == "loss" else 1)
