"""How large the tables of a store's sweeps are, as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.store.sizes import sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.store import Store, SweepDir
    from caviar.store.sizes import Size


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """One table, of all sweeps together.

    Attributes:
        table: its name.
        rows: in it.
        files: that hold them.
        bytes: of the files.
        bytes_a_row: to two digits; None: there are no rows.
    """

    table: str
    rows: int
    files: int
    bytes: int
    bytes_a_row: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoDocument:
    """The tables of some sweeps.

    Attributes:
        store: where it is.
        sweeps: their ids.
        tables: those that have files.
    """

    store: str
    sweeps: tuple[str, ...]
    tables: tuple[TableSize, ...]


def info_document(store: Store, place: str, sweeps: Sequence[SweepDir], *, alone: bool) -> InfoDocument:
    """Measure some sweeps of a store.

    Args:
        store: The store.
        place: Where it is, as the user named it.
        sweeps: Those to measure.
        alone: An error of one is raised; otherwise that sweep is left out, and the others are measured.

    Raises:
        StoreError: As `alone` says.
    """
    found: dict[str, list[Size]] = {}
    for sweep in sweeps:
        for size in sizes(sweep) if alone else _sizes_or_none(store, sweep):
            found.setdefault(size.table, []).append(size)
    tables = tuple(_table_size(table, of_sweeps) for table, of_sweeps in found.items())
    return InfoDocument(store=place, sweeps=tuple(sweep.id for sweep in sweeps), tables=tables)


def _sizes_or_none(store: Store, sweep: SweepDir) -> list[Size]:
    with store.apart(sweep):
        return sizes(sweep)
    return []


def _table_size(table: str, of_sweeps: Sequence[Size]) -> TableSize:
    rows, size = sum(one.rows for one in of_sweeps), sum(one.size for one in of_sweeps)
    return TableSize(
        table=table,
        rows=rows,
        files=sum(one.files for one in of_sweeps),
        bytes=size,
        bytes_a_row=round(size / rows, 2) if rows else None,
    )
