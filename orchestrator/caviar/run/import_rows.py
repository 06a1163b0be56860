"""A table of trials that ran elsewhere, as the rows of a finished sweep."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from caviar.run.import_trials import Reports, Trials
from caviar.space import Space
from caviar.store.writer import Writer
from caviar_workers.states import Cause, Failure, State
from caviar_workers.tables import ATTEMPTS, CURVES, arrays_of, arrow_type

ROWS_AT_ONCE = 2**19  # rows of curves that are handed to the writer at a time


def write_rows(writer: Writer, trials: Trials, *, space: Space, metric: str, file: str) -> None:
    """Hand all rows of a sweep to its writer.

    Args:
        writer: The sweep's.
        trials: What the table has.
        space: The sweep's.
        metric: Its objective.
        file: Name of the table.
    """
    reports = trials.reports
    writer.add("configs", _configs(trials, space))
    if trials.names is not None:
        writer.add("logs", _names(trials.names, file))
    counts = np.bincount(reports.trial, minlength=trials.count)
    rows = _curves(reports, counts)
    for start in range(0, rows.num_rows, ROWS_AT_ONCE):
        writer.add("curves", rows.slice(start, ROWS_AT_ONCE))
    writer.add("attempts", _attempts(trials, metric, counts))


def states_of(trials: Trials, metric: str) -> list[State]:
    """A trial is as the table says; if that says nothing, it completed if it has a value of the metric."""
    reported = np.zeros(trials.count, np.bool_)
    reported[trials.reports.trial[trials.reports.present[metric]]] = True
    begun = np.zeros(trials.count, np.bool_)
    begun[trials.reports.trial] = True
    found = []
    for said, value, began in zip(trials.states, reported.tolist(), begun.tolist(), strict=True):
        if said is None or said is State.COMPLETED:
            found.append(State.COMPLETED if value else State.FAILED)
        else:
            found.append(State.STOPPED if said is State.CANCELLED and began else said)
    return found


def _configs(trials: Trials, space: Space) -> pa.Table:
    u = np.full((trials.count, len(space)), 0.5)
    columns: dict[str, pa.Array] = {}
    for place, (name, one) in enumerate(space.items()):
        values = trials.parameters[name]
        there = np.array([value is not None for value in values])
        numbers = {value: number for number, value in enumerate(dict.fromkeys(v for v in values if v is not None))}
        which = np.array([numbers[value] for value in values if value is not None])
        u[there, place] = np.array([one.unit(value) for value in numbers])[which]
        codes = np.array([one.code(value) for value in numbers])[which]
        kept: Any = one.column(codes)
        whole = np.empty(trials.count, kept.dtype)
        whole[there] = kept
        columns[name] = pa.array(whole, arrow_type(one.kind), mask=~there)
    point = pa.ListArray.from_arrays(np.arange(trials.count + 1, dtype=np.int32) * len(space), pa.array(u.ravel()))
    number = np.arange(trials.count)
    fixed = {"trial": number, "seed": pa.array(trials.seeds, pa.int64()), "index": number, "u": point}
    arrays = dict(zip(fixed, arrays_of("configs", fixed, trials.count), strict=True))
    return pa.table({**arrays, **columns})


def _names(names: Sequence[str], file: str) -> pa.Table:
    """What the table calls each trial, as its output: there `caviar logs` shows it."""
    count = len(names)
    said = {
        "trial": np.arange(count),
        "attempt": np.zeros(count, np.int16),
        "_seq": np.zeros(count, np.int32),
        "time": pa.nulls(count, arrow_type("time")),
        "stream": ["out"] * count,
        "text": [f"{file}: {name}\n" for name in names],
    }
    return pa.table(dict(zip(said, arrays_of("logs", said, count), strict=True)))


def _curves(reports: Reports, counts: npt.NDArray[np.int64]) -> pa.Table:
    rows = len(reports.trial)
    starts = np.cumsum(counts) - counts
    arrays = [
        pa.array(reports.trial),
        pa.array(np.zeros(rows, np.int16)),
        pa.array((np.arange(rows) - starts[reports.trial]).astype(np.int32)),
        pa.array(np.zeros(rows, np.int64)),
        pa.array(reports.step),
        pa.nulls(rows, CURVES.field("time").type),
    ]
    fields = list(CURVES)
    for name, values in reports.metrics.items():
        arrays.append(pa.array(values, mask=~reports.present[name]))
        fields.append(pa.field(name, pa.float64()))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _attempts(trials: Trials, metric: str, counts: npt.NDArray[np.int64]) -> pa.Table:
    count, reports = trials.count, trials.reports
    states = states_of(trials, metric)
    last = np.zeros(count, np.int64)
    last[reports.trial] = reports.step  # in order: the last one stays
    lack = f"the table has no value of {metric} for this trial"
    why = {
        None: (None, None),
        True: (Failure.ERROR.value, "the table says that it failed"),
        False: (Failure.METRIC.value, lack),
    }
    pairs = zip(states, trials.states, strict=True)
    endings = [why[said is State.FAILED if state is State.FAILED else None] for state, said in pairs]
    now = int(time.time() * 1000)
    columns: dict[str, Any] = {
        "trial": np.arange(count),
        "attempt": np.zeros(count, np.int16),
        "state": list(map(str, states)),
        "cause": [Cause.FIRST.value] * count,
        "kind": [kind for kind, _ in endings],
        "error": [error for _, error in endings],
        "started": [None] * count,
        "ended": [now] * count,
        "busy": np.zeros(count),
        "rows": counts,
        "step": pa.array(last, mask=counts == 0),
        "start": np.zeros(count, np.int64),
        "diverged": trials.diverged,
    }
    arrays, fields = arrays_of("attempts", columns, count), list(ATTEMPTS)
    for name in reports.metrics:
        arrays += _summary(reports, name, count)
        fields += [pa.field(f"{form}_{name}", pa.float64()) for form in ("last", "min", "max")]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _summary(reports: Reports, name: str, count: int) -> list[pa.Array]:
    """A metric's last value of each trial, and the smallest and the largest finite one."""
    there = reports.present[name]
    trial, values = reports.trial[there], reports.metrics[name][there]
    last, seen = np.zeros(count), np.zeros(count, np.bool_)
    last[trial], seen[trial] = values, True
    finite = np.isfinite(values)
    low, high, some = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count, np.bool_)
    np.minimum.at(low, trial[finite], values[finite])
    np.maximum.at(high, trial[finite], values[finite])
    some[trial[finite]] = True
    return [pa.array(last, mask=~seen), pa.array(low, mask=~some), pa.array(high, mask=~some)]
