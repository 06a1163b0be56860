"""Looking for spliced histories: the number of an attempt stands for one execution, and a checkpoint for its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from caviar.store.layout import CHECKPOINTS, SUPERSEDED
from caviar.store.read.columns import fixed
from caviar.store.read.sql import name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from caviar.store.read.sweep_tables import SweepTables
    from caviar_workers.checkpoint import Save

CURVES = """
SELECT trial, attempt FROM ({rows}) GROUP BY trial, attempt
HAVING min(_start) <> max(_start) OR min(step) < min(_start) ORDER BY ALL
"""

ATTEMPTS = """
SELECT trial, attempt FROM ({rows}) GROUP BY trial, attempt
HAVING count(ended) > 1 OR count(DISTINCT (host, pid)) FILTER (host <> '') > 1 ORDER BY ALL
"""

CHECKPOINTS_OF = """
WITH counts AS (SELECT trial, attempt, count(*) AS there FROM ({rows}) GROUP BY trial, attempt)
SELECT saves.place, coalesce(there, 0), NULL FROM saves LEFT JOIN counts USING (trial, attempt)
WHERE coalesce(there, 0) < saves.rows
UNION ALL
SELECT saves.place, NULL, {metric} FROM saves JOIN ({rows}) c ON c.trial = saves.trial AND c.attempt = saves.attempt
AND c._seq = saves.rows - 1 WHERE {metric} <> saves.value
"""


def splices(
    connection: duckdb.DuckDBPyConnection, tables: SweepTables, saves: Sequence[Save], metric: str, *, over: bool
) -> Iterator[tuple[str, str]]:
    """Attempts that mix two executions, and checkpoints that are of another execution than the rows of their attempt.

    Args:
        connection: What runs the SQL.
        tables: The sweep's.
        saves: Its checkpoints.
        metric: Its metric.
        over: It has ended: what a checkpoint rests on would be here. Before, rows may be on their way, or died with a
            driver, and such a checkpoint is never restored.

    Yields:
        Path within the sweep's folder, and what is wrong, for a person.
    """
    curves = tables.select(fixed("curves"), "curves", SUPERSEDED)
    for table, sql in (("curves", CURVES.format(rows=curves)), ("attempts", ATTEMPTS.format(rows=_said(tables)))):
        found = connection.execute(sql).fetchall()
        if found:
            trial, attempt = found[0]
            yield table, f"{len(found)} attempts mix two executions, first attempt {attempt} of trial {trial}"
    if not saves:
        return
    held = tables.held("curves", SUPERSEDED)
    source = tables.scan("curves", SUPERSEDED)
    rows = curves if source is None else f"SELECT * FROM {source}"
    connection.register("saves", _table(saves))
    sql = CHECKPOINTS_OF.format(rows=rows, metric=f"c.{name(metric)}" if metric in held else "NULL::DOUBLE")
    for place, there, value in connection.execute(sql).fetchall():
        save = saves[place]
        if there is None:
            what = f"its metric was {save.value:g} when it was saved, but row {save.rows} of its attempt says {value:g}"
            yield f"{CHECKPOINTS}/{save.name}", f"{what}: it is of another execution"
        elif over:
            what = f"it was saved after {save.rows} rows of its attempt, of which the store has {there}"
            yield f"{CHECKPOINTS}/{save.name}", f"{what}: it is of no curve, and nothing can go on from it"


def _said(tables: SweepTables) -> str:
    """SELECT of all that was said of attempts: that they run, and that they ended."""
    return tables.select(fixed("attempts"), "attempts")


def _table(saves: Sequence[Save]) -> pa.Table:
    return pa.table(
        {
            "place": pa.array(range(len(saves)), pa.int64()),
            "trial": pa.array([save.trial for save in saves], pa.int64()),
            "attempt": pa.array([save.attempt for save in saves], pa.int16()),
            "rows": pa.array([save.rows for save in saves], pa.int64()),
            "value": pa.array([None if save.value != save.value else save.value for save in saves], pa.float64()),
        }
    )
