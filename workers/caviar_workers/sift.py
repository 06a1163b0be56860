"""Which rows may become columns: names that a view can show, steps that do not go back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from caviar_workers.columns import Ints, Rows
from caviar_workers.execution import Execution
from caviar_workers.tables import MOST_METRICS, check_metric_name
from caviar_workers.trial import WIDTH, Cells


class Sieve:
    """Checks the rows of one process; remembers the sets of names that were found good."""

    def __init__(self) -> None:
        self._good: set[tuple[str, ...]] = set()
        self._names: dict[str, str] = {}

    def passes(self, executions: Sequence[Execution], starts: Ints, rows: Rows) -> bool:
        """Whether all rows are right; they are looked at in bulk.

        Args:
            executions: Who reported, [k].
            starts: Where each one's rows begin, [k].
            rows: All their rows.
        """
        before = np.roll(rows.steps, 1)
        before[starts] = [_last_step(execution) for execution in executions]
        return bool((rows.steps >= before).all()) and not any(map(self._names_error, rows.shapes))

    def cut(self, execution: Execution, cells: Cells) -> Cells:
        """The rows up to the first wrong one; from there on the attempt fails with `execution.fault`."""
        last = _last_step(execution)
        for start in range(0, len(cells), WIDTH):
            step, _, metrics = cells[start : start + WIDTH]
            error = self._names_error(tuple(metrics))
            if step < last:
                error = f"steps never go back, but report() got step {step} after step {last}"
            if error is not None:
                execution.fault = f"ValueError: {error}"
                execution.trial.refuse(ValueError(error))
                return cells[:start]
            last = step
        return cells

    def _names_error(self, names: tuple[str, ...]) -> str | None:
        if names in self._good:
            return None
        if len(names) > MOST_METRICS:
            return f"a report carries at most {MOST_METRICS} metrics, but report() got {len(names):,}: save an array"
        error = next(filter(None, map(self._name_error, names)), None)
        if error is None and len(self._names) > MOST_METRICS:
            error = f"a sweep has at most {MOST_METRICS} metrics: give varying things a step, not a name"
        if error is None:
            self._good.add(names)
        return error

    def _name_error(self, name: str) -> str | None:
        try:
            check_metric_name(name)
        except ValueError as error:
            return str(error)
        first = self._names.setdefault(name.casefold(), name)
        return None if first == name else f"metrics differ in more than case, but report() got '{name}' and '{first}'"


def _last_step(execution: Execution) -> int:
    return -1 if execution.step is None else execution.step
