"""The answer to a query in the form that was asked for; a thread asks, so that Ctrl-C and the clock are heard."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self, TextIO, TypeVar

from caviar.cli.output import say, say_left_out
from caviar.display.whole_file import to_file
from caviar.errors import CaviarError, SpecError, StoreError
from caviar.export.text_tables import Row, Writer, brief, write_csv, write_latex, write_markdown, write_text
from caviar.results.json_form import as_json

if TYPE_CHECKING:
    from types import TracebackType

    from caviar.store import Views


AGAIN_S = 0.1

T = TypeVar("T")


class QueryThread:
    """Makes calls that query some views. DuckDB itself hears no Ctrl-C while another thread of its own works.

    Args:
        views: What is asked; of no other thread meanwhile.
        seconds: The time that all calls may take together; None: as long as they need.
    """

    def __init__(self, views: Views, seconds: float | None) -> None:
        self._views = views
        self._seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="caviar-query")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def call(self, work: Callable[..., T], *args: Any) -> T:
        """Return what the call returns, or raise what it raises.

        Raises:
            CaviarError: The time is over.
            KeyboardInterrupt: Ctrl-C. Either way the query has ended.
        """
        job = self._pool.submit(copy_context().run, work, *args)  # which knows the store, as commands name it
        try:
            return job.result(None if self._end is None else max(self._end - time.monotonic(), 0.0))
        except TimeoutError:
            if job.done():
                return job.result()  # its own error, or it came just now
            self._interrupt(job)
        except KeyboardInterrupt:
            self._interrupt(job)
            raise
        from caviar.display.numbers import duration

        raise CaviarError(
            f"the query took longer than {duration(self._seconds)}: ask for fewer rows, or --timeout a longer time"
        )

    def _interrupt(self, job: Future[Any]) -> None:
        while not job.done():
            self._views.interrupt()  # again and again: it may be between two statements
            wait([job], AGAIN_S)


BATCH = 10_000
# A table is for reading; beyond this a file serves better.
TABLE_ROWS = 1000

Cursor = Any


def write_answer(views: Views, sql: str, form: str, output: str | None, timeout: float | None = None) -> None:
    """Run the statement and write its rows to stdout or to the file, which appears whole or not at all.

    Args:
        views: What is asked.
        sql: The statement.
        form: table, json, csv, parquet, markdown or latex.
        output: The file; None: stdout.
        timeout: Seconds that it may take; None: as many as it needs.

    Raises:
        SpecError: the database refuses the statement, and the sentence is its own; or the file cannot be written.
        CaviarError: it took longer than that.
    """
    with QueryThread(views, timeout) as attended, _sentences():
        if form == "parquet":
            to_file(str(output), lambda path: _parquet(views, sql, path, attended))
            return
        cursor = attended.call(views.ask, sql)
        write = WRITERS[form]
        rows = _rows(cursor, attended)
        if output is None:
            write(_names(cursor), rows, sys.stdout)
        else:
            to_file(output, lambda path: write_text(_names(cursor), rows, path, write))


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    """Turn what the database says while rows are fetched into our errors."""
    import duckdb

    try:
        yield
    except duckdb.IOException as error:
        raise StoreError(f"files of the store vanished while they were read ({error}); ask again") from error
    except duckdb.Error as error:
        if "pytz" in str(error):  # which DuckDB asks for when rows with such times are fetched
            raise SpecError("the answer has times with a zone: cast them, as in now()::TIMESTAMP") from error
        raise SpecError(f"the query failed: {str(error).strip().splitlines()[0]}") from error


def _names(cursor: Cursor) -> list[str]:
    return [column[0] for column in cursor.description]


def _rows(cursor: Cursor, attended: QueryThread) -> Iterator[Row]:
    while batch := attended.call(cursor.fetchmany, BATCH):
        yield from batch


def _table(names: list[str], found: Iterator[Row], stream: TextIO) -> None:
    from caviar.display.numbers import counted, value_text
    from caviar.display.table import Column, print_table

    rows = list(itertools.islice(found, TABLE_ROWS + 1))
    numeric = [all(isinstance(row[i], (int, float, type(None))) for row in rows) for i in range(len(names))]
    columns = [
        Column(name=name, align="right" if right else "left", shrink=not right, keep=i == 0)
        for i, (name, right) in enumerate(zip(names, numeric, strict=True))
    ]
    cells = [[value_text(brief(value), 200) for value in row] for row in rows[:TABLE_ROWS]]
    say_left_out(print_table(columns, cells, stream))
    if len(rows) > TABLE_ROWS:
        say(f"only the first {counted(TABLE_ROWS, 'row')}; for all of them: --format csv, or -o FILE.parquet")


def _json(names: list[str], rows: Iterator[Row], stream: TextIO) -> None:
    between = "[\n"
    for row in rows:
        record = dict(zip(names, map(as_json, row), strict=True))
        stream.write(f"{between}{json.dumps(record, allow_nan=False)}")
        between = ",\n"
    stream.write("[]\n" if between == "[\n" else "\n]\n")


def _parquet(views: Views, sql: str, path: str, attended: QueryThread) -> None:
    import pyarrow.parquet as pq

    from caviar.store import select_only

    def reader() -> Any:
        relation: Any = views.connection.sql(select_only(sql))  # unlike a cursor, it streams
        # The name since DuckDB 2; before, it was fetch_arrow_reader.
        return (getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader)(BATCH)

    rows = attended.call(reader)
    with pq.ParquetWriter(path, rows.schema) as writer:
        while (batch := attended.call(next, rows, None)) is not None:
            writer.write_batch(batch)


WRITERS: dict[str, Writer] = {
    "table": _table,
    "json": _json,
    "csv": write_csv,
    "markdown": write_markdown,
    "latex": write_latex,
}
