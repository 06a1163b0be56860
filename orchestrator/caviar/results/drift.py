"""What a check for drift found, as documents."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from caviar.errors import NoResultError
from caviar.results.ranking_sql import SMOOTHED
from caviar.store import Views
from caviar_workers.tables import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caviar.store import Store, SweepDir


WHOSE = {"today": "today's code", "stored": "the stored code"}
"""What a check ran, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryDocument:
    """What the first report of a stored trial says when it is trained again.

    Attributes:
        sweep: the trial's sweep.
        trial: its number.
        code: `today`: its file as it is now; `stored`: what the sweep stored.
        outcome: `same`, `differs` or `says nothing`.
        differing: metrics, or the step, that differ from those of then; where it says nothing, between two runs.
        compared: metrics that were compared, bit for bit.
        left_out: metrics that are times or speeds, by their names.
    """

    sweep: str
    trial: int
    code: str
    outcome: str
    differing: tuple[str, ...]
    compared: tuple[str, ...]
    left_out: tuple[str, ...]


def first_report(store: Store, sweep: SweepDir, trial: int) -> dict[str, float]:
    """The first row of a trial's curve: `step`, and each metric that it has.

    Raises:
        NoResultError: It has none.
    """
    with Views(store, [sweep]) as views, views.of_trials([trial]):
        cursor = views.execute(f"SELECT * EXCLUDE (_row) FROM _curves WHERE trial = {trial} ORDER BY _row LIMIT 1")
        names = [column[0] for column in cursor.description or ()]
        rows = cursor.fetchall()
    if not rows:
        raise NoResultError(f"trial {trial} of sweep {sweep.id} has reported nothing, so there is nothing to compare")
    fixed = {*FIELDS["curves"], "sweep"} - {"step"}
    return {
        name: float(value)
        for name, value in zip(names, rows[0], strict=True)
        if name not in fixed and value is not None
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourDocument:
    """A configuration near the winner, tried beside it.

    Attributes:
        config: parameter → value.
        screened: its values on two seeds; None: it diverged or failed.
        afresh: those of the best of them on further seeds, which alone are compared with the winner.
    """

    config: dict[str, Any]
    screened: tuple[float | None, ...]
    afresh: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDocument:
    """Whether a winner is still what it was.

    Attributes:
        sweep: the sweep that was asked about.
        name: its name.
        home: the sweep that the winner is a trial of.
        trial: the winner.
        looked: when somebody had looked at it last (ISO time, UTC).
        when: when it was checked; empty: it was not, for it was looked at since.
        code: what was run: `today` or `stored`.
        changed: what has changed since, in words: code, data, libraries, machine. Reasons to look, and no verdicts.
        metric: what ranks the trials.
        mode: `min` or `max`.
        rule: which value of a curve counts: `last`, `best` or `smoothed`.
        canary: what its first report says; None: that could not be asked.
        baseline: `retest`, or `stored code`, which was run first because there is no retest.
        seeds: of the winner's trainings, then and now.
        fresh: seeds of the neighbours' trainings, which nobody had.
        was: its values then.
        now: its values now, of the same seeds; None: it diverged or failed.
        was_mean: of `was`.
        now_mean: of those of `now` that there are; None: of fewer than two.
        p: of the paired t-test, two-sided.
        drop: by how much it would have to be worse to show in 8 of 10 such checks; 0: any drop shows.
        neighbours: the best of the screened ones first.
        better_p: of Welch's test, one-sided, that this one is better than the winner.
        level: of each of both tests.
        false_alarm: how often a check says something else than `still best` although nothing has changed, at most.
        trainings: that the check took, without the canary.
        verdict: `still best`, `drifted` or `retune`; empty: it was not checked.
    """

    sweep: str
    name: str
    home: str
    trial: int
    looked: str
    when: str = ""
    code: str = "today"
    changed: tuple[str, ...] = ()
    metric: str
    mode: str
    rule: str
    canary: CanaryDocument | None = None
    baseline: str = ""
    seeds: tuple[int, ...] = ()
    fresh: tuple[int, ...] = ()
    was: tuple[float, ...] = ()
    now: tuple[float | None, ...] = ()
    was_mean: float | None = None
    now_mean: float | None = None
    p: float | None = None
    drop: float | None = None
    neighbours: tuple[NeighbourDocument, ...] = ()
    better_p: float | None = None
    level: float = 0.02
    false_alarm: float = 0.05
    trainings: int = 0
    verdict: str = ""


def value_of(rows: Sequence[Mapping[str, float]], metric: str, mode: str, rule: str) -> float | None:
    """The value of a curve by a rule, to the last bit as the store's views have it.

    Returns:
        None: it diverged, or never reported the metric.
    """
    values = [row[metric] for row in rows if metric in row]
    if not values or not all(map(isfinite, values)):
        return None
    if rule == "best":
        return min(values) if mode == "min" else max(values)
    if rule == "last":
        return values[-1]
    tail = sorted(values[-SMOOTHED:])
    return max(tail[0], min(tail[-1], functools.reduce(operator.add, tail) / len(tail)))
