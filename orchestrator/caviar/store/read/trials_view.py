"""The table of trials: one row a trial, as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.store.read.columns import Column
from caviar.store.read.live_rows import ROW, live_rows, rollbacks_sql
from caviar.store.read.sql import name
from caviar.store.read.sweep_tables import BEGAN
from caviar_workers.states import ENDED
from caviar_workers.tables import FIELDS

if TYPE_CHECKING:
    from caviar.store.read.sweep_tables import SweepTables

_SHOWN = {key: field for key, field in FIELDS["attempts"].items() if field.shown}

HEAD = (
    *(Column(name=key, word=word) for key, word in (("trial", "int64"), ("state", "text"), ("seed", "int64"))),
    *(Column(name=key, word=word) for key, word in (("attempts", "int64"), ("error", "text"))),
    *(Column(name=key, word="time") for key in ("started", "ended")),
)
TAIL = (
    Column(name="index", word="int64", section=3),
    Column(name="u", word="floats", section=3),
    *(
        Column(name=key, word=field.word, section=3, older=field.older)
        for key, field in sorted(_SHOWN.items(), key=lambda item: item[1].shown)
    ),
)


def trial_columns(tables: SweepTables) -> tuple[Column, ...]:
    """Columns of `trials_sql`: the first fixed ones, parameters, metrics, the other fixed ones."""
    metrics = [f"{form}{metric}" for metric in tables.metrics for form in ("last_", "best_")]
    return (
        *HEAD,
        *tables.parameters,
        *(Column(name=metric, word="float", section=2) for metric in metrics),
        *TAIL,
    )


def trials_sql(tables: SweepTables) -> str:
    """SELECT of one row per configuration.

    `last_<m>` is the metric's value at the last row that reported it, `best_<m>` its smallest finite value, or
    largest if the sweep's mode is max. Both are of the trial's curve: of a trial that runs, of the curve so far.
    `attempts` counts those that began, `started` is when the first of them did, `ended` when its newest did, `rows`
    and `step` are of the curve; `diverged` says whether the sweep's metric was ever NaN or infinite in it: another
    metric may be.
    """
    columns = trial_columns(tables)
    if tables.seen.plain:
        plain = tables.select(columns, "trials")
        waits = "SELECT * REPLACE (CASE state WHEN 'LOST' THEN 'PENDING' ELSE state END AS state)"
        return f"{waits} FROM ({plain})" if tables.running else plain
    cells = ", ".join(f"{_cell(tables, column)} AS {name(column.name)}" for column in columns)
    kept = {column.name: _kept(tables, column.name) for column in columns if column.section == 2}
    return (
        f"WITH configs AS ({tables.configs()}), attempts AS MATERIALIZED ({tables.attempts(metrics=False)}), "
        f"newest AS ({_newest(tables)}), "
        f"open AS (SELECT trial FROM newest WHERE is_open), curve AS ({_summary(tables)}) "
        f"SELECT {cells} FROM configs c LEFT JOIN newest n ON c.trial = n.trial "
        f"LEFT JOIN ({tables.ended_attempts(kept)}) e ON n.trial = e.trial AND n.attempt = e.attempt AND NOT n.is_open "
        "LEFT JOIN curve s ON c.trial = s.trial"
    )


def _newest(tables: SweepTables) -> str:
    """The newest attempt of each trial, how many began, and when the first of them did."""
    waits = "false AS goes_back"
    if tables.rollbacks:
        back = f"({rollbacks_sql(tables)}) b(trial, attempt, step)"
        waits = f"EXISTS (SELECT 1 FROM {back} WHERE b.trial = a.trial AND b.attempt >= a.attempt) AS goes_back"
    if not tables.retried:
        began = f"{BEGAN}::BIGINT AS attempts, started AS first"
        opened = f"SELECT *, {began}, {waits} FROM attempts a"
        return f"SELECT *, goes_back OR {_OPEN} AS is_open FROM ({opened})"
    began = f"count(*) FILTER ({BEGAN}) AS attempts, arg_min(started, attempt) AS first"  # of those that have one
    opened = (
        f"SELECT a.*, attempts, first, {waits} FROM attempts a "
        f"JOIN (SELECT trial, max(attempt) AS attempt, {began} FROM attempts GROUP BY trial) USING (trial, attempt)"
    )
    return f"SELECT *, goes_back OR {_OPEN} AS is_open FROM ({opened})"


_SUMMED = "ended IS NOT NULL AND start = 0 AND busy IS NOT NULL AND state IN ('COMPLETED', 'STOPPED')"
_ENDED = ", ".join(f"'{state}'" for state in ENDED)
_OPEN = f"NOT coalesce({_SUMMED} AND {BEGAN}, false)"
# Otherwise the attempt summed its whole curve up when it ended. One that was killed could not, and has no busy time;
# one that never began knows nothing of the curve of those before it.


def _kept(tables: SweepTables, column: str) -> str:
    """The column of attempts that holds a metric's last or best value."""
    return column if column.startswith("last_") else f"{tables.extreme}_{column.removeprefix('best_')}"


def _summary(tables: SweepTables) -> str:
    """The curves so far of trials whose newest attempt did not sum its own up."""
    cells = ["trial", "count(*) AS rows", "max(step) AS step"]
    for metric in tables.metrics:
        value = name(metric)
        cells.append(f"arg_max({value}, {ROW}) AS {name('last_' + metric)}")
        # a CASE within: DuckDB takes a second for two hundred aggregates with a FILTER
        cells.append(f"{tables.extreme}(CASE WHEN isfinite({value}) THEN {value} END) AS {name('best_' + metric)}")
    strange = f"coalesce(NOT isfinite({name(tables.metric)}), false)" if tables.metric in tables.metrics else "false"
    cells.append(f"bool_or({strange}) AS diverged")
    only = "trial IN (SELECT trial FROM open)"
    return f"SELECT {', '.join(cells)} FROM ({live_rows(tables, only)}) GROUP BY trial"


def _cell(tables: SweepTables, column: Column) -> str:  # noqa: PLR0911 - one line a kind of column
    key = column.name
    if column.section == 1 or key in ("trial", "seed", "index", "u"):
        return f"c.{name(key)}"
    if key == "state":
        lost = "'PENDING'" if tables.running else "'LOST'"
        back = f"WHEN n.goes_back AND n.state IN ({_ENDED}) THEN 'PENDING'"
        return f"CASE WHEN n.trial IS NULL THEN 'PENDING' {back} WHEN n.state = 'LOST' THEN {lost} ELSE n.state END"
    if key == "attempts":
        return "coalesce(n.attempts, 0)"
    if key == "started":
        return "n.first"
    if column.section == 2:  # a trial is in `e` or in `s`
        return f"coalesce(e.{name(key)}, s.{name(key)})"
    if key == "rows":
        return "CASE WHEN n.is_open THEN coalesce(s.rows, 0) ELSE coalesce(n.rows, 0) END"
    if key == "step":
        return "CASE WHEN n.is_open THEN s.step ELSE n.step END"
    if key == "diverged":
        return "CASE WHEN n.is_open THEN coalesce(s.diverged, n.diverged) ELSE n.diverged END"
    return f"n.{key}"
