"""The sink of these tests: keeps all rows, and the order of calls."""

from typing import Any

import pyarrow as pa

from caviar_workers.tables import TABLES


class Tables:
    """Keeps all rows; whatever was added is published at once."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
        self.order: list[str] = []

    def add(self, table: str, data: pa.Table) -> None:
        self.rows[table] += data.to_pylist()
        self.order.append(table)

    def mark(self) -> int:
        return len(self.order)

    def reached(self, mark: int) -> bool:
        return True

    def has_room(self, timeout: float) -> bool:
        return True

    def flush(self) -> None:
        self.order.append("flush")

    def ended(self, *states: str) -> list[dict[str, Any]]:
        """Rows of executions that ended, in one of the states if any are named."""
        ended = [row for row in self.rows["attempts"] if row["ended"] is not None]
        return [row for row in ended if not states or row["state"] in states]

    def states(self) -> dict[int, str]:
        """Trial → the state of its newest execution that ended."""
        return {row["trial"]: row["state"] for row in self.ended()}
