"""How rows are encoded: by the types of the columns, and by a look at their values.

Chosen encodings take 7.5 bytes a row of two float32-valued metrics, a quarter of the defaults. No
statistics on metrics and parameters: Parquet's skip NaN, and readers that trust them drop rows (DuckDB
answers `v > 2` over [1, NaN] wrongly).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

COUNTED = ("trial", "attempt", "_seq", "state", "seed", "step")
"""Columns with statistics, if a table has them."""

FINAL_ROWS, FINAL_BYTES = 131_072, 32 * 2**20
"""Rows of a final file's row group, and their bytes in memory, at most: one trial's curve is read without much else."""

LIVE_ROWS, LIVE_BYTES = 32_768, 4 * 2**20
"""The same of hot and merged files: a merge holds a row group of each."""

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
    return sum(_width(field.type) for field in layout) or 1


def _width(kind: pa.DataType) -> int:
    if pa.types.is_string(kind) or pa.types.is_list(kind):
        return 64
    return max(1, int(kind.bit_width) // 8)


def options(sample: pa.Table) -> dict[str, Any]:
    """Keyword arguments of `pyarrow.parquet.ParquetWriter` for a table that begins with these rows."""
    encodings: dict[str, str] = {}
    words: list[str] = []
    for field in _alone(sample.schema):
        if pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type):
            encodings[field.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_string(field.type) or (pa.types.is_floating(field.type) and _few(sample[field.name])):
            words.append(field.name)
        elif pa.types.is_floating(field.type):
            encodings[field.name] = "BYTE_STREAM_SPLIT"
        elif pa.types.is_list(field.type):
            encodings[_path(field)] = "BYTE_STREAM_SPLIT"
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
    return [field for field in layout if times[_path(field)] == 1]


def _path(field: pa.Field) -> str:
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else str(field.name)


def _few(values: pa.ChunkedArray) -> bool:
    some = values.slice(0, SAMPLE)
    reported = len(some) - some.null_count
    return reported >= 64 and bool(pc.count_distinct(some).as_py() <= FEW * reported)
