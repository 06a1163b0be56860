"""The rows of a sweep that may still matter, in memory, kept up with what is published while it runs."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb

from caviar.errors import StoreError
from caviar.store.disk.store_errors import store_error
from caviar.store.read.columns import SQL_TYPES, Column, Part, fixed, union
from caviar.store.read.live_rows import ROW, live_rows, numbered_rows
from caviar.store.read.sql import connect, name, one_line
from caviar.store.read.sweep_tables import SweepTables
from caviar.store.read.trials_view import trial_columns, trials_sql
from caviar_workers.states import ENDED
from caviar_workers.tables import METRIC_FORMS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager

    from caviar.store.sweep_dir import SweepDir
    from caviar.store.visible_files import VisibleFiles

MOST_ROWS = 4096
"""Rows of one trial's curve, beyond which every other one of the older ones is let go."""
NEWEST_ROWS = 1024
"""Rows of it that are never let go: rules look at the newest ones."""


class Following:
    """`trials`, `curves` and `_curves` of a sweep that runs, as its views have them, of trials that may still matter.

    Beside them, `standing` has one row for each trial that ever began: trial, state, started, ended, busy.

    Each look reads the files that were published since the one before, and no others; what was only merged is not read
    again. They are made of these rows by the same SQL as over files, for the sweep's metric alone and without
    parameters. Trials that are forgotten are only counted from then on; one that is tried again after all, and one of
    whose curve too much was let go, is read anew, from all files that may hold it.

    A Following is of one thread, except for `interrupt`.
    """

    def __init__(self, sweep: SweepDir) -> None:
        """Look at nothing yet.

        Raises:
            StoreError: The sweep's description cannot be read.
        """
        metric = sweep.plan.metric
        self._sweep = sweep
        self._connection = connect([sweep.disk.local_folder(sweep.path)])
        value = Column(name=metric, word="float")
        forms = [Column(name=f"{form}{metric}", word="float") for form in METRIC_FORMS]
        self._columns = {"curves": (*fixed("curves"), value), "attempts": (*fixed("attempts"), *forms)}
        self._metric = metric
        for table, columns in self._columns.items():
            cells = ", ".join(f"{name(column.name)} {SQL_TYPES[column.word]}" for column in columns)
            self._connection.execute(f"CREATE TEMP TABLE kept_{table} ({cells})")
        self._connection.execute(f"CREATE TEMP TABLE forgotten (trial BIGINT, attempt BIGINT, state VARCHAR, {_TIMES})")
        self._connection.execute("CREATE TEMP TABLE thinned (trial BIGINT, attempt BIGINT)")
        self._through: dict[int, int] | None = None
        self._views: dict[str, str] = {}
        self._rollbacks: tuple[tuple[int, int, int], ...] = ()
        self.state = "running"
        """The sweep's, at the last look."""

    def look(self, also: Callable[[], Collection[int]] = tuple) -> bool:
        """Take in what was published since the last look.

        Args:
            also: Asked at the first look, for trials whose curves are wanted although they have ended. It is asked when
                the files are listed, so that a trial that ends in between is among them, or among those to come.

        Returns:
            Whether there was anything new.

        Raises:
            StoreError: It cannot be read; the next look tries again.
        """
        try:
            state = self._sweep.state()  # before the files: a sweep that ends in between shows its last rows
            seen = self._sweep.visible_files()
            if self._through == read_through(seen) and self.state == state:
                return False
            ended = also() if self._through is None else ()
            before, self.state = self.state, state
            self._connection.begin()
            try:
                self._read_new(seen, ended)
            except BaseException:
                self.state = before
                self._connection.rollback()
                raise
            self._connection.commit()
        except OSError as error:
            raise store_error("read", self._sweep.path, error) from error
        except duckdb.Error as error:
            raise StoreError(f"The rows of {self._sweep.id} cannot be read: {one_line(error)}") from error
        self._through = read_through(seen)
        return True

    def _read_new(self, seen: VisibleFiles, also: Collection[int]) -> None:
        new, merged = unread(seen, self._through)
        tables = self._tables(new)
        rollbacks = tuple(dict.fromkeys([*self._rollbacks, *tables.rollbacks]))
        for table in ("attempts", "curves"):
            where = _NOT_FORGOTTEN + (_once(table) if merged else "")
            if table == "curves" and self._through is None:
                where = f"trial IN ({_OPEN} UNION ALL SELECT unnest({[int(trial) for trial in also]}::BIGINT[]))"
            self._insert(table, tables, where)
        if again := self._again():
            self._read_anew(self._tables(seen), again)
        kept = _Kept(self._connection, self._sweep, seen, self._metric, running=self.state == "running")
        kept.rollbacks = self._rollbacks = rollbacks
        self._thin(kept)
        self._make_views(kept)

    def _tables(self, seen: VisibleFiles) -> SweepTables:
        return SweepTables(self._connection, self._sweep, seen, running=self.state == "running")

    def _insert(self, table: str, tables: SweepTables, where: str) -> None:
        rows = tables.select(self._columns[table], table)
        self._connection.execute(f"INSERT INTO kept_{table} SELECT * FROM ({rows}) new WHERE {where}")

    def _again(self) -> list[int]:
        """Trials that are tried again, of which not all that went before is here."""
        found = self._connection.execute(
            "SELECT DISTINCT trial FROM (SELECT trial, attempt FROM kept_attempts UNION ALL "
            "SELECT trial, attempt FROM kept_curves) k WHERE attempt > 0 AND (trial IN (SELECT trial FROM forgotten) "
            "OR EXISTS (SELECT 1 FROM thinned t WHERE t.trial = k.trial AND t.attempt < k.attempt))"
        ).fetchall()
        return [trial for (trial,) in found]

    def _read_anew(self, tables: SweepTables, trials: list[int]) -> None:
        tables.narrow(trials)
        these = f"trial IN (SELECT unnest({trials}))"
        for table in ("forgotten", "thinned", "kept_attempts", "kept_curves"):
            self._connection.execute(f"DELETE FROM {table} WHERE {these}")
        for table in self._columns:
            self._insert(table, tables, these)

    def _thin(self, kept: _Kept) -> None:
        """Of curves with very many rows let those go that count no more, and every other one of the older ones."""
        many = f"SELECT trial FROM kept_curves GROUP BY trial HAVING count(*) > {MOST_ROWS}"
        if not (trials := [trial for (trial,) in self._connection.execute(many).fetchall()]):
            return
        these = f"trial IN (SELECT unnest({trials}))"
        place = f"row_number() OVER (PARTITION BY trial ORDER BY {ROW} DESC)"
        live = f"SELECT *, {place} AS _place FROM ({live_rows(kept, these)})"
        cells = ", ".join(name(column.name) for column in self._columns["curves"])
        for sql in (
            f"INSERT INTO thinned SELECT trial, max(attempt) FROM kept_curves WHERE {these} GROUP BY trial",
            f"CREATE OR REPLACE TEMP TABLE few AS SELECT {cells} FROM ({live}) "
            f"WHERE _place <= {NEWEST_ROWS} OR _place % 2 = 0",
            f"DELETE FROM kept_curves WHERE {these}",
            "INSERT INTO kept_curves FROM few",
            "DROP TABLE few",
        ):
            self._connection.execute(sql)

    def _make_views(self, kept: _Kept) -> None:
        columns, rows = numbered_rows(kept)
        views = {
            view: union([Part(sweep=self._sweep.id, columns=columns, sql=sql)])
            for view, columns, sql in (
                ("_trials", trial_columns(kept), trials_sql(kept)),
                ("curves", columns[:-1], live_rows(kept)),
                ("_curves", columns, rows),
            )
        }
        if views != self._views:  # mostly they are as they were
            for view, sql in views.items():
                self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS {sql}")
        self._views = views
        self._connection.execute("CREATE OR REPLACE TEMP TABLE trials AS FROM _trials")  # it is asked for several times
        cells = "trial, state, started, ended, busy"
        standing = f"SELECT {cells} FROM trials UNION ALL SELECT {cells} FROM forgotten"
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW standing AS {standing}")

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
        """Run trusted SQL over the views."""
        return self._connection.execute(sql, list(parameters))

    def of_trials(self, _trials: Collection[int]) -> AbstractContextManager[None]:
        """As of `Views`; there is nothing to narrow."""
        return nullcontext()

    def configs(self, trials: Collection[int]) -> list[dict[str, Any]]:
        """The rows of `configs` of some trials, looked up in the files."""
        tables = self._tables(self._sweep.visible_files())
        wanted = ", ".join(map(str, trials)) or "NULL"
        cursor = self._connection.execute(f"SELECT * FROM ({tables.configs()}) WHERE trial IN ({wanted})")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def forget(self, but: Collection[int]) -> None:
        """Keep no rows of trials that have ended, but of these few. The view `standing` counts them on."""
        kept = ", ".join(map(str, but)) or "NULL"
        for sql in (
            "CREATE OR REPLACE TEMP TABLE gone AS SELECT trial, state, started, ended, busy FROM trials "
            f"WHERE state IN ({_ENDED}) AND trial NOT IN (SELECT unnest([{kept}]::BIGINT[]))",
            "INSERT INTO forgotten SELECT trial, attempt, state, started, ended, busy FROM gone "
            "JOIN (SELECT trial, max(attempt) AS attempt FROM kept_attempts GROUP BY trial) USING (trial)",
            *(
                f"DELETE FROM {table} WHERE trial IN (SELECT trial FROM gone)"
                for table in ("kept_attempts", "kept_curves", "thinned", "trials")
            ),
        ):
            self._connection.execute(sql)

    def interrupt(self) -> None:
        """End the query that runs, from another thread."""
        self._connection.interrupt()

    def close(self) -> None:
        """Let go of memory."""
        self._connection.close()


class _Kept(SweepTables):
    """The same tables as those of the files, but of rows in memory."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        sweep: SweepDir,
        seen: VisibleFiles,
        metric: str,
        *,
        running: bool,
    ) -> None:
        super().__init__(
            connection, sweep, replace(seen, manifest=replace(seen.manifest, final=False)), running=running
        )
        self.parameters = ()
        self.metrics = (metric,)

    def scan(self, *tables: str) -> str | None:
        """The table in memory; None for those that are not kept."""
        return f"kept_{tables[0]}" if tables[0] in ("attempts", "curves") else None

    def configs(self) -> str:
        """A row for each trial that began: what it was given is not kept."""
        return 'SELECT DISTINCT trial, 0 AS seed, 0 AS "index", NULL::DOUBLE[] AS u FROM kept_attempts'


_ENDED = ", ".join(f"'{state}'" for state in ENDED)
_TIMES = "started TIMESTAMP, ended TIMESTAMP, busy DOUBLE"
_NOT_FORGOTTEN = "NOT EXISTS (SELECT 1 FROM forgotten e WHERE e.trial = new.trial AND e.attempt >= new.attempt)"
_OPEN = (
    "SELECT trial FROM (SELECT trial, arg_max(coalesce(state, ''), (attempt, ended IS NOT NULL)) AS state "
    f"FROM kept_attempts GROUP BY trial) WHERE state NOT IN ({_ENDED})"
)


def _once(table: str) -> str:
    """A condition on new rows: they are not kept already."""
    if table == "curves":
        same = "k.trial = new.trial AND k.attempt = new.attempt AND k._seq = new._seq"
    else:
        same = "k.trial = new.trial AND k.attempt = new.attempt AND (k.ended IS NULL) = (new.ended IS NULL)"
    return f" AND NOT EXISTS (SELECT 1 FROM kept_{table} k WHERE {same})"


def read_through(seen: VisibleFiles) -> dict[int, int]:
    """Epoch → the last segment whose rows a snapshot has, in whichever files."""
    return {**seen.manifest.hot_through, **seen.through()}


def unread(seen: VisibleFiles, through: dict[int, int] | None) -> tuple[VisibleFiles, bool]:
    """The files with rows that were not read; and whether they may have some that were, for they are merged."""
    read = through or {}
    hot = tuple(segment for segment in seen.hot if segment.n > read.get(segment.epoch, -1))
    merged = any(n > read.get(epoch, -1) for epoch, n in seen.manifest.hot_through.items())
    files = seen.manifest.files if merged else ()
    part = replace(seen, manifest=replace(seen.manifest, files=files, final=False), hot=hot)
    return part, merged and through is not None
