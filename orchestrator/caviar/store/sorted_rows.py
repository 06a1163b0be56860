"""The rows of many files in one order, in bounded memory.

The statistics in the footers say before which row nothing of a row group can come. So row groups are read by that
bound; whatever comes before the bound of the next one is complete, and is handed on. Trials start one after the
other, hence only what overlaps is in memory: about a row group of each file that holds the same trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from caviar.store.segment import conform, row_bytes, unify
from caviar.store.sort_keys import in_order, key_names, keys_of, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PIECE = 32 * 2**20
"""Bytes that are handed on at once, about."""

NEVER = 2**63 - 1
"""After every trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One row group of a file."""

    path: Path
    footer: pq.FileMetaData
    number: int
    """Within its file."""
    rows: int
    low: tuple[int, ...]
    """(trial, attempt, row number) before which none of its rows comes."""
    high: int
    """No trial in it is higher."""


class _Pending:
    """Rows in order, of which some may be handed on."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        self.keys = keys_of(rows)

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def key(self, at: int) -> tuple[int, ...]:
        return tuple(int(key[at]) for key in self.keys)

    def after(self, count: int) -> _Pending:
        rest = _Pending.__new__(_Pending)
        rest.rows = self.rows.slice(count)
        rest.keys = [key[count:] for key in self.keys]
        return rest


class SortedRows:
    """The rows of some files of one kind, to be read in order as often as one likes."""

    def __init__(self, table: str, paths: Sequence[Path], layout: pa.Schema | None = None) -> None:
        """Read the footers.

        Args:
            table: Whose rows they hold, for the fixed columns.
            paths: The files, on this computer; their checksums were compared.
            layout: Columns to give; None: all that there are, the fixed ones first.
        """
        footers = [(path, pq.read_metadata(path)) for path in paths]
        if layout is None:
            layout = unify(table, [footer.schema.to_arrow_schema().empty_table() for _, footer in footers]).schema
        self.layout = layout
        groups = [group for path, footer in footers for group in _groups(path, footer)]
        self._groups = sorted(groups, key=lambda group: group.low)
        self._piece = max(1, PIECE // row_bytes(self.layout))

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(group.rows for group in self._groups)

    def spans(self, rows: int) -> list[tuple[int, int]]:
        """Cut the trials into spans [low, high) of about so many rows each; none is empty, a trial is in one."""
        cuts: list[int] = []
        count = 0
        for group in self._groups:
            trial = group.low[0]
            if count >= rows and trial > (cuts[-1] if cuts else self._groups[0].low[0]):
                cuts.append(trial)
                count = 0
            count += group.rows
        return list(zip([-1, *cuts], [*cuts, NEVER], strict=True))

    def read(self, low: int = -1, high: int = NEVER) -> Iterator[pa.Table]:
        """All rows of the trials from `low` to before `high`, in order, in pieces."""
        waiting: list[_Pending] = []
        for group in self._groups:
            if group.high < low or group.low[0] >= high:
                continue
            yield from self._release(waiting, group.low)
            found = _Pending(self._read(group))
            first, last = place(found.keys, (low,)), place(found.keys, (high,))
            if first < last:
                waiting.append(_Pending(found.rows.slice(first, last - first)))
        yield from self._release(waiting, None)

    def _read(self, group: Group) -> pa.Table:
        with pq.ParquetFile(group.path, metadata=group.footer, page_checksum_verification=True) as file:
            return in_order(conform(file.read_row_group(group.number, use_threads=False), self.layout))

    def _release(self, waiting: list[_Pending], bound: tuple[int, ...] | None) -> Iterator[pa.Table]:
        """Pieces of what comes before the bound, once that is worth it; without a bound, of all. They wait no more."""
        while waiting:
            counts = [len(one) if bound is None else place(one.keys, bound) for one in waiting]
            ready = sum(counts)
            if not ready or (bound is not None and ready < self._piece):
                return
            if ready > 2 * self._piece:
                counts = self._fewer(waiting, counts)
            pairs = list(zip(waiting, counts, strict=True))
            yield in_order(pa.concat_tables(one.rows.slice(0, count) for one, count in pairs if count))
            waiting[:] = [one.after(count) if count else one for one, count in pairs if count < len(one)]

    def _fewer(self, waiting: list[_Pending], counts: list[int]) -> list[int]:
        """About a piece: nothing after the earliest of the rows that each of them may come to."""
        most = max(1, self._piece // len(waiting))
        bound = min((one.key(most) for one in waiting if len(one) > most), default=None)
        if bound is None:
            return counts
        fewer = [min(count, place(one.keys, bound)) for one, count in zip(waiting, counts, strict=True)]
        return fewer if any(fewer) else counts


def _groups(path: Path, footer: pq.FileMetaData) -> Iterator[Group]:
    columns = {footer.schema.column(i).path: i for i in range(footer.num_columns)}
    keys = [columns[name] for name in key_names(footer.schema.to_arrow_schema())]
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        bounds = [_min_max(group.column(key)) for key in keys]
        if group.num_rows:
            yield Group(
                path=path, footer=footer, number=number, rows=group.num_rows, low=_low(bounds), high=bounds[0][1]
            )


def _min_max(column: pq.ColumnChunkMetaData) -> tuple[int, int]:
    found = column.statistics
    if found is None or not found.has_min_max or found.null_count:
        return -1, NEVER
    return int(found.min), int(found.max)


def _low(bounds: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The first row that may be there: where several trials are, any attempt may be the first one's."""
    found: list[int] = []
    sure = True
    for low, high in bounds:
        found.append(low if sure else -1)
        sure = sure and low == high
    return tuple(found)
