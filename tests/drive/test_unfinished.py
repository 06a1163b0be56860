"""What is left of a sweep whose driver died."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from caviar.drive.unfinished import unfinished
from caviar.plan import Plan
from caviar.schedule.rest import Rest
from caviar.space import Float, Space
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

    assert unfinished(opened, sweep_dir) == Rest(written=2, attempts={0: 0, 1: 1}, newest=1, measured=True)
