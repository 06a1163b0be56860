"""A table of rows as one Parquet file, and back: its columns' encodings, and what it holds, as it is written.

Chosen encodings take 7.5 bytes a row of two float32-valued metrics, a quarter of the defaults. No
statistics on metrics and parameters: Parquet's skip NaN, and readers that trust them drop rows (DuckDB
answers `v > 2` over [1, NaN] wrongly).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from caviar.store.manifest import DataFile
from caviar_workers.tables import FIELDS, schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType


COUNTED = ("trial", "attempt", "_seq", "state", "seed", "step")
"""Columns with statistics, if a table has them."""

FINAL_ROWS, FINAL_BYTES = 131_072, 32 * 2**20
"""Rows of a final file's row group, and their bytes in memory, at most: one trial's curve is read without much else."""

LIVE_ROWS, LIVE_BYTES = 32_768, 4 * 2**20
"""Rows of a row group of hot and merged files: a merge holds a row group of each."""

SAMPLE = 16_384
"""Rows that are looked at to choose an encoding."""

FEW = 0.2
"""Share of distinct values in a sample up to which they are worth a dictionary: those of rounded numbers, mostly."""


def group_rows(layout: pa.Schema, *, live: bool) -> int:
    """Rows of a row group: fewer where rows are wide."""
    rows, size = (LIVE_ROWS, LIVE_BYTES) if live else (FINAL_ROWS, FINAL_BYTES)
    return max(256, min(rows, size // row_bytes(layout)))


def row_bytes(layout: pa.Schema) -> int:
    """Bytes of a row in memory, about."""
    return sum(_width(column.type) for column in layout) or 1


def _width(kind: pa.DataType) -> int:
    if pa.types.is_string(kind) or pa.types.is_list(kind):
        return 64
    return max(1, int(kind.bit_width) // 8)


def options(sample: pa.Table) -> dict[str, Any]:
    """Keyword arguments of `pyarrow.parquet.ParquetWriter` for a table that begins with these rows."""
    encodings: dict[str, str] = {}
    words: list[str] = []
    for column in _alone(sample.schema):
        if pa.types.is_integer(column.type) or pa.types.is_timestamp(column.type):
            encodings[column.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_string(column.type) or (pa.types.is_floating(column.type) and _few(sample[column.name])):
            words.append(column.name)
        elif pa.types.is_floating(column.type):
            encodings[column.name] = "BYTE_STREAM_SPLIT"
        elif pa.types.is_list(column.type):
            encodings[_path(column)] = "BYTE_STREAM_SPLIT"
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": words or False,
        "column_encoding": encodings,
        "write_statistics": [name for name in COUNTED if name in sample.column_names] or False,
        "write_page_checksum": True,
        "store_schema": False,
    }


def _alone(layout: pa.Schema) -> list[pa.Field]:
    """Fields that an encoding can be chosen for: Parquet knows columns by their paths, which two may share."""
    times = Counter(map(_path, layout))
    return [column for column in layout if times[_path(column)] == 1]


def _path(column: pa.Field) -> str:
    return f"{column.name}.list.element" if pa.types.is_list(column.type) else str(column.name)


def _few(values: pa.ChunkedArray) -> bool:
    some = values.slice(0, SAMPLE)
    reported = len(some) - some.null_count
    return reported >= 64 and bool(pc.count_distinct(some).as_py() <= FEW * reported)


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


@dataclass(slots=True)
class FileSummary:
    """The rows that were taken so far."""

    rows: int = 0
    low: int | None = None
    """Lowest trial."""
    high: int | None = None
    states: Counter[str] = field(default_factory=Counter)
    """Trials or attempts by their states, where the rows have one."""

    def count(self, rows: pa.Table) -> pa.Table:
        """Count the rows and pass them on."""
        if rows.num_rows:
            bounds = pc.min_max(rows["trial"]).as_py()
            self.low = least([self.low, bounds["min"]])
            self.high = greatest([self.high, bounds["max"]])
        self.rows += rows.num_rows
        if "state" in rows.column_names:
            for pair in pc.value_counts(rows["state"]).to_pylist():
                self.states[pair["values"]] += pair["counts"]
        return rows

    def as_file(self, table: str, name: str, checksum: str) -> DataFile:
        """The entry in a manifest of the file that holds them."""
        return DataFile(
            table=table, name=name, checksum=checksum, rows=self.rows, min_trial=self.low, max_trial=self.high
        )
