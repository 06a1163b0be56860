"""The results store: sweeps as immutable Parquet files, one writer, readers without locks.

`Store` and `SweepDir` find and create sweeps, `Writer` records one, `caviar.store.finalize.finalize` closes it,
`Views` reads. Reading imports neither pyarrow nor pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.store.query import select_only
from caviar.store.store import Store
from caviar.store.sweep_dir import SweepDir
from caviar.store.views import Views

if TYPE_CHECKING:
    from caviar.store.writer import Writer

__all__ = ["Store", "SweepDir", "Views", "Writer", "select_only"]


def __getattr__(name: str) -> Any:
    if name == "Writer":
        from caviar.store.writer import Writer  # noqa: PLC0415 - pyarrow, for those who write

        return Writer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
