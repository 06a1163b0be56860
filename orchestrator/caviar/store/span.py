"""What passes by while a file is written: how many rows, of which trials, in which states."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from caviar.store.manifest import DataFile
from caviar.store.segment import greatest, least

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True)
class Span:
    """The rows that were taken so far."""

    rows: int = 0
    low: int | None = None
    """Lowest trial."""
    high: int | None = None
    states: Counter[str] = field(default_factory=Counter)
    """Trials or attempts by their states, where the rows have one."""

    def take(self, rows: pa.Table) -> pa.Table:
        """Count the rows and pass them on."""
        if rows.num_rows:
            ends = pc.min_max(rows["trial"]).as_py()
            self.low = least([self.low, ends["min"]])
            self.high = greatest([self.high, ends["max"]])
        self.rows += rows.num_rows
        if "state" in rows.column_names:
            for pair in pc.value_counts(rows["state"]).to_pylist():
                self.states[pair["values"]] += pair["counts"]
        return rows

    def as_file(self, table: str, name: str, checksum: str) -> DataFile:
        """The entry in a manifest of the file that holds them."""
        return DataFile(
            table=table, name=name, checksum=checksum, rows=self.rows, min_trial=self.low, max_trial=self.high
        )
