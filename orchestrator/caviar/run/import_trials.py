"""From the rows of a table to trials and their curves, as columns: nothing here looks at one row at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from caviar.errors import SpecError
from caviar.run.import_mapping import is_list
from caviar_workers.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping as Named

    from caviar.run.import_mapping import Mapping

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

STATES = {
    **dict.fromkeys(("complete", "completed", "terminated", "finished", "success", "succeeded", "ok"), State.COMPLETED),
    **dict.fromkeys(("pruned", "stopped", "killed", "early_stopped"), State.STOPPED),
    **dict.fromkeys(("fail", "failed", "error", "crashed", "crash"), State.FAILED),
    **dict.fromkeys(
        ("running", "waiting", "pending", "paused", "preempting", "cancelled", "canceled"), State.CANCELLED
    ),
}
"""What other tools call the states of trials, without regard to case; one that had not ended counts as cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """The rows of all curves, by trial and step."""

    trial: Ints
    """[r], not falling."""
    step: Ints
    """[r], not falling within a trial."""
    metrics: dict[str, Floats]
    """Metric → its values, [r]."""
    present: dict[str, Bools]
    """Metric → where it was reported, [r]."""

    def of(self, keep: Bools) -> Reports:
        """Some of the rows."""
        return Reports(
            trial=self.trial[keep],
            step=self.step[keep],
            metrics={name: values[keep] for name, values in self.metrics.items()},
            present={name: there[keep] for name, there in self.present.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """What a table says of n trials, numbered from 0."""

    count: int
    names: list[str] | None
    """What the table calls each; None: by these numbers."""
    parameters: dict[str, list[Any]]
    """Parameter → value of each trial; None: it has none."""
    seeds: list[int | None]
    states: list[State | None]
    """As the table says; None: it does not."""
    diverged: Bools
    """[n], as the table says, or as the curve of the objective shows."""
    reports: Reports
    ended_early: int = 0
    """Trials whose curve of the objective is NaN from some place of its list on."""


def trials_of(table: pa.Table, mapping: Mapping, steps: tuple[int, int] | None) -> Trials:
    """Read the trials of a table.

    Args:
        table: One row a trial, with curves in lists or without; or one row a report.
        mapping: Which column is what.
        steps: Reports of steps outside of these are left out; None: none are.

    Raises:
        SpecError: A trial has two values of a parameter, a step is no whole number, or the like.
    """
    number, count, names = _numbers(table, mapping)
    first = np.full(count, -1, np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    reports = _reports(table, mapping, number)
    if steps is not None:
        reports = reports.of((reports.step >= steps[0]) & (reports.step <= steps[1]))
    objective = reports.metrics[mapping.metric]
    diverged = np.zeros(count, np.bool_)
    diverged[reports.trial[reports.present[mapping.metric] & ~np.isfinite(objective)]] = True
    if mapping.diverged is not None:
        said = table[mapping.diverged].fill_null(False).to_numpy()
        diverged[number[said]] = True
    return Trials(
        count=count,
        names=names,
        parameters={name: _values(table, name, column, number, first) for name, column in mapping.parameters.items()},
        seeds=_seeds(table, mapping, first),
        states=_states(table, mapping, number, count),
        diverged=diverged,
        reports=reports,
        ended_early=_ended_early(table, mapping),
    )


def _numbers(table: pa.Table, mapping: Mapping) -> tuple[Ints, int, list[str] | None]:
    """Of each row its trial, how many trials there are, and what the table calls them."""
    if mapping.trial is None:
        labels = None if mapping.label is None else table[mapping.label].to_pylist()
        return np.arange(table.num_rows), table.num_rows, labels and list(map(str, labels))
    column = table[mapping.trial].combine_chunks()
    if column.null_count:
        raise SpecError(
            f"the column {mapping.trial!r} says of which trial a row is, but {column.null_count} rows are of none"
        )
    if pa.types.is_integer(column.type):
        numbers = column.to_numpy(zero_copy_only=False)
        count = len(np.unique(numbers))
        if numbers.min() == 0 and numbers.max() == count - 1:
            return numbers.astype(np.int64), count, None
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    _, rows, inverse = np.unique(coded.indices.to_numpy(), return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(rows))  # by first appearance
    names = column.take(pa.array(np.sort(rows))).to_pylist()
    return rank[inverse], len(rows), [str(one) for one in names]


def _values(table: pa.Table, name: str, column: str, number: Ints, first: Ints) -> list[Any]:
    """A parameter's value of each trial: its first one, which all others of the trial must equal."""
    kind = table.schema.field(column).type
    if is_list(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        what = "holds lists: save an array for each of its columns" if is_list(kind) else "holds bytes that are no text"
        raise SpecError(f"the column {column!r} is to be a parameter, but {what}")
    values = _clean(table[column])
    place = first
    if len(number) != len(first):
        given = values.is_valid().to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(given)
        place = first.copy()
        place[number[rows[::-1]]] = rows[::-1]
        same = pc.fill_null(pc.equal(values, values.take(pa.array(place[number]))), True)
        if not pc.all(same).as_py():
            row = int(np.argmin(same.to_numpy(zero_copy_only=False)))
            raise SpecError(
                f"trial {number[row]} has several values of the parameter {name!r}, such as {values[row].as_py()!r}: a "
                "trial has one; name other --params, or another --trial column"
            )
    found: list[Any] = values.take(pa.array(place)).to_pylist()
    return found


def _clean(column: pa.ChunkedArray) -> pa.Array:
    """Texts, truth values, or numbers, whole where all are; NaN is missing."""
    values = column.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        values = values.cast(pa.float64(), safe=False)
        values = pc.if_else(pc.is_nan(values), None, values)
        there = values.drop_null().to_numpy(zero_copy_only=False)
        if len(there) and (np.abs(there) < 2**53).all() and (there == np.floor(there)).all():
            values = values.cast(pa.int64())
    elif not (pa.types.is_integer(values.type) or pa.types.is_boolean(values.type)):
        values = values.cast(pa.string())
    return values


def _seeds(table: pa.Table, mapping: Mapping, first: Ints) -> list[int | None]:
    if mapping.seed is None:
        return [None] * len(first)
    found = table[mapping.seed].combine_chunks().take(pa.array(first)).to_pylist()
    if any(one is not None and not (float(one).is_integer() and 0 <= one < 2**32) for one in found):
        raise SpecError(f"a seed is a whole number from 0 to 2^32 − 1, but the column {mapping.seed!r} holds others")
    return [None if one is None else int(one) for one in found]


def _states(table: pa.Table, mapping: Mapping, number: Ints, count: int) -> list[State | None]:
    """Of each trial, as its last row says."""
    if mapping.state is None:
        return [None] * count
    last = np.zeros(count, np.int64)
    last[number] = np.arange(len(number))
    words = table[mapping.state].combine_chunks().take(pa.array(last)).to_pylist()
    return [STATES.get(str(word).rpartition(".")[2].casefold()) for word in words]


def _reports(table: pa.Table, mapping: Mapping, number: Ints) -> Reports:
    """The rows of curves, sorted by trial and step; where no metric was reported there is no row."""
    lists = [name for name in mapping.metrics if is_list(table.schema.field(name).type)]
    rows, within = (_unfolded(table, lists, number)) if lists else (np.arange(len(number)), None)
    metrics: dict[str, Floats] = {}
    present: dict[str, Bools] = {}
    last = np.append(rows[1:] != rows[:-1], True) if len(rows) else np.zeros(0, np.bool_)
    for name in mapping.metrics:
        if name in lists:
            values, there = _floats(_flat(table[name]))
        else:
            values, there = _floats(table[name].combine_chunks())
            values, there = values[rows], there[rows] & last  # of a trial with a curve, one number is of its end
        metrics[name], present[name] = values, there
    step = _steps(table, mapping, rows, within, number)
    if lists:
        _end_curves(rows, metrics, present)
    some = np.any(list(present.values()), axis=0) & (step >= 0)
    found = Reports(trial=number[rows], step=step, metrics=metrics, present=present).of(some)
    order = np.lexsort((np.arange(len(found.step)), found.step, found.trial))
    return Reports(
        trial=found.trial[order],
        step=found.step[order],
        metrics={name: values[order] for name, values in found.metrics.items()},
        present={name: there[order] for name, there in found.present.items()},
    )


def _unfolded(table: pa.Table, lists: list[str], number: Ints) -> tuple[Ints, Ints]:
    """Of each item of the lists, its row in the table, and its place in the list."""
    if len(np.unique(number)) != len(number):
        raise SpecError("a row that holds whole curves is one trial, but several rows are of the same trial")
    lengths = {name: _lengths(table[name]) for name in lists}
    longest = np.max(list(lengths.values()), axis=0)
    for name, one in lengths.items():
        if (one != longest).any():
            row = int(np.argmax(one != longest))
            raise SpecError(
                f"row {row} has a curve {name!r} of {one[row]} values beside one of {longest[row]}: curves of a row "
                "have the same length; choose some by --metrics"
            )
    rows = np.repeat(np.arange(len(number)), longest)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(longest) - longest, longest)


def _lengths(column: pa.ChunkedArray) -> Ints:
    found: Ints = pc.fill_null(pc.list_value_length(column), 0).to_numpy().astype(np.int64)
    return found


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return pc.list_flatten(column.combine_chunks())


def _floats(values: pa.Array) -> tuple[Floats, Bools]:
    """Values and where they are; what is missing is NaN."""
    there = values.is_valid().to_numpy(zero_copy_only=False)
    found = values.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
    return np.array(found), np.array(there)


def _ended_early(table: pa.Table, mapping: Mapping) -> int:
    """How many lists of the objective end with NaN, where it has values before."""
    column = table[mapping.metric]
    if not is_list(column.type):
        return 0
    values, _ = _floats(_flat(column))
    lengths = _lengths(column)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    begun = np.zeros(len(lengths), np.bool_)
    begun[rows[~np.isnan(values)]] = True
    ends = (np.cumsum(lengths) - 1)[begun]
    return int(np.isnan(values[ends]).sum())


def _steps(table: pa.Table, mapping: Mapping, rows: Ints, within: Ints | None, number: Ints) -> Ints:
    """The step of each row; −1: it is no report."""
    if mapping.step is None:
        return _counted(number[rows]) if within is None else within
    column = table[mapping.step]
    if is_list(column.type):
        if within is None or int(_lengths(column).sum()) != len(rows):
            raise SpecError(f"the steps in the column {mapping.step!r} are lists, but not as long as the curves")
        values, _ = _floats(_flat(column))
    else:
        values = _floats(column.combine_chunks())[0][rows]
        if within is not None:
            return within
    known = np.where(np.isnan(values), -1, values)
    if (known != np.floor(known)).any() or (np.abs(known) >= 2**53).any():
        raise SpecError(
            f"a step is a whole number, but the column {mapping.step!r} holds others: name another by --step"
        )
    return known.astype(np.int64)


def _counted(trials: Ints) -> Ints:
    """Of each row its place among those of its trial, from 0."""
    order = np.argsort(trials, kind="stable")
    sorted_ = trials[order]
    starts = np.flatnonzero(np.append(True, sorted_[1:] != sorted_[:-1])) if len(trials) else np.zeros(0, np.int64)
    lengths = np.diff(np.append(starts, len(trials)))
    counted = np.empty(len(trials), np.int64)
    counted[order] = np.arange(len(trials)) - np.repeat(starts, lengths)
    return counted


def _end_curves(rows: Ints, metrics: Named[str, Floats], present: dict[str, Bools]) -> None:
    """Of curves in arrays, what is NaN from some place on was not reported: they are filled up to the longest."""
    for name, values in metrics.items():
        real = present[name] & ~np.isnan(values)
        ends = np.full(int(rows[-1]) + 1 if len(rows) else 0, -1, np.int64)
        places = np.flatnonzero(real)
        ends[rows[places]] = places  # the last of each row stays
        present[name] = present[name] & (np.arange(len(rows)) <= ends[rows])
