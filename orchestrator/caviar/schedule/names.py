"""One spelling a metric, over all the workers of a sweep."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from caviar.errors import SpecError
from caviar_workers.tables import FIELDS, METRIC_FORMS, MOST_METRICS


class MetricNames:
    """The metrics that were reported so far, each as it was spelled first.

    A trial that spells one otherwise is no reason to end the sweep of all: its values are stored under the spelling
    that came first. Within a process, the recorder sees to that.

    Args:
        known: Names that are taken: the sweep's metric, and what earlier drivers stored.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: dict[str, str] = {}
        for name in known:
            self._known.setdefault(name.casefold(), name)

    def settle_curves(self, curves: pa.Table) -> pa.Table:
        """A curves table with each metric as it is spelled in the sweep.

        Raises:
            SpecError: There are too many metrics.
        """
        found = self._renamed("curves", curves, ("",))
        if len(self._known) > MOST_METRICS:
            raise SpecError(f"a sweep has at most {MOST_METRICS} metrics: give varying things a step, not a name")
        return found

    def settle_attempts(self, attempts: pa.Table) -> pa.Table:
        """Likewise an attempts table, which has three columns a metric."""
        return self._renamed("attempts", attempts, METRIC_FORMS)

    def _renamed(self, table: str, data: pa.Table, forms: tuple[str, ...]) -> pa.Table:
        return data.rename_columns(
            [name if name in FIELDS[table] else self._spelled(name, forms) for name in data.column_names]
        )

    def _spelled(self, name: str, forms: tuple[str, ...]) -> str:
        form = next(form for form in forms if name.startswith(form))
        metric = name[len(form) :]
        return form + self._known.setdefault(metric.casefold(), metric)
