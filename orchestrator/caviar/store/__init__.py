"""The results store: sweeps as immutable Parquet files, one writer, readers without locks.

`Store` and `SweepDir` find and create sweeps, `Writer` records one, `caviar.store.finalize.finalize` closes it,
`Views` reads. Each is imported when it is first asked for: who describes a sweep pays for no database, and who reads
for neither pyarrow nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caviar.store.read.sql import select_only
    from caviar.store.read.views import Views
    from caviar.store.store import Store
    from caviar.store.sweep_dir import SweepDir
    from caviar.store.writer import Writer

__all__ = ["Store", "SweepDir", "Views", "Writer", "select_only"]

_FILES = {
    "Store": "store",
    "SweepDir": "sweep_dir",
    "Views": "read.views",
    "Writer": "writer",
    "select_only": "read.sql",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        value = globals()[name] = getattr(import_module(f"caviar.store.{_FILES[name]}"), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
