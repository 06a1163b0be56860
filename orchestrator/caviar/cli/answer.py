"""The answer to a query, written in the form that was asked for, a batch of rows at a time."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO
from uuid import uuid4

from caviar.cli.output import clean, say, say_left_out
from caviar.errors import SpecError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caviar.store import Views

BATCH = 10_000
# A table is for reading; beyond this a file serves better.
TABLE_ROWS = 1000

Cursor = Any


def write_answer(views: Views, sql: str, form: str, output: str | None) -> None:
    """Run the statement and write its rows to stdout or to the file, which appears whole or not at all.

    Raises:
        SpecError: the database refuses the statement, and the sentence is its own; or the file cannot be written.
    """
    with _sentences():
        if form == "parquet":
            _to_file(str(output), lambda path: _parquet(views, sql, path))
            return
        cursor = views.ask(sql)
        write = {"table": _table, "json": _json, "csv": _csv}[form]
        if output is None:
            write(cursor, sys.stdout)
        else:
            _to_file(output, lambda path: _text(cursor, path, write))


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    """Turn what the database says while rows are fetched into our errors."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.IOException as error:
        raise StoreError(f"files of the store vanished while they were read ({error}); ask again") from error
    except duckdb.Error as error:
        if "pytz" in str(error):  # which DuckDB asks for when rows with such times are fetched
            raise SpecError("the answer has times with a zone: cast them, as in now()::TIMESTAMP") from error
        raise SpecError(f"the query failed: {str(error).strip().splitlines()[0]}") from error


def _names(cursor: Cursor) -> list[str]:
    return [column[0] for column in cursor.description]


def _rows(cursor: Cursor) -> Iterator[tuple[Any, ...]]:
    while batch := cursor.fetchmany(BATCH):
        yield from batch


def _table(cursor: Cursor, stream: TextIO) -> None:
    from caviar.show.numbers import counted, value_text
    from caviar.show.table import Column, print_table

    names = _names(cursor)
    rows = cursor.fetchmany(TABLE_ROWS + 1)
    numeric = [all(isinstance(row[i], (int, float, type(None))) for row in rows) for i in range(len(names))]
    columns = [
        Column(name=name, align="right" if right else "left", shrink=not right, keep=i == 0)
        for i, (name, right) in enumerate(zip(names, numeric, strict=True))
    ]
    cells = [[value_text(_readable(value), 200) for value in row] for row in rows[:TABLE_ROWS]]
    say_left_out(print_table(columns, cells, stream))
    if len(rows) > TABLE_ROWS:
        say(f"only the first {counted(TABLE_ROWS, 'row')}; for all of them: --format csv, or -o FILE.parquet")


def _readable(value: object) -> object:
    """Times as text; the rest as strict JSON has it, but for NaN and infinities, which a table can show."""
    return value if isinstance(value, float) else clean(value)


def _json(cursor: Cursor, stream: TextIO) -> None:
    names = _names(cursor)
    between = "[\n"
    for row in _rows(cursor):
        record = dict(zip(names, map(clean, row), strict=True))
        stream.write(f"{between}{json.dumps(record, allow_nan=False)}")
        between = ",\n"
    stream.write("[]\n" if between == "[\n" else "\n]\n")


def _csv(cursor: Cursor, stream: TextIO) -> None:
    from caviar.show.sanitize import csv_cell

    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(csv_cell, _names(cursor)))
    for row in _rows(cursor):
        writer.writerow([csv_cell(_readable(value)) for value in row])


def _text(cursor: Cursor, path: str, write: Callable[[Cursor, TextIO], None]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as stream:
        write(cursor, stream)


def _parquet(views: Views, sql: str, path: str) -> None:
    import pyarrow.parquet as pq

    from caviar.store import select_only

    relation: Any = views.connection.sql(select_only(sql))  # unlike a cursor, it streams
    # The name since DuckDB 2; before, it was fetch_arrow_reader.
    reader = (getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader)(BATCH)
    with pq.ParquetWriter(path, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


def _to_file(output: str, write: Callable[[str], None]) -> None:
    aside = f"{output}.{uuid4().hex[:8]}.tmp"
    try:
        write(aside)
        os.replace(aside, output)
    except OSError as error:
        raise SpecError(f"cannot write {output}: {error.strerror or error}; name another file with -o") from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(aside)
