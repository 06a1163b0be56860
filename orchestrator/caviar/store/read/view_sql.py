"""What each view is made of: the columns and the SQL of one sweep's part of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caviar.store.read.columns import Column, Part, fixed, pick
from caviar.store.read.lineage_view import LINEAGE, lineage_sql
from caviar.store.read.live_rows import BRANCH, branches, live_rows, numbered_rows
from caviar.store.read.schedule_view import SCHEDULE, schedule_sql
from caviar.store.read.trials_view import HEAD, TAIL, trial_columns, trials_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from caviar.store.read.sweep_tables import SweepTables

NAMES = (
    *("sweeps", "trials", "curves", "attempts", "configs", "logs", "artifacts", "decisions"),
    *("schedule", "branches", "lineage"),
)
INTERNAL = ("_curves",)
"""Not for users: `curves` with a column `_row`, by which each trial's rows are in order."""


def mentioned(sql: str) -> Sequence[str]:
    """The views that a query may ask; all, where it names none."""
    found = [view for view in (*NAMES, *INTERNAL) if re.search(rf"\b{view}\b", sql, re.IGNORECASE)]
    return found or NAMES


def view_sql(view: str, tables: SweepTables) -> tuple[tuple[Column, ...], str]:
    """The columns and the rows that a sweep has in a view."""
    if view == "trials":
        return trial_columns(tables), trials_sql(tables)
    if view in ("curves", "_curves"):
        columns, rows = numbered_rows(tables)
        return (columns, rows) if view == "_curves" else (columns[:-1], live_rows(tables))
    made: dict[str, Callable[[], tuple[tuple[Column, ...], str]]] = {
        "attempts": lambda: (tables.attempt_columns, tables.attempts()),
        "configs": lambda: (tables.config_columns, tables.configs()),
        "decisions": lambda: (fixed("decisions"), tables.decisions()),
        "branches": lambda: branches(tables),
        "lineage": lambda: (LINEAGE, lineage_sql(tables)),
        "schedule": lambda: (SCHEDULE, schedule_sql(tables)),
        "artifacts": lambda: (fixed("artifacts"), tables.artifacts()),
        "logs": lambda: (fixed("logs"), tables.logs()),
    }
    return made[view]()


def no_rows(view: str) -> Part:
    """A part of a view without sweeps."""
    columns = _fixed(view)
    return Part(sweep="", columns=columns, sql=f"SELECT {pick(columns, {})} WHERE false")


def _fixed(view: str) -> tuple[Column, ...]:
    if view == "trials":
        return (*HEAD, *TAIL)
    if view in ("schedule", "lineage"):
        return SCHEDULE if view == "schedule" else LINEAGE
    if view == "branches":
        return (*_fixed("curves"), *BRANCH)
    if view == "_curves":
        return (*_fixed("curves"), Column(name="_row", word="int64"))
    return tuple(column for column in fixed(view) if view != "curves" or not column.name.startswith("_"))
