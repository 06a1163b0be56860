"""Which rows may become columns: names that a view can show, steps that do not go back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from caviar_workers.flush_window import FlushWindow
from caviar_workers.hidden import without
from caviar_workers.reported_rows import WIDTH, Cells
from caviar_workers.row_columns import Rows
from caviar_workers.tables import MOST_METRICS, TOO_MANY_METRICS, check_metric_name


class RowChecks:
    """Checks the rows of one process; remembers the sets of names that were found good.

    Metrics are told apart without regard to case, and each is spelled as it was first.

    Args:
        metric: The sweep's, whose spelling is known; empty: none.
        hidden: Secrets, which no name may hold: names are columns of the store.
    """

    def __init__(self, metric: str = "", hidden: Iterable[str] = ()) -> None:
        self._hidden = tuple(hidden)
        self._good: set[tuple[str, ...]] = set()
        self._names: dict[str, str] = {metric.casefold(): metric} if metric else {}

    def passes(self, window: FlushWindow, rows: Rows) -> bool:
        """Return whether all rows of a window are right; they are looked at in bulk."""
        before = np.roll(rows.steps, 1)
        some = window.counts > 0
        before[window.starts()[some]] = window.firsts[some]
        if window.past is not None and window.counts[0]:
            before[0] = max(before[0], window.past.step)
        return bool((rows.steps >= before).all()) and all(map(self._are_good, rows.shapes))

    def cut(self, window: FlushWindow) -> tuple[FlushWindow, dict[int, str]]:
        """Keep of each attempt the rows up to its first wrong one.

        Returns:
            What is kept, and the faults: position of the attempt → why it fails.
        """
        kept: Cells = []
        counts = []
        faults = {}
        ends = np.cumsum(window.counts) * WIDTH
        columns = zip(window.counts.tolist(), ends.tolist(), window.firsts.tolist(), strict=True)
        for position, (count, end, first) in enumerate(columns):
            last = window.past.step if position == 0 and window.past is not None else first
            cells = window.cells[end - count * WIDTH : end]
            good, fault = self._good_rows(cells, first, max(first, last))
            kept += cells[: good * WIDTH]
            counts.append(good)
            if fault is not None:
                faults[position] = fault
        return replace(window, cells=kept, counts=np.array(counts, np.int64)), faults

    def _good_rows(self, cells: Cells, first: int, last: int) -> tuple[int, str | None]:
        """How many rows come before the first wrong one, and what is wrong with that."""
        for row, (step, metrics) in enumerate(zip(cells[0::WIDTH], cells[2::WIDTH], strict=True)):
            if step < first:
                return row, f"the checkpoint that was loaded is of step {first - 1}, but report() got step {step} again"
            if step < last:
                return row, f"steps never go back, but report() got step {step} after step {last}"
            names = tuple(metrics)
            if not self._are_good(names):
                error = self._names_error(names)
                if error is not None:
                    return row, error
                cells[row * WIDTH + 2] = dict(zip(self._spelled(names), metrics.values(), strict=True))
            last = step
        return len(cells) // WIDTH, None

    def _are_good(self, names: tuple[str, ...]) -> bool:
        if names in self._good:
            return True
        good = self._names_error(names) is None and self._spelled(names) == names
        if good:
            self._good.add(names)
        return good

    def _names_error(self, names: tuple[str, ...]) -> str | None:
        if len(names) > MOST_METRICS:
            return f"a report carries at most {MOST_METRICS} metrics, but report() got {len(names):,}: save an array"
        own: dict[str, str] = {}
        for name in names:
            try:
                check_metric_name(name)
            except ValueError as error:
                return str(error)
            if name != without(name, self._hidden):
                return "the name of a metric holds a secret that train was given: report under another name"
            if own.setdefault(name.casefold(), name) != name:
                return f"metrics differ in more than case, but report() got '{name}' and '{own[name.casefold()]}'"
        if len(self._names) + len(own.keys() - self._names.keys()) > MOST_METRICS:
            return TOO_MANY_METRICS  # and none of these takes the room of another trial's
        return None

    def _spelled(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._names.setdefault(name.casefold(), name) for name in names)
