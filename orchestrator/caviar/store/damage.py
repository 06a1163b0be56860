"""Which data file is damaged: looked for only when a query failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from caviar.store.query import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePath


def may_be_damage(error: duckdb.Error) -> bool:
    """Whether an error can come from the bytes of a file; most wrong SQL is of other types."""
    return type(error) in (duckdb.Error, duckdb.InvalidInputException, duckdb.InternalException)


def first_damaged(files: Iterable[PurePath]) -> tuple[PurePath, str] | None:
    """The first file that cannot be read to its end, and why; None when all can. Reads every page of them."""
    import pyarrow as pa  # noqa: PLC0415 - who reads a sound store does not pay for it
    import pyarrow.parquet as pq  # noqa: PLC0415

    for path in files:
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                for _ in file.iter_batches():
                    pass
        except (pa.ArrowException, OSError) as error:
            return path, one_line(error)
    return None
