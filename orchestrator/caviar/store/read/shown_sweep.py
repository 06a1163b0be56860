"""A sweep that is shown, as it was at one moment, and its part of each view."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import duckdb

from caviar.errors import StoreError
from caviar.store.disk.store_errors import store_error
from caviar.store.read.columns import Part, union
from caviar.store.read.sweeps_view import no_sweeps, sweep_row
from caviar.store.read.view_sql import no_rows, view_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from caviar.store.read.sweep_tables import SweepTables
    from caviar.store.sweep_dir import SweepDir
    from caviar.store.visible_files import VisibleFiles


T = TypeVar("T")


class PartError(Exception):
    """A sweep's part of a view cannot be made."""

    def __init__(self, sweep: SweepDir, why: Exception) -> None:
        super().__init__(str(why))
        self.sweep, self.why = sweep, why


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSweep:
    """A sweep at one moment."""

    sweep: SweepDir
    state: str
    tables: SweepTables

    def row(self) -> str:
        """Its row of the view `sweeps`, as SQL."""
        return sweep_row(self.sweep.description(), self.state, self.tables)

    def part(self, view: str) -> Part:
        """Its rows of any other view."""
        columns, sql = view_sql(view, self.tables)
        return Part(sweep=self.sweep.id, columns=columns, sql=sql)


def look_at(sweep: SweepDir) -> tuple[str, VisibleFiles]:
    """The state of a sweep, and its files that count, now.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        state = sweep.state()  # before the look: a sweep that ends in between shows its last rows
        seen = sweep.visible_files()
    except OSError as error:
        raise store_error("read", sweep.path, error) from error
    sweep.description()  # kept
    return state, seen


def sql_of(shown: Sequence[ShownSweep], view: str) -> str:
    """A view over some sweeps, as SQL.

    Raises:
        PartError: One of them cannot be read.
        duckdb.IOException, FileNotFoundError: Files that it listed are gone: merged away, perhaps.
    """
    if view == "sweeps":
        return "\nUNION ALL ".join(_made(one, one.row) for one in shown) or no_sweeps()
    parts = [_made(one, partial(one.part, view)) for one in shown]
    return union(parts or [no_rows(view)])


def _made(one: ShownSweep, make: Callable[[], T]) -> T:
    try:
        return make()
    except (duckdb.IOException, duckdb.InterruptException, FileNotFoundError):
        raise
    except (duckdb.Error, OSError, ValueError, StoreError) as error:
        why = store_error("read", one.sweep.path, error) if isinstance(error, OSError) else error
        raise PartError(one.sweep, why) from error
