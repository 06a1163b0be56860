"""Learning curves as a verb needs them: exact for JSON, thinned by the database for a drawing."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.cli.reading import Reading, ident
from caviar.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Steps that a drawing tells apart, at most: more than the dots of any terminal.
MOST_POINTS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """One trial's values of a metric, by ascending step."""

    steps: tuple[int, ...] = ()
    values: tuple[float | None, ...] = ()


def checked_metric(reading: Reading, name: str | None) -> str:
    """The metric asked for, or the sweep's own.

    Raises:
        NotFoundError: it was never reported; the sentence suggests one that was.
    """
    known = reading.views.metrics()
    wanted = str(name or reading.plan["metric"])
    if wanted in known:
        return wanted
    if not known:
        raise NotFoundError(f"no metric has been reported yet in {reading.title}; see: caviar status")
    close = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
    raise NotFoundError(f"no trial of {reading.title} reported {wanted!r}; {hint}")


def exact(reading: Reading, trials: Sequence[int], metric: str) -> dict[int, Points]:
    """All values of the metric, as reported."""
    return _by_trial(
        reading,
        f"select trial, list(step order by step), list({ident(metric)} order by step) from curves"
        f" where trial in (select unnest(?)) and {ident(metric)} is not null group by trial",
        trials,
    )


def drawn(reading: Reading, trials: Sequence[int], metric: str) -> dict[int, Points]:
    """The metric's mean over at most 1,024 spans of steps; None where no value of a span is finite."""
    value = ident(metric)
    return _by_trial(
        reading,
        f"""with rows as (select trial, step, {value} as v from curves
                where trial in (select unnest(?)) and {value} is not null),
            ends as (select min(step) as low, max(step) as high from rows),
            spans as (select trial, min(step) as step, avg(v) filter (where isfinite(v)) as v
                from rows, ends group by trial, (rows.step - low) * {MOST_POINTS} // (high - low + 1))
            select trial, list(step order by step), list(v order by step) from spans group by trial""",
        trials,
    )


def _by_trial(reading: Reading, sql: str, trials: Sequence[int]) -> dict[int, Points]:
    with reading.views.of_trials(trials):
        rows = reading.views.execute(sql, [list(trials)]).fetchall()
    found = {trial: Points(steps=tuple(steps), values=tuple(values)) for trial, steps, values in rows}
    return {trial: found.get(trial, Points()) for trial in trials}
