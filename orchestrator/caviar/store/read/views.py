"""What readers see: each sweep, or several, as plain SQL tables, while they run and for ever after."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import duckdb

from caviar.errors import SpecError, StoreError
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import SUPERSEDED
from caviar.store.read.columns import fixed
from caviar.store.read.shown_sweep import PartError, ShownSweep, look_at, sql_of
from caviar.store.read.sql import (
    advised,
    connect,
    first_damaged,
    interrupted,
    may_be_damage,
    one_line,
    select_only,
    told,
)
from caviar.store.read.sweep_tables import SweepTables
from caviar.store.read.view_sql import NAMES, mentioned
from caviar.store.visible_files import gap_sentence, gone_error, holes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import PurePath
    from types import TracebackType

    from caviar.store.manifest import Quarantined
    from caviar.store.store import Store
    from caviar.store.sweep_dir import SweepDir
    from caviar.store.visible_files import VisibleFiles

T = TypeVar("T")

TRIES = 10
"""Times that a query starts again because files that it listed were merged away."""


class Views:
    """The views sweeps, trials, curves, attempts and so on (`view_sql.NAMES`) over sweeps, at one moment.

    Contract. Reading takes no locks and disturbs no writer. All views show one moment: that of construction
    or of the last `refresh`; `execute` refreshes by itself when files of that moment are gone. A Views is
    of one thread. The connection reads only files of these sweeps, and loads no extension.

    Every view has a leading `sweep`, the sweep's id. Times are TIMESTAMP in UTC.
    """

    _in_memory: Collection[str] = ()

    def __init__(self, store: Store, sweeps: Sequence[SweepDir] | None = None, *, leave_out: bool = False) -> None:
        """Look at sweeps of a store.

        Args:
            store: The store.
            sweeps: Some of its sweeps; None: all.
            leave_out: A sweep that cannot be read is told and left out, rather than an error.

        Raises:
            StoreError: A sweep cannot be read.
        """
        self._store = store
        self._leave_out = leave_out
        self._out: set[str] = set()
        self._sweeps = store.sweeps() if sweeps is None else list(sweeps)
        self._connection = connect([sweep.disk.local_folder(sweep.path) for sweep in self._sweeps])
        self._made: dict[str, str] = {}
        self._trials: Collection[int] | None = None
        self.refresh()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection with all views made."""
        self._need(NAMES)
        return self._connection

    @contextmanager
    def beside(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Another connection, with the views that are made, for a question while the rows of one are still fetched."""
        with self._connection.cursor() as connection:
            for view, sql in self._made.items():
                connection.execute(f"CREATE TEMP VIEW {view} AS {sql}")
            yield connection

    def refresh(self) -> None:
        """Look at the files anew: what was published until now becomes visible."""
        self._made.clear()
        self._shown: list[ShownSweep] = []
        wanted = [sweep for sweep in self._sweeps if sweep.id not in self._out]
        for sweep, look in zip(wanted, self._store.disk.each(self._look, wanted), strict=True):
            if isinstance(look, StoreError):
                self._drop(sweep, look)
                continue
            state, seen = look
            tables = SweepTables(self._connection, sweep, seen, running=state == "running")
            if self._trials is not None:
                tables.narrow(self._trials)
            self._shown.append(ShownSweep(sweep=sweep, state=state, tables=tables))

    def _look(self, sweep: SweepDir) -> tuple[str, VisibleFiles] | StoreError:
        try:
            return look_at(sweep)
        except StoreError as error:
            if not self._leave_out:
                raise
            return error

    def _drop(self, sweep: SweepDir, error: Exception) -> None:
        """Show a sweep no more."""
        self._out.add(sweep.id)
        self._shown = [one for one in self._shown if one.sweep.id != sweep.id]
        self._made.clear()
        self._store.leave_out(sweep, error)

    @contextmanager
    def of_trials(self, trials: Collection[int]) -> Iterator[None]:
        """Within the block, `curves` opens only the files that may hold these trials: of others, rows may lack.

        A file is compared with its checksum before it is first read; this way a curve need not wait for others.
        """
        self._narrow(trials)
        try:
            yield
        finally:
            self._narrow(None)

    @contextmanager
    def of_sweep(self, sweep: SweepDir) -> Iterator[None]:
        """Within the block the views show one of the sweeps that they show, alone, and if it cannot be read, that is an
        error: as a Views of its own would, without the database that each of these opens.

        Raises:
            StoreError: Its rows cannot be read.
        """
        before = self._sweeps, self._shown, self._leave_out
        self._sweeps, self._leave_out = [sweep], False
        self._shown = [one for one in self._shown if one.sweep.id == sweep.id]
        self._made.clear()
        try:
            yield
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise self._unreadable(error) from error
        finally:
            self._sweeps, self._shown, self._leave_out = before
            self._made.clear()

    def _narrow(self, trials: Collection[int] | None) -> None:
        self._trials = trials
        changed = [one.tables.narrow(trials) for one in self._shown]
        if any(changed):
            for view in ("curves", "_curves"):
                self._made.pop(view, None)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
        """Run trusted SQL over the views.

        Args:
            sql: One statement; `?` stands for a parameter.
            parameters: One value each.

        Returns:
            The connection, to fetch from.

        Raises:
            duckdb.Error: The SQL is wrong.
            StoreError: Files cannot be read.
        """

        def asked() -> duckdb.DuckDBPyConnection:
            self._need(mentioned(sql))
            return self._connection.execute(sql, list(parameters))

        return self._read(asked)

    def _read(self, ask: Callable[[], T]) -> T:
        """What `ask` gives; it is asked again, of new files, when some of those that were listed are gone."""
        failure: Exception
        for left in reversed(range(TRIES)):
            try:
                return ask()
            except (duckdb.IOException, FileNotFoundError) as error:
                failure = error
                self.refresh()
                if self._leave_out and left == 1:  # no merge lasts so long
                    self._drop_incomplete()
            except OSError as error:
                raise store_error("read", self._store.path, error) from error
            except duckdb.Error as error:
                if may_be_damage(error):
                    self._tell_damage(error)
                raise
            except RuntimeError as error:
                if interrupted(error):
                    raise KeyboardInterrupt from None
                raise
        self._tell_missing(failure)
        raise StoreError(f"Cannot read the store {self._store.path}: {one_line(failure)}") from failure

    def _drop_incomplete(self) -> None:
        """Leave out the sweeps of which files that count are not there."""
        for one in list(self._shown):
            try:
                gone: Exception | None = gone_error(one.sweep.disk, one.sweep.path, one.tables.seen)
            except OSError as error:
                gone = store_error("read", one.sweep.path, error)
            if gone is not None:
                self._drop(one.sweep, gone)

    def ask(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run a user's SQL: one SELECT over the views.

        Raises:
            SpecError: It is wrong, or does more than read.
            StoreError: Files cannot be read.
        """
        try:
            answer = self.execute(select_only(sql))
        except duckdb.PermissionException as error:
            raise SpecError(f"A query reads the views and no files: {one_line(error)}") from error
        except duckdb.Error as error:
            self._need_some()
            raise SpecError(f"The query cannot be answered: {advised(told(error), NAMES)}") from error
        self._need_some()
        return answer

    def _need_some(self) -> None:
        """Nothing is no answer, where all that there is was left out."""
        if self._out and not self._shown:
            raise StoreError(
                f"None of the sweeps in {self._store.path} can be read: `caviar store check` looks closer."
            )

    def metrics(self) -> list[str]:
        """Names of the metrics reported so far in any of the sweeps, in order of first appearance."""
        return self._read(lambda: list(dict.fromkeys(name for one in self._shown for name in one.tables.metrics)))

    def published(self, trials: Collection[int]) -> dict[int, dict[int, tuple[int, int]]]:
        """Trial → attempt → its rows and its first step, of each attempt that has rows; superseded ones count too.

        Rows behind a missing one, such as where a damaged file was set aside, are left out. Of the first of the sweeps.
        To be asked for once, of fresh views: it does not begin again when files are gone.
        """
        rows = self._shown[0].tables.select(fixed("curves"), "curves", SUPERSEDED)
        sql = (
            "SELECT trial, attempt, count(*) FILTER (_seq = place), min(_start) FROM (SELECT trial, attempt, _seq, "
            "_start, row_number() OVER (PARTITION BY trial, attempt ORDER BY _seq) - 1 AS place "
            f"FROM ({rows}) WHERE trial IN ({', '.join(map(str, trials)) or 'NULL'})) GROUP BY trial, attempt"
        )
        found: dict[int, dict[int, tuple[int, int]]] = {trial: {} for trial in trials}
        for trial, attempt, count, start in self._connection.execute(sql).fetchall():
            found[trial][attempt] = count, start
        return found

    def quarantined(self) -> list[tuple[SweepDir, Quarantined]]:
        """Sweep and file, of each file that was set aside for damage: its rows are not shown."""
        return [(one.sweep, file) for one in self._shown for file in one.tables.seen.manifest.quarantined]

    def interrupt(self) -> None:
        """End the query that runs, from another thread: it raises duckdb.InterruptException."""
        self._connection.interrupt()

    def missing(self) -> list[str]:
        """A sentence for each segment that was published and is gone, so that what follows it is not shown."""
        found = []
        for one in self._shown:
            with self._store.apart(one.sweep):
                gaps = holes(one.sweep.disk, one.sweep.path, one.tables.seen)
                found += [gap_sentence(one.sweep.path, gap) for gap in gaps]
        return found

    def close(self) -> None:
        """Let go of files and memory."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if isinstance(error, duckdb.Error) and not isinstance(error, duckdb.InterruptException):
            raise self._unreadable(error) from error

    def _unreadable(self, error: duckdb.Error) -> StoreError:
        which = ", ".join(sweep.id for sweep in self._sweeps[:3])
        return StoreError(f"The rows of {which} cannot be read ({one_line(error)}): restore them from a copy.")

    def _tell_missing(self, failure: Exception) -> None:
        for one in self._shown:
            gone = gone_error(one.sweep.disk, one.sweep.path, one.tables.seen)
            if gone is not None:
                raise gone from failure

    def _tell_damage(self, error: duckdb.Error) -> None:
        found = first_damaged(self._disk_files())
        if found is not None:
            raise StoreError(f"{found[0]} is damaged ({found[1]}): restore it from a copy.") from error

    def _disk_files(self) -> list[PurePath]:
        return [
            file
            for one in self._shown
            for file in one.sweep.disk.local([(one.tables.path / name, "") for name in one.tables.seen.all_names()])
        ]

    def _need(self, names: Sequence[str]) -> None:
        for view in names:
            while view not in self._made:
                shown = len(self._shown)
                try:
                    form = "TABLE" if view in self._in_memory else "VIEW"
                    sql = self._sql(view)
                    self._connection.execute(f"CREATE OR REPLACE TEMP {form} {view} AS {sql}")
                    self._made[view] = sql
                except (duckdb.IOException, duckdb.InterruptException):
                    raise
                except duckdb.Error:
                    self._drop_those_without(view)
                    if len(self._shown) == shown:
                        raise

    def _drop_those_without(self, view: str) -> None:
        """Leave out the sweeps whose part of a view the database refuses."""
        for one in list(self._shown) if self._leave_out else ():
            try:
                self._connection.execute(f"DESCRIBE {sql_of([one], view)}")
            except duckdb.InterruptException:
                raise
            except duckdb.Error as error:
                self._drop(one.sweep, StoreError(f"its {view} cannot be read: {one_line(error)}"))

    def _sql(self, view: str) -> str:
        while True:
            try:
                return sql_of(self._shown, view)
            except PartError as error:
                if not self._leave_out:
                    raise error.why from error
                self._drop(error.sweep, error.why)
