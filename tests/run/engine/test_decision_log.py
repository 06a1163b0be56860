"""Decisions on their way into the store."""

import json
from typing import Any

import pyarrow as pa

from caviar.run.engine.decision_log import Decision, DecisionLog
from caviar_workers.tables import DECISIONS


class Order:
    """A sink that remembers what was asked of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.tables: list[pa.Table] = []

    def add(self, table: str, data: pa.Table) -> None:
        self.calls.append(table)
        self.tables.append(data)

    def mark(self) -> int:
        return len(self.calls)

    def reached(self, mark: int) -> bool:
        return True

    def has_room(self, timeout: float) -> bool:
        return True

    def flush(self) -> None:
        self.calls.append("flush")


def test_decisions_are_numbered_on_and_durable_before_publish_returns() -> None:
    sink = Order()
    docket = DecisionLog(sink, 7, lambda: 1.5)

    docket.publish([])
    docket.publish([Decision(action="stop", by="user", trial=3, attempt=1), Decision(action="stop", by="time_limit")])
    docket.publish([Decision(action="pause", by="asha:eta=3", trial=4, step=9, value=0.5, bar=0.25)])

    assert sink.calls == ["decisions", "flush"] * 2
    rows = pa.concat_tables(sink.tables).to_pylist()
    assert [(row["n"], row["action"], row["decided_by"], row["trial"], row["attempt"]) for row in rows] == [
        (7, "stop", "user", 3, 1),
        (8, "stop", "time_limit", None, None),
        (9, "pause", "asha:eta=3", 4, None),
    ]
    assert (rows[2]["step"], rows[2]["value"], rows[2]["bar"]) == (9, 0.5, 0.25)
    assert {table.schema for table in sink.tables} == {DECISIONS}
    assert rows[0]["time"].timestamp() == 1.5


def test_the_numbers_are_strict_json_whatever_they_are() -> None:
    def numbers(value: Any) -> Any:
        sink = Order()
        DecisionLog(sink, 0, lambda: 0.0).publish([Decision(action="stop", by="x", numbers={"seen": value})])
        return json.loads(sink.tables[0]["numbers"][0].as_py())["seen"]

    assert numbers([1, 0.5, float("nan"), float("-inf")]) == [1, 0.5, "nan", "-inf"]
    assert numbers({3: "ü"}) == {"3": "ü"}
