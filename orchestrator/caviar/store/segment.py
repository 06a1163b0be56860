"""A table of rows as one Parquet file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from caviar.store.encoding import group_rows, options
from caviar_workers.tables import FIELDS, schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType


def unify(table: str, pieces: Sequence[pa.Table | pa.RecordBatch]) -> pa.Table:
    """One table of all rows: fixed fields first, in their types; a column that a piece lacks is null there.

    Args:
        table: configs, logs, curves, decisions or attempts.
        pieces: Rows, at least one piece.

    Raises:
        ValueError: A fixed field is missing, or a column has different types in two pieces.
    """
    tables = [pa.Table.from_batches([piece]) if isinstance(piece, pa.RecordBatch) else piece for piece in pieces]
    distinct = {one.schema: None for one in tables}
    whole = pa.concat_tables(tables) if len(distinct) == 1 else _concat(tables)
    fixed = schema(table)
    check_fields(table, whole.schema)
    others = [whole.schema.field(name) for name in whole.column_names if name not in fixed.names]
    target = pa.schema([*fixed, *(_other(table, field) for field in others)])
    return whole.select(target.names).cast(target)


def check_fields(table: str, found: pa.Schema) -> None:
    """Check that rows have all fixed fields of their table; ValueError names the first missing one."""
    names = set(found.names)
    for name in FIELDS[table]:
        if name not in names:
            raise ValueError(f"rows for {table} must have the columns {', '.join(FIELDS[table])}; {name} is missing")


def _concat(tables: list[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"a column must have one type in all rows, got {error}") from error


def _other(table: str, field: pa.Field) -> pa.Field:
    if table in ("curves", "attempts"):
        return pa.field(field.name, pa.float64())
    if pa.types.is_dictionary(field.type):  # a slice of one carries the whole dictionary
        return pa.field(field.name, field.type.value_type)
    return pa.field(field.name, pa.string() if pa.types.is_null(field.type) else field.type)


def conform(rows: pa.Table, layout: pa.Schema) -> pa.Table:
    """The rows with exactly these columns; one that they lack is null."""
    if rows.schema.equals(layout):
        return rows
    held = set(rows.column_names)
    columns = [
        rows[field.name].cast(field.type) if field.name in held else pa.nulls(rows.num_rows, field.type)
        for field in layout
    ]
    return pa.table(columns, schema=layout)


FIRST = "caviar.first"


def encode(rows: pa.Table, first: int | None = None) -> pa.Buffer:
    """The bytes of a hot file with these rows; `first` is the number of the first segment of its tick."""
    sink = pa.BufferOutputStream()
    notes = {} if first is None else {FIRST: str(first)}
    with GroupWriter(sink, rows.schema, live=True, notes=notes) as writer:
        writer.write(rows)
    return sink.getvalue()


def first_of_tick(file: IO[bytes]) -> int | None:
    """The number of the first segment of the tick that a segment belongs to; None: an older Caviar wrote it.

    Raises:
        pa.ArrowException, OSError: It cannot be read.
    """
    found = (pq.read_metadata(file).metadata or {}).get(FIRST.encode(), b"")
    return int(found) if found.isdigit() else None


NO_NOTES: Mapping[str, str] = {}


class GroupWriter:
    """Writes rows of one schema, handed over in pieces, as a Parquet file of even row groups."""

    def __init__(self, sink: Any, layout: pa.Schema, *, live: bool, notes: Mapping[str, str] = NO_NOTES) -> None:
        self._sink = sink
        self._layout = layout
        self._group = group_rows(layout, live=live)
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._notes = dict(notes)
        self._file: pq.ParquetWriter | None = None

    def write(self, rows: pa.Table) -> None:
        """Add rows."""
        self._waiting.append(rows)
        self._rows += rows.num_rows
        if self._rows >= self._group:
            self._flush(self._rows - self._rows % self._group)

    def _flush(self, count: int) -> None:
        whole = pa.concat_tables(self._waiting) if self._waiting else self._layout.empty_table()
        if self._file is None:
            self._file = pq.ParquetWriter(self._sink, self._layout, **options(whole))
        if count:
            self._file.write_table(whole.slice(0, count), row_group_size=self._group)
        self._waiting = [whole.slice(count)]
        self._rows -= count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._flush(self._rows)
                if self._file is not None and self._notes:
                    self._file.add_key_value_metadata(self._notes)
        finally:
            if self._file is not None:
                self._file.close()


def least(numbers: Iterable[int | None]) -> int | None:
    """The smallest of the numbers that are there; None when none is."""
    return min((number for number in numbers if number is not None), default=None)


def greatest(numbers: Iterable[int | None]) -> int | None:
    """The largest of the numbers that are there; None when none is."""
    return max((number for number in numbers if number is not None), default=None)


def decode(data: bytes) -> pa.Table:
    """The rows of a Parquet file, its checksums verified; pa.ArrowInvalid or OSError when it is damaged."""
    table: pa.Table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
    return table
