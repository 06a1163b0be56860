"""Which rows may become columns: names that a view can show, steps that do not go back."""

from __future__ import annotations

from caviar_workers.execution import Execution
from caviar_workers.tables import MOST_METRICS, check_metric_name
from caviar_workers.trial import Row


class Sieve:
    """Checks the rows of one process; remembers the sets of names that were found good."""

    def __init__(self) -> None:
        self._good: set[tuple[str, ...]] = set()
        self._names: dict[str, str] = {}

    def sift(self, execution: Execution, rows: list[Row]) -> list[Row]:
        """Keep the rows up to the first wrong one; from there on the attempt fails with `execution.fault`."""
        if not rows or execution.fault is not None:
            return []
        last = -1 if execution.step is None else execution.step
        for position, (step, _, metrics) in enumerate(rows):
            error = self._error(tuple(metrics), step, last)
            if error is not None:
                execution.fault = f"ValueError: {error}"
                execution.trial.refuse(ValueError(error))
                return rows[:position]
            last = step
        return rows

    def _error(self, names: tuple[str, ...], step: int, last: int) -> str | None:
        if step < last:
            return f"steps never go back, but report() got step {step} after step {last}"
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
