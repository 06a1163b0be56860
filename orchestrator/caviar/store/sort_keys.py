"""The order of rows in every file: by trial, attempt and row number, as far as a table has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from caviar_workers.tables import arrow_type

if TYPE_CHECKING:
    from collections.abc import Sequence

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
