"""Which trials of a sweep changed since a version: by what their rows say, and not by who says that they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping


class Changes:
    """The version at which the row of each trial last changed.

    A row may change although nothing was published of its trial: the state of those that ran, when nobody runs the
    sweep any more; a place in the timeline; a value that is compared at the step that all have reached. So rows are
    compared with those of the version before, bit by bit. Among their columns is how many rows a trial's curve has, and
    how often the trial began: so a curve does not change without its row.
    """

    def __init__(self) -> None:
        """Know of no trial."""
        self._rows: dict[str, np.ndarray] = {}
        self._changed = np.empty(0, np.int64)
        self.first = 0
        """The version since which changes are known: who knows an older one needs everything."""

    def note(self, rows: Mapping[str, np.ndarray], version: int) -> None:
        """Compare the rows of a version with those before.

        Args:
            rows: Column → a value for each trial; `trial` is among them, and rises.
            version: Larger than any before.
        """
        before, self._rows = self._rows, dict(rows)
        trials = rows["trial"]
        changed = np.full(len(trials), version, np.int64)
        if not _same_columns(before, rows) or not np.isin(before["trial"], trials).all():
            self.first = version
        else:
            known = np.isin(trials, before["trial"])
            differ = np.zeros(known.sum(), bool)
            for name, column in rows.items():
                differ |= _bits(column[known]) != _bits(before[name])
            changed[known] = np.where(differ, version, self._changed)
        self._changed = changed

    def since(self, version: int) -> np.ndarray:
        """Which rows, in their order, changed after a version: a truth value for each."""
        return self._changed > version


def _same_columns(before: Mapping[str, np.ndarray], rows: Mapping[str, np.ndarray]) -> bool:
    """Whether both have the same columns, and each of the same type; not, where there were none."""
    kinds = [[(name, column.dtype) for name, column in one.items()] for one in (before, rows)]
    return bool(before) and kinds[0] == kinds[1]


def _bits(column: np.ndarray) -> np.ndarray:
    """For NaN, which is equal to nothing, is the same as NaN here."""
    return np.ascontiguousarray(column).view(f"u{column.dtype.itemsize}")
