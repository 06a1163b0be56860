"""Where the trials of a sweep lie along one parameter: the form in which the questions of this room get it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

FINEST = 32
"""Cells that a continuum, or an ordered parameter of more values, is divided into."""
BANDWIDTH = 0.12
"""Standard deviation of the kernel that smooths along an ordered axis, as a share of the axis."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One parameter of a sweep, and where its trials lie on it.

    Attributes:
        places: of all trials, in [0, 1], shape [n]; NaN where the parameter does not exist.
        count: how many values it has, of which each has an equal share of [0, 1]; None: a continuum.
        ordered: whether neighbours in place are neighbours in value; else it has a `count`.
    """

    places: FloatArray
    count: int | None = None
    ordered: bool = True

    @property
    def exists(self) -> BoolArray:
        """In which trials the parameter exists, [n]."""
        return ~np.isnan(self.places)

    @property
    def cells(self) -> int:
        """How many cells the axis is divided into."""
        return FINEST if self.count is None or (self.ordered and self.count > FINEST) else self.count

    @cached_property
    def cell(self) -> IntArray:
        """The cell of each trial, [n]; `cells`, one more than there are, where the parameter does not exist."""
        found = np.floor(np.where(self.exists, self.places, 0.0) * self.cells)
        return np.where(self.exists, np.clip(found, 0, self.cells - 1), self.cells).astype(np.int64)

    @cached_property
    def kernel(self) -> FloatArray:
        """What smooths numbers a cell, [cells + 1, cells + 1]: rows sum to 1.

        Each option stands for itself where the order means nothing, and so do the trials without the parameter.
        """
        kernel = np.eye(self.cells + 1)
        if self.ordered:
            centres = (np.arange(self.cells) + 0.5) / self.cells
            near = np.exp(-0.5 * ((centres[:, None] - centres[None, :]) / BANDWIDTH) ** 2)
            kernel[:-1, :-1] = near / near.sum(axis=1, keepdims=True)
        return kernel

    @cached_property
    def _by_cell(self) -> tuple[IntArray, IntArray, IntArray]:
        """The trials in the order of their cells, the cells that have some, and where each of these begins."""
        filled, starts = np.unique(np.sort(self.cell), return_index=True)
        return np.argsort(self.cell, kind="stable"), filled, starts

    def totals(self, scores: FloatArray) -> FloatArray:
        """The sum of scores, [r, n], in each cell, [r, cells + 1]; the last is of the trials without the parameter."""
        order, filled, starts = self._by_cell
        found = np.zeros((len(scores), self.cells + 1))
        found[:, filled] = np.add.reduceat(scores[:, order], starts, axis=1)
        return found

    def smoothed(self, totals: FloatArray) -> FloatArray:
        """Numbers a cell, [r, cells + 1], smoothed. Not by a matrix product: threads for so little only wait."""
        return np.asarray(np.einsum("rc,cd->rd", totals, self.kernel))

    def among(self, rows: IntArray) -> Axis:
        """The same parameter, of some trials, ascending."""
        if len(rows) == len(self.places):
            return self
        return Axis(places=self.places[rows], count=self.count, ordered=self.ordered)
