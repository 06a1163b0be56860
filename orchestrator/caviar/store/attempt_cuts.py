"""Which rows of a trial make its curve, for rows that pass by in pieces; the rule is that of `read/live_rows.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from caviar.store.layout import SUPERSEDED
from caviar.store.read.live_rows import cuts_sql

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from caviar.store.read.sweep_tables import SweepTables

ATTEMPTS = 16
"""Bits of an attempt's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCuts:
    """The attempts that later ones cut, and where; trials that ran once have none."""

    names: NDArray[np.int64]
    """[n], ascending: trial and attempt in one number."""
    cuts: NDArray[np.int64]
    """[n]: first step that counts no more."""

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, tables: SweepTables) -> AttemptCuts:
        """Find out which attempts were cut, those set apart by an end before this one too."""
        if not tables.retried:
            return cls(names=np.empty(0, np.int64), cuts=np.empty(0, np.int64))
        found = connection.execute(cuts_sql(tables, SUPERSEDED)).fetchnumpy()
        names = _name(found["trial"], found["attempt"])
        order = np.argsort(names)
        return cls(names=names[order], cuts=found["cut"].astype(np.int64)[order])

    def split(self, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        """The live rows and the superseded ones, each in the order in which they came."""
        dead = self._dead(rows)
        if dead is None:
            return rows, rows.slice(0, 0)
        return rows.filter(pa.array(~dead)), rows.filter(pa.array(dead))

    def _dead(self, rows: pa.Table) -> NDArray[np.bool_] | None:
        if not len(self.names) or not rows.num_rows:
            return None
        names = _name(rows["trial"].to_numpy(), rows["attempt"].to_numpy())
        if names[-1] < self.names[0] or names[0] > self.names[-1]:  # in order
            return None
        places = np.minimum(np.searchsorted(self.names, names), len(self.names) - 1)
        dead = (self.names[places] == names) & (rows["step"].to_numpy() >= self.cuts[places])
        return dead if dead.any() else None


def _name(trials: NDArray[np.int64], attempts: NDArray[np.int16]) -> NDArray[np.int64]:
    return (trials.astype(np.int64) << ATTEMPTS) | attempts.astype(np.int64)
