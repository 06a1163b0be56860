"""A table of rows as the bytes of one Parquet file.

Chosen encodings take 7.5 bytes a row of two float32-valued metrics, a quarter of the defaults. No
statistics on metrics and parameters: Parquet's skip NaN, and readers that trust them drop rows (DuckDB
answers `v > 2` over [1, NaN] wrongly).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from caviar_workers.tables import FIELDS, schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROW_GROUP = 131_072
"""Rows of a row group, at most: one trial's curve is read without much else."""

COUNTED = ("trial", "attempt", "state", "seed", "step")
"""Columns with statistics, if a table has them."""


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


def options(layout: pa.Schema) -> dict[str, Any]:
    """Keyword arguments of `pyarrow.parquet.ParquetWriter` for a table of that schema."""
    chosen: dict[str, str] = {}
    for field in layout:
        if pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type):
            chosen[field.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_floating(field.type):
            chosen[field.name] = "BYTE_STREAM_SPLIT"
        elif pa.types.is_list(field.type):
            chosen[f"{field.name}.list.element"] = "BYTE_STREAM_SPLIT"
    rest = [field.name for field in layout if pa.types.is_string(field.type)]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": rest or False,
        "column_encoding": chosen,
        "write_statistics": [name for name in COUNTED if name in layout.names] or False,
        "write_page_checksum": True,
        "store_schema": False,
    }


def encode(rows: pa.Table) -> pa.Buffer:
    """The bytes of a Parquet file with these rows."""
    return encode_stream(rows.schema, [rows])


def encode_stream(layout: pa.Schema, tables: Iterable[pa.Table]) -> pa.Buffer:
    """The bytes of a Parquet file with the rows of several tables of one schema, one after another."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, layout, **options(layout)) as writer:
        for table in regroup(tables):
            writer.write_table(table, row_group_size=ROW_GROUP)
    return sink.getvalue()


def regroup(tables: Iterable[pa.Table]) -> Iterable[pa.Table]:
    """The same rows in pieces of at least a row group each, except the last."""
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        if rows >= ROW_GROUP:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def least(numbers: Iterable[int | None]) -> int | None:
    """The smallest of the numbers that are there; None when none is."""
    return min((number for number in numbers if number is not None), default=None)


def greatest(numbers: Iterable[int | None]) -> int | None:
    """The largest of the numbers that are there; None when none is."""
    return max((number for number in numbers if number is not None), default=None)


def layout_of(data: bytes) -> pa.Schema:
    """The columns of a Parquet file."""
    return pq.read_schema(pa.BufferReader(data))


def decode(data: bytes) -> pa.Table:
    """The rows of a Parquet file, its checksums verified; pa.ArrowInvalid or OSError when it is damaged."""
    table: pa.Table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
    return table
