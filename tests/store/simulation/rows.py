"""Rows as the workers make them, and the plan of the sweep that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from caviar_workers.tables import FIELDS, configs_schema, schema

T0 = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def plan(**changes: Any) -> dict[str, Any]:
    """A plan's JSON; `kinds` maps parameters to their kinds."""
    kinds = changes.pop("kinds", {"lr": "float"})
    parameters = {name: {"type": "float", "kind": kind} for name, kind in kinds.items()}
    base = {
        "name": "digits",
        "metric": "loss",
        "mode": "min",
        "trials": 2,
        "seed": 0,
        "space": {"parameters": parameters},
        "sampler": "sobol",
        "rule": "last",
        "tags": ["a", "it's"],
        "note": "",
    }
    return {"plan": base | changes, "provenance": {"host": "box", "git_commit": "abc", "git_dirty": True}}


class Rows:
    """Makes tables as the workers do."""

    @staticmethod
    def configs(trials: Sequence[int], kinds: dict[str, Any] | None = None, **values: Sequence[Any]) -> pa.Table:
        kinds = {"lr": "float"} if kinds is None else kinds
        given: dict[str, Any] = {name: values.get(name, [0.5] * len(trials)) for name in kinds}
        fixed = {
            "trial": trials,
            "seed": [100 + t for t in trials],
            "index": trials,
            "u": [[0.25] * len(kinds)] * len(trials),
        }
        return pa.table(fixed | given, schema=configs_schema(kinds))

    @staticmethod
    def curve(
        trial: int,
        steps: Sequence[int],
        *,
        attempt: int = 0,
        start: int = 0,
        seq: int = 0,
        **metrics: Sequence[Any],
    ) -> pa.Table:
        count = len(steps)
        fixed = {
            "trial": [trial] * count,
            "attempt": [attempt] * count,
            "_seq": list(range(seq, seq + count)),
            "_start": [start] * count,
            "step": list(steps),
            "time": [T0] * count,
        }
        columns = {name: pa.array(values, pa.float64()) for name, values in metrics.items()}
        return pa.table({name: pa.array(v, schema("curves").field(name).type) for name, v in fixed.items()} | columns)

    @staticmethod
    def attempt(trial: int, state: str = "COMPLETED", *, attempt: int = 0, **changes: Any) -> pa.Table:
        row: dict[str, Any] = {
            "trial": trial,
            "attempt": attempt,
            "state": state,
            "cause": "retry" if attempt else "first",
            "started": T0,
            "ended": None if state == "RUNNING" else T0,
            "busy": None if state == "RUNNING" else 1.5,
            "host": "box",
            "pid": 7,
            "devices": "",
            "start": 0,
        }
        row = {name: field.unknown for name, field in FIELDS["attempts"].items()} | row
        extra = {name: pa.array([value], pa.float64()) for name, value in changes.items() if name not in row}
        row |= {name: value for name, value in changes.items() if name in row}
        return pa.table({name: pa.array([v], schema("attempts").field(name).type) for name, v in row.items()} | extra)

    @staticmethod
    def logs(trial: int, texts: Sequence[str]) -> pa.Table:
        count = len(texts)
        columns = {
            "trial": [trial] * count,
            "attempt": [0] * count,
            "_seq": list(range(count)),
            "time": [T0] * count,
            "stream": ["out"] * count,
            "text": list(texts),
        }
        return pa.table(columns, schema=schema("logs"))

    @staticmethod
    def decisions(n: Sequence[int], **changes: Any) -> pa.Table:
        count = len(n)
        row: dict[str, Any] = {
            "n": list(n),
            "time": [T0] * count,
            "trial": [None] * count,
            "attempt": [None] * count,
            "action": ["stop"] * count,
            "decided_by": ["user"] * count,
            "step": [None] * count,
            "value": [None] * count,
            "bar": [None] * count,
            "numbers": ["{}"] * count,
        }
        return pa.table(row | {name: [value] * count for name, value in changes.items()}, schema=schema("decisions"))
