"""Which data file is damaged: looked for only when a query failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from caviar.store.query import one_line, texts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def may_be_damage(error: duckdb.Error) -> bool:
    """Whether an error can come from the bytes of a file; most wrong SQL is of other types."""
    return type(error) in (duckdb.Error, duckdb.InvalidInputException, duckdb.InternalException)


def first_damaged(connection: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> tuple[Path, str] | None:
    """The first file that cannot be read to its end, and why; None when all can. Reads all of them.

    DuckDB verifies no checksums: a changed byte that still decodes is not found.
    """
    for path in files:
        try:
            connection.execute(
                f"SELECT count(COLUMNS(*)) FROM read_parquet({texts([path])}, hive_partitioning = false)"
            )
        except duckdb.Error as error:
            return path, one_line(error)
    return None
