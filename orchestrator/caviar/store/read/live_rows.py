"""One history per trial: which rows of several attempts make its curve.

A row is live unless a later attempt of the trial started at or before its step. So an attempt that starts
again from step 0 supersedes all before it, and one restored from a checkpoint at step s−1 all rows from
step s on. A rollback to step s supersedes what was reported behind it, from the moment at which it is decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.store.layout import SUPERSEDED
from caviar.store.read.columns import Column, fixed
from caviar.store.read.sql import name

if TYPE_CHECKING:
    from caviar.store.read.sweep_tables import SweepTables


ROW = "attempt::BIGINT * 4294967296 + _seq"
"""The place of a live row in its trial's curve, as one number. Not its time: clocks are set back, and milliseconds are
long. Not its step: a step may have several reports, of which the later one counts."""


def numbered_rows(tables: SweepTables) -> tuple[tuple[Column, ...], str]:
    """Columns and SELECT of the live rows, each with its `_row`: what all that depends on their order looks at."""
    shown = tuple(column for column in tables.curve_columns if not column.name.startswith("_"))
    return (*shown, Column(name="_row", word="int64")), f"SELECT *, {ROW} AS _row FROM ({live_rows(tables)})"


def live_rows(tables: SweepTables, only: str = "") -> str:
    """SELECT of the live rows of a sweep.

    What is joined with rows has names that begin with "_": a metric may have any other.

    Args:
        tables: The sweep's.
        only: A condition on `trial`, to look at some trials.
    """
    where = f"WHERE {only}" if only else ""
    if tables.seen.plain or not tables.cut:
        return f"SELECT * FROM ({tables.rows()}) {where}"
    also = f"AND {only}" if only else ""
    return (
        f"WITH _cuts AS (SELECT trial AS _trial, attempt AS _attempt, cut AS _cut FROM ({cuts_sql(tables)})) "
        f"SELECT c.* FROM ({tables.rows()}) c LEFT JOIN _cuts ON trial = _trial AND attempt = _attempt "
        f"WHERE (_cut IS NULL OR step < _cut) {also}"
    )


BRANCH = (Column(name="_branch", word="int64"), Column(name="_living", word="bool"))
"""Of the view `branches`, beside the columns of curves: a metric may be called `branch`, and none begins with "_"."""


def branches(tables: SweepTables) -> tuple[tuple[Column, ...], str]:
    """Columns and SELECT of all rows ever reported: on which branch of its trial each is, and whether it counts.

    A branch is the attempts since a rollback, from 0.
    """
    shown = tuple(column for column in tables.curve_columns if not column.name.startswith("_"))
    own = ", ".join(f"c.{name(column.name)}" for column in shown)
    rows = tables.select(tables.curve_columns, "curves", SUPERSEDED)
    return (*shown, *BRANCH), (
        "WITH _cuts AS (SELECT trial AS _trial, attempt AS _attempt, cut AS _cut "
        f"FROM ({cuts_sql(tables, SUPERSEDED)})), "
        f"_back AS (SELECT * FROM ({rollbacks_sql(tables)}) b(_trial, _attempt, _step)), "
        "_attempts AS (SELECT DISTINCT trial AS _trial, attempt AS _number FROM _all), "
        "_branches AS (SELECT a._trial, _number, count(b._attempt) AS _branch FROM _attempts a LEFT JOIN _back b "
        "ON a._trial = b._trial AND b._attempt < a._number GROUP BY a._trial, _number) "
        f"SELECT {own}, b._branch, _cut IS NULL OR step < _cut AS _living FROM _all c "
        "LEFT JOIN _cuts ON c.trial = _cuts._trial AND c.attempt = _cuts._attempt "
        "LEFT JOIN _branches b ON c.trial = b._trial AND c.attempt = b._number"
    ).replace("WITH _cuts", f"WITH _all AS ({rows}), _cuts", 1)


def rollbacks_sql(tables: SweepTables) -> str:
    """SELECT of the trial, the attempt and the step of each rollback."""
    if not tables.rollbacks:
        return "SELECT 0, 0, 0 WHERE false"
    return f"VALUES {', '.join(map(str, tables.rollbacks))}"


def cuts_sql(tables: SweepTables, *also: str) -> str:
    """SELECT of trial, attempt and cut, the first step that counts no more, of each attempt that was cut.

    Args:
        tables: The sweep's.
        also: Tables whose rows are to be judged, beside `curves`. An attempt of which nothing is known but rows set
            apart is not among those cut otherwise; it cuts none that a later one did not cut.
    """
    rows = tables.select(fixed("curves"), "curves", *also)
    # An attempt's start is in its rows and, if it lived to tell, in its row of attempts. One without a row has none: it
    # may go on from a checkpoint, or have failed before it asked for it, and it has nothing to show instead.
    found = (
        f"WITH later AS (SELECT trial, attempt, start FROM ({tables.select(fixed('attempts'), 'attempts')}) "
        "WHERE attempt > 0 AND ended IS NOT NULL AND rows > 0 "
        f"UNION SELECT DISTINCT trial, attempt, _start FROM ({rows}) WHERE attempt > 0), "
        "starts AS (SELECT trial, attempt, min(start) AS start FROM later GROUP BY trial, attempt "
        "UNION ALL SELECT DISTINCT trial, 0, 0 FROM later) "
        "SELECT * FROM (SELECT trial, attempt, min(start) OVER (PARTITION BY trial "
        "ORDER BY attempt ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS cut FROM starts) "
        "WHERE cut IS NOT NULL"
    )
    if not tables.rollbacks:
        return found
    return (
        f"SELECT trial, attempt, min(cut) AS cut FROM (SELECT trial, attempt, cut FROM ({found}) UNION ALL "
        f"SELECT r.trial, r.attempt, b.cut FROM (SELECT DISTINCT trial, attempt FROM ({rows})) r "
        f"JOIN ({rollbacks_sql(tables)}) b(trial, attempt, cut) ON r.trial = b.trial AND r.attempt <= b.attempt) "
        "GROUP BY trial, attempt"
    )
