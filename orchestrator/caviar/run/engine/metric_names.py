"""One spelling a metric, and so many metrics at most, over all the workers of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from caviar_workers.states import Failure, State
from caviar_workers.tables import FIELDS, METRIC_FORMS, MOST_METRICS, TOO_MANY_METRICS


class MetricNames:
    """The metrics that were reported so far, each as it was spelled first.

    A trial that spells one otherwise is no reason to end the sweep of all: its values are stored under the spelling
    that came first. Nor is one that reports more than there is room for: that one fails, and its surplus is not stored.
    Within a process, the recorder sees to both.

    Args:
        known: Names that are taken: the sweep's metric, and what earlier drivers stored.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: dict[str, str] = {}
        self._learn(known)

    def settle_curves(self, curves: pa.Table) -> pa.Table:
        """A curves table with each metric as it is spelled in the sweep, without those that there is no room for."""
        new = self._new(_metrics("curves", curves, ("",)))
        if not self._learn_all(new):  # a trial's are taken together, or the first of them would take another one's room
            for trial in pc.unique(curves["trial"]):
                rows = curves.filter(pc.equal(curves["trial"], trial))
                self._learn_all(name for name in new if rows[name].null_count < len(rows))
        return self._renamed("curves", curves, ("",))

    def settle_attempts(self, attempts: pa.Table) -> pa.Table:
        """Likewise an attempts table, which has three columns a metric; who ended with too many metrics has failed."""
        new = self._new(_metrics("attempts", attempts, METRIC_FORMS))
        if not self._learn_all(new):
            attempts = _failed(attempts, new)
        return self._renamed("attempts", attempts, METRIC_FORMS)

    def _new(self, metrics: Iterable[str]) -> list[str]:
        return [name for name in dict.fromkeys(metrics) if name.casefold() not in self._known]

    def _learn_all(self, names: Iterable[str]) -> bool:
        """Take new names in, all or none; whether there was room."""
        names = list(names)
        if len(self._known.keys() | {name.casefold() for name in names}) > MOST_METRICS:
            return False
        self._learn(names)
        return True

    def _learn(self, names: Iterable[str]) -> None:
        for name in names:
            self._known.setdefault(name.casefold(), name)

    def _renamed(self, table: str, data: pa.Table, forms: tuple[str, ...]) -> pa.Table:
        spelled = {name: self._spelled(table, name, forms) for name in data.column_names}
        kept = [name for name in data.column_names if spelled[name] is not None]
        return data.select(kept).rename_columns([spelled[name] for name in kept])

    def _spelled(self, table: str, name: str, forms: tuple[str, ...]) -> str | None:
        """How a column is called; None: there is no room for it."""
        if name in FIELDS[table]:
            return name
        form, metric = _parts(name, forms)
        known = self._known.get(metric.casefold())
        return None if known is None else form + known


def _metrics(table: str, data: pa.Table, forms: tuple[str, ...]) -> Iterator[str]:
    return (_parts(name, forms)[1] for name in data.column_names if name not in FIELDS[table])


def _parts(name: str, forms: tuple[str, ...]) -> tuple[str, str]:
    form = next(form for form in forms if name.startswith(form))
    return form, name[len(form) :]


def _failed(attempts: pa.Table, surplus: list[str]) -> pa.Table:
    """The attempts, where those have failed that ended with values of these metrics."""
    guilty = pc.fill_null(pc.equal(attempts["state"], State.FAILED), False)
    guilty = pc.and_not(pc.is_valid(attempts["ended"]), guilty)  # who failed has said why
    valued = [pc.is_valid(attempts[f"last_{name}"]) for name in surplus]
    some = valued[0]
    for one in valued[1:]:
        some = pc.or_(some, one)
    guilty = pc.and_(guilty, some)
    for name, value in (("state", State.FAILED), ("kind", Failure.ERROR), ("error", f"ValueError: {TOO_MANY_METRICS}")):
        place = attempts.schema.get_field_index(name)
        column = pc.if_else(guilty, pa.scalar(value, pa.string()), attempts[name])
        attempts = attempts.set_column(place, attempts.schema.field(place), column)
    return attempts
