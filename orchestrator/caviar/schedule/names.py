"""One spelling a metric, over all the workers of a sweep."""

from __future__ import annotations

from collections.abc import Iterable

from caviar.errors import SpecError
from caviar_workers.tables import CURVES, MOST_METRICS

_FIXED = frozenset(CURVES.names)


class MetricNames:
    """The metrics that were reported so far."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def admit(self, columns: Iterable[str]) -> None:
        """Take in the columns of a curves table.

        Raises:
            SpecError: A metric differs from another one only in case, or there are too many.
        """
        for name in columns:
            if name in _FIXED:
                continue
            first = self._known.setdefault(name.casefold(), name)
            if first != name:
                raise SpecError(
                    f"metrics are told apart without regard to case, but trials report both '{first}' and '{name}': "
                    "rename one of them"
                )
        if len(self._known) > MOST_METRICS:
            raise SpecError(f"a sweep has at most {MOST_METRICS} metrics: give varying things a step, not a name")
