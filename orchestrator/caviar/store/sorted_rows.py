"""The order of rows in every file, by trial, attempt and row number; and the rows of many files in that order.

The rows of many files are read in bounded memory: the statistics in the footers say before which row nothing of a row
group can come. So row groups are read by that bound; whatever comes before the bound of the next one is complete, and
is handed on. Trials start one after the other, hence only what overlaps is in memory: about a row group of each file
that holds the same trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from caviar.store.segment import conform, row_bytes, unify
from caviar_workers.tables import arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


KEYS = {"trial": "int64", "attempt": "int16", "_seq": "int32"}
"""Columns that order rows, most significant first, and the words of their types."""


def key_names(layout: pa.Schema) -> list[str]:
    """The columns that order rows; their types tell them from a parameter that is called `attempt`."""
    return [key for key, word in KEYS.items() if key in layout.names and layout.field(key).type == arrow_type(word)]


def keys_of(rows: pa.Table) -> list[NDArray[np.int64]]:
    """The columns that order these rows, each [n]; a null comes first."""
    return [_numbers(rows[name]) for name in key_names(rows.schema)]


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    whole = column.fill_null(-1) if column.null_count else column
    return whole.to_numpy().astype(np.int64, copy=False)  # type: ignore[no-any-return]


def in_order(rows: pa.Table) -> pa.Table:
    """Return the rows sorted, in one piece; those of one name in the order in which they came."""
    rows = rows.combine_chunks()
    if rows.num_rows < 2:
        return rows
    places = _order(keys_of(rows))
    return rows if places is None else rows.take(pa.array(places))


def _order(keys: Sequence[NDArray[np.int64]]) -> NDArray[np.int64] | None:
    """Return where each row of the sorted table is now; None: it is sorted."""
    packed = _packed(keys)
    if packed is None:
        return np.lexsort(keys[::-1])
    names, bits = packed
    if (names[1:] >= names[:-1]).all():
        return None
    order = np.argsort(names.astype(np.uint16), kind="stable")  # numpy sorts 16 bits in linear time
    for shift in range(16, bits, 16):
        order = order[np.argsort((names >> shift).astype(np.uint16)[order], kind="stable")]
    return order


def _packed(keys: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], int] | None:
    """One integer a row, which orders them as the keys do, and its bits; None where 63 bits are too few."""
    packed = np.zeros(len(keys[0]), np.int64)
    bits = 0
    for key in keys:
        low = int(key.min())
        width = (int(key.max()) - low).bit_length()
        bits += width
        if bits > 63:
            return None
        packed = (packed << width) | (key - low)
    return packed, bits


def place(keys: Sequence[NDArray[np.int64]], bound: Sequence[int]) -> int:
    """How many rows, which are in order, come before a bound.

    Args:
        keys: Of the rows, as `keys_of` gives them.
        bound: A value for each key; more are no matter.
    """
    low, high = 0, len(keys[0])
    for key, value in zip(keys, bound, strict=False):
        first, last = (low + int(np.searchsorted(key[low:high], value, side)) for side in ("left", "right"))
        if first == last:
            return first
        low, high = first, last
    return low


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
