"""The recorded tables of one sweep as SQL over its files, with nothing missing."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from caviar.errors import StoreError
from caviar.store.disk.disk import MOST_CHECKED
from caviar.store.read.columns import Column, fixed, need_types, pick
from caviar.store.read.sql import name, paths
from caviar.store.untrusted_json import numbers_of
from caviar_workers.checkpoint import MOST_STEP
from caviar_workers.tables import FIELDS, METRIC_FORMS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from caviar.store.sweep_dir import SweepDir
    from caviar.store.visible_files import VisibleFiles


_NEVER_NULL = {"decisions": ("n", "action", "decided_by"), "attempts": ("attempt", "state")}
"""Columns, beside `trial`, that are null in the store of a stranger only."""
BEGAN = "(state IS DISTINCT FROM 'CANCELLED' AND cause IS DISTINCT FROM 'stop')"
"""Condition on a row of attempts: a worker began with it. Otherwise its trial was stopped while it waited for it, in no
lease or in one, and the row's `started` is the moment of that: it is not shown."""


class SweepTables:
    """The files of a sweep as SQL, from which `trials`, `curves` and the other views are made.

    Opens the files' footers when columns are needed, and compares a file with its checksum before it is
    first read.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        sweep: SweepDir,
        seen: VisibleFiles,
        *,
        running: bool,
        most: int = MOST_CHECKED,
    ) -> None:
        """Look at a sweep's files.

        Args:
            connection: What will run the SQL.
            sweep: The sweep.
            seen: Which files count.
            running: Whether a living process owns the sweep.
            most: Bytes of a file, at most, that is compared with its checksum first.
        """
        plan = sweep.plan
        self._connection = connection
        self._disk = sweep.disk
        self._most = most
        self._checksums = seen.checksums()
        self.path = sweep.path
        self._trials: Collection[int] | None = None
        self._where = ""
        self._held: dict[tuple[str, ...], dict[str, str]] = {}
        self.seen = seen
        self.running = running
        """Whether a living process owns the sweep."""
        self.metric = plan.metric
        """The sweep's own."""
        self.extreme = "max" if plan.mode == "max" else "min"
        """What is best, by the sweep's mode."""
        self.parameters = tuple(
            Column(name=key, word=parameter.get("kind", "text"), section=1)
            for key, parameter in plan.parameters.items()
        )

    def narrow(self, trials: Collection[int] | None) -> bool:
        """Look for curves only in the files that may hold these trials; None: in all.

        Returns:
            Whether other files are looked at now. Those of a sweep that ended stay as they are once all of them were
            opened and compared: nothing is spared then, and their footers tell which rows need not be read.
        """
        if trials is None and self._trials is None:
            return False
        if self._trials is None and self.seen.plain and ("curves",) in self._held:
            return False
        _ = self.metrics  # of all
        self._trials = trials
        self._held.pop(("curves",), None)
        self.__dict__.pop("retried", None)  # whether a trial was rolled back is known of all
        return True

    def between(self, low: int, high: int) -> SweepTables:
        """Return the same tables, but of the trials from `low` to before `high` only."""
        part = copy(self)
        part._where = f" WHERE trial >= {low} AND trial < {high}"
        return part

    def scan(self, *tables: str) -> str | None:
        """FROM clause over all files of some tables; None when there are none."""
        files = self.files(*tables)
        if not files:
            return None
        return f"read_parquet({paths(files)}, union_by_name = true, hive_partitioning = false)"

    def files(self, *tables: str) -> Sequence[Path]:
        """All files of some tables, on this computer, compared with their checksums."""
        names = [
            name for table in tables for name in self.seen.names(table, self._trials if table == "curves" else None)
        ]
        return self._disk.local([(self.path / file, self._checksums[file]) for file in names], most=self._most)

    def held(self, *tables: str) -> dict[str, str]:
        """Columns that the files of some tables have, with DuckDB's types."""
        if tables not in self._held:
            source = self.scan(*tables)
            rows = [] if source is None else self._connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            held = {row[0]: row[1] for row in rows}
            if source is not None:
                self._check_trials(tables[0], held, source)
            self._held[tables] = held
        return self._held[tables]

    def _check_trials(self, table: str, held: Mapping[str, str], source: str) -> None:
        """See that each row is of a trial, or of none where it may. Statistics tell of our files: no row is read."""
        odd = "trial < 0" if table == "decisions" else "trial IS NULL OR trial < 0"
        if "trial" not in held:
            raise StoreError(f"the {table} of {self.path.name} have no column trial: restore the sweep from a copy.")
        need_types(self.path.name, table, fixed("configs")[:1], held)
        if self._connection.execute(f"SELECT 1 FROM {source} WHERE {odd} LIMIT 1").fetchall():
            raise StoreError(f"the {table} of {self.path.name} have rows of no trial: restore the sweep from a copy.")
        for column in _NEVER_NULL.get(table, ()):
            sql = f"SELECT 1 FROM {source} WHERE {column} IS NULL LIMIT 1"
            if column in held and self._connection.execute(sql).fetchall():
                raise StoreError(
                    f"the {table} of {self.path.name} have rows without {column}: restore the sweep from a copy."
                )

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Metrics reported so far, in the order of their first appearance."""
        if self.seen.plain:
            found = [key.removeprefix("last_") for key in self.held("trials") if key.startswith("last_")]
            return tuple(dict.fromkeys(found))
        reported = [key for key in self.held("curves") if key not in FIELDS["curves"]]
        ended = [key.removeprefix("last_") for key in self.held("attempts") if key.startswith("last_")]
        return tuple(dict.fromkeys([*reported, *ended]))

    @cached_property
    def retried(self) -> bool:
        """Whether a trial was begun more than once. Statistics tell of most files, so few rows are read."""
        sources = [source for source in map(self.scan, ("attempts", "curves")) if source is not None]
        later = "\nUNION ALL ".join(f"(SELECT 1 FROM {source} WHERE attempt > 0 LIMIT 1)" for source in sources)
        return bool(sources) and bool(self._connection.execute(later).fetchall())

    @cached_property
    def rollbacks(self) -> tuple[tuple[int, int, int], ...]:
        """Trial, its newest attempt then, and the first step that counted no more, of each rollback."""
        sql = f"SELECT trial, attempt, numbers FROM ({self.decisions()}) WHERE action = 'rollback' ORDER BY n"
        found = []
        for trial, attempt, numbers in self.ask(sql):
            to = numbers_of(numbers).get("to")
            step = to.get("step") if isinstance(to, dict) else None
            if None not in (trial, attempt) and type(step) is int and 0 <= step < MOST_STEP:
                found.append((trial, attempt, step + 1))
        return tuple(found)

    @property
    def cut(self) -> bool:
        """Whether rows of an attempt may count no more."""
        return self.retried or bool(self.rollbacks)

    @property
    def curve_columns(self) -> tuple[Column, ...]:
        """Columns of `curves()`."""
        return (*fixed("curves"), *(Column(name=metric, word="float", section=1) for metric in self.metrics))

    @property
    def attempt_columns(self) -> tuple[Column, ...]:
        """Columns of `attempts()`."""
        forms = [f"{form}{metric}" for metric in self.metrics for form in METRIC_FORMS]
        return (*fixed("attempts"), *(Column(name=form, word="float", section=1) for form in forms))

    @property
    def config_columns(self) -> tuple[Column, ...]:
        """Columns of `configs()`."""
        return (*fixed("configs"), *self.parameters)

    def select(self, columns: tuple[Column, ...], *tables: str) -> str:
        """SELECT of these columns over all files of some tables; of no rows when there are none."""
        source = self.scan(*tables)
        if source is None:
            return f"SELECT {pick(columns, {})} WHERE false"
        held = self.held(*tables)
        need_types(self.path.name, tables[0], columns, held)
        return f"SELECT {pick(columns, held)} FROM {source}{self._where}"

    def configs(self) -> str:
        """SELECT of all configurations; finished ones are in the final table of trials."""
        return f"{self.select(self.config_columns, 'configs')}\nUNION ALL {self.select(self.config_columns, 'trials')}"

    def rows(self) -> str:
        """SELECT of all rows reported, those of superseded attempts too unless they were set apart."""
        return self.select(self.curve_columns, "curves")

    def attempts(self, *, metrics: bool = True) -> str:
        """SELECT of one row an attempt: how it ended, or that it runs; LOST when nobody runs it any more.

        One that never began has no `started`. Without `metrics`, of their fixed columns: DuckDB plans a query of
        thousands of columns for seconds.
        """
        recorded = self.select(self.attempt_columns if metrics else fixed("attempts"), "attempts")
        every = f"SELECT * REPLACE (CASE WHEN {BEGAN} THEN started END AS started) FROM ({recorded})"
        if self.seen.plain:
            return every
        state = "" if self.running else "REPLACE ('LOST' AS state)"
        return (
            f"WITH every AS ({every}), ended AS (SELECT * FROM every WHERE ended IS NOT NULL) "
            f"SELECT * FROM ended UNION ALL SELECT * {state} FROM every WHERE ended IS NULL "
            "AND NOT EXISTS (SELECT 1 FROM ended e WHERE e.trial = every.trial AND e.attempt = every.attempt) "
            "QUALIFY row_number() OVER (PARTITION BY trial, attempt) = 1"
        )

    def ended_attempts(self, columns: Mapping[str, str]) -> str:
        """SELECT of trial, attempt and some columns of metrics, under other names, of each attempt that ended."""
        held = self.held("attempts")
        cells = [f"{name(own) if own in held else 'NULL::DOUBLE'} AS {name(out)}" for out, own in columns.items()]
        need_types(self.path.name, "attempts", [Column(name=own, word="float") for own in columns.values()], held)
        source = self.scan("attempts")
        if source is None:
            return f"SELECT {', '.join(['0 AS trial', '0 AS attempt', *cells])} WHERE false"
        every = f"SELECT * FROM {source}{self._where}"
        return f"SELECT {', '.join(['trial', 'attempt', *cells])} FROM ({every}) WHERE ended IS NOT NULL"

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query over these tables, for a view that is a fold of them."""
        return self._connection.execute(sql).fetchall()

    def logs(self) -> str:
        """SELECT of all captured output."""
        return self.select(fixed("logs"), "logs")

    def artifacts(self) -> str:
        """SELECT of all files that trials kept."""
        return self.select(fixed("artifacts"), "artifacts")

    def decisions(self) -> str:
        """SELECT of all decisions: what was stopped, retried, extended …, by whom, and on which numbers."""
        return self.select(fixed("decisions"), "decisions")
