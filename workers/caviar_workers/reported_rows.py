"""The rows that a trial has reported, until the recorder takes them; and how it is made to wait, or is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from caviar_workers.trial_copies import OfOneProcess

Row = tuple[int, float, dict[str, float]]
"""One report: step, time in seconds since 1970, metrics."""

Cells = list[Any]
"""Rows laid end to end: step, time, metrics, step, time, metrics, … A hundred thousand tuples would keep Python's
garbage collector busy for as long as the training; numbers, and dicts of numbers, are nothing to it."""

WIDTH = 3
"""Cells of a row."""


class ReportedRows(OfOneProcess):
    """What the recorder sees of a trial. `report` puts rows; a second thread takes them away at any moment."""

    __slots__ = ("_accept", "_cells", "_gate", "_popped", "_put", "_step")

    def __init__(self) -> None:
        self._cells: Cells = []
        self._popped = 0
        self._step: int | None = None
        self._gate: threading.Event | None = None
        self._accept: Callable[[Row], None] = self._cells.extend  # one call, so that nobody sees half a row
        # Swapped to refuse or to hold rows: report() itself never has to ask.
        self._put: Callable[[Row], None] = self._accept

    def put(self, row: Row) -> None:
        """Record a row as it is, its time included (for simulated trials)."""
        self._put(row)

    @property
    def reported(self) -> bool:
        """Whether anything was reported yet."""
        return self._popped > 0 or bool(self._cells)

    @property
    def count(self) -> int:
        """Rows reported so far; exact while nobody takes them away."""
        return (self._popped + len(self._cells)) // WIDTH

    @property
    def backlog(self) -> int:
        """Rows that wait for the recorder."""
        return len(self._cells) // WIDTH

    def pop_rows(self) -> Cells:
        """Take the rows reported so far (for the recorder, from its own thread)."""
        count = len(self._cells)
        cells = self._cells[:count]
        self._popped += count
        if count:
            self._step = cells[-WIDTH]
        del self._cells[:count]  # not a swap: the training thread may hold the old list's extend
        return cells

    def refuse(self, error: Exception) -> None:
        """Let every later report raise `error` (for the recorder, which found the rows before it wrong)."""

        def put(_row: Row) -> None:
            raise error

        self._accept = self._put = put

    def waiting_value(self, metric: str) -> float | None:
        """The newest value of a metric among the rows that wait for the recorder; None: they have none."""
        return next((row[metric] for row in reversed(self._cells[2::WIDTH]) if metric in row), None)

    def hold(self) -> None:
        """Let reports wait until `release`: the recorder is behind, and memory is finite."""
        gate = self._gate = threading.Event()

        def put(row: Row) -> None:
            gate.wait()
            self._accept(row)

        self._put = put

    def bound(self, most: int) -> None:
        """Let reports wait until `release` once so many rows wait: nobody takes them, and memory is finite."""
        gate = self._gate = threading.Event()
        cells, most = self._cells, most * WIDTH

        def put(row: Row) -> None:
            if len(cells) >= most:
                gate.wait()
            self._accept(row)

        self._put = put

    def release(self) -> None:
        """Let reports pass again."""
        self._put = self._accept
        if self._gate is not None:
            self._gate.set()
