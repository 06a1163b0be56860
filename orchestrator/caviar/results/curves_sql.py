"""Learning curves out of the store: exact, or thinned by the database for a plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.store.read.sql import name as quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.results.open_sweep import OpenSweep

# Steps that a plot tells apart, at most: more than the dots of any terminal.
MOST_POINTS = 1024


# Not avg(v): the sum of values near the largest float is infinite, where their mean is not.
_MEAN = """case when isfinite(avg(v) filter (where isfinite(v))) then avg(v) filter (where isfinite(v))
                else avg(v / 1024) filter (where isfinite(v)) * 1024 end"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """One trial's values of a metric, by ascending step."""

    steps: tuple[int, ...] = ()
    values: tuple[float | None, ...] = ()


def exact(opened: OpenSweep, trials: Sequence[int], metric: str) -> dict[int, Points]:
    """All values of the metric, as reported."""
    return _by_trial(
        opened,
        f"select trial, list(step order by _row), list({quoted(metric)} order by _row) from _curves"
        f" where trial in (select unnest(?)) and {quoted(metric)} is not null group by trial",
        trials,
    )


def exact_metrics(opened: OpenSweep, trial: int) -> dict[str, Points]:
    """All values of all metrics of one trial, in one query: each would make the view of all metrics anew."""
    metrics = opened.views.metrics()
    values = "".join(f", {quoted(metric)}" for metric in metrics)
    with opened.views.of_trials([trial]):
        sql = f"select step{values} from _curves where trial = ? order by _row"
        rows = opened.views.execute(sql, [trial]).fetchall()
    steps, *columns = zip(*rows, strict=True) if rows else ((), *((),) * len(metrics))
    found = {}
    for metric, column in zip(metrics, columns, strict=True):
        reported = [(step, value) for step, value in zip(steps, column, strict=True) if value is not None]
        found[metric] = Points(steps=tuple(step for step, _ in reported), values=tuple(value for _, value in reported))
    return found


def thinned(opened: OpenSweep, trials: Sequence[int], metric: str) -> dict[int, Points]:
    """The metric's mean over at most 1,024 spans of steps; None where no value of a span is finite."""
    value = quoted(metric)
    return _by_trial(
        opened,
        f"""with rows as (select trial, step, {value} as v from curves
                where trial in (select unnest(?)) and {value} is not null),
            ends as (select min(step)::hugeint as low, max(step)::hugeint as high from rows),
            placed as (select trial, step, v, (step - low) * {MOST_POINTS} // (high - low + 1) as span from rows, ends),
            spans as (select trial, min(step) as step, {_MEAN} as v from placed group by trial, span)
            select trial, list(step order by step), list(v order by step) from spans group by trial""",
        trials,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAndLast:
    """The two ends of one trial's curve, as reported; None: it has no reports."""

    first: float | None = None
    last: float | None = None


def first_and_last(opened: OpenSweep, trials: Sequence[int], metric: str) -> dict[int, FirstAndLast]:
    """Return what each curve begins and ends with: not means of many reports, as in a plot."""
    value = quoted(metric)
    sql = (
        f"select trial, arg_min({value}, _row), arg_max({value}, _row) from _curves"
        " where trial in (select unnest(?)) group by trial"
    )
    with opened.views.of_trials(trials):
        rows = opened.views.execute(sql, [list(trials)]).fetchall()
    found = {trial: FirstAndLast(first=first, last=last) for trial, first, last in rows}
    return {trial: found.get(trial, FirstAndLast()) for trial in trials}


def _by_trial(opened: OpenSweep, sql: str, trials: Sequence[int]) -> dict[int, Points]:
    with opened.views.of_trials(trials):
        rows = opened.views.execute(sql, [list(trials)]).fetchall()
    found = {trial: Points(steps=tuple(steps), values=tuple(values)) for trial, steps, values in rows}
    return {trial: found.get(trial, Points()) for trial in trials}
