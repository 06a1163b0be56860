"""Picks the best trials of a sweep, and says by which rule.

* Trials that completed did what they set out to do: they are compared at their own ends. Where these differ, the rule
  says so; `at_step` compares at one step instead.
* While none has completed, those that run are compared at one step: the largest that at least half of them reached.
* A failed or diverged trial never wins, whatever its numbers. Ties go to the smaller trial number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from caviar.errors import NotFoundError, SpecError
from caviar.select.rule import RULES, WORDS, identifier, scored_sql

_FIXED = {"sweep", "trial", "attempt", "step", "time"}


class Views(Protocol):
    """What the selector asks: the store's views, or a DuckDB connection that has them."""

    def execute(self, sql: str) -> Any:
        """Run SQL; the answer has `fetchall`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One of the best trials."""

    trial: int
    value: float
    """Of the metric, by the rule; finite."""
    step: int
    """At which the value stands."""
    state: str
    seed: int
    config: dict[str, Any]
    """Parameter → value as the store keeps it; one that does not exist for this trial is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The best trials of a sweep."""

    metric: str
    mode: str
    rule: str
    """What was compared, in words."""
    compared: int
    """Trials that were compared."""
    rows: tuple[Candidate, ...]
    """Best first; empty: no trial has a usable value."""


def select(
    views: Views,
    description: Mapping[str, Any],
    *,
    k: int = 5,
    rule: str | None = None,
    at_step: int | None = None,
) -> Selection:
    """Pick the best `k` trials of a sweep.

    Args:
        views: The store's views.
        description: The sweep's, from sweep.json.
        k: How many, ≥ 1.
        rule: `last`, `best` or `smoothed` (mean of the last 5 reports); None: the sweep's own.
        at_step: Compare what trials had up to this step, among those that reached it.

    Raises:
        SpecError: There is no such rule.
        NotFoundError: The metric was never reported.
    """
    sweep, plan = description["id"], description["plan"]
    chosen = rule or plan["rule"]
    if chosen not in RULES:
        raise SpecError(f"a rule is last, best or smoothed, but got {chosen!r}")
    metric, mode = plan["metric"], plan["mode"]
    if not _reported(views, sweep, metric):
        return Selection(metric=metric, mode=mode, rule="no trial has reported yet", compared=0, rows=())
    step, pool, where = _common_ground(views, sweep, metric, at_step)
    parameters = list(plan["space"]["parameters"])
    columns = "".join(f", {identifier(name)}" for name in parameters)
    found = views.execute(
        f"SELECT trial, _value, _step, state, seed, count(*) OVER (){columns} "
        f"FROM ({scored_sql(sweep, metric, mode, chosen, step)}) "
        f"WHERE state {pool} AND NOT coalesce(diverged, false) AND isfinite(_value) "
        f"ORDER BY _value {'ASC' if mode == 'min' else 'DESC'}, trial LIMIT {int(k)}"
    ).fetchall()
    rows = tuple(
        Candidate(
            trial=r[0],
            value=r[1],
            step=r[2],
            state=r[3],
            seed=r[4],
            config={name: value for name, value in zip(parameters, r[6:], strict=True) if value is not None},
        )
        for r in found
    )
    words = f"{WORDS[chosen].format(metric=metric)}, {where}"
    return Selection(metric=metric, mode=mode, rule=words, compared=found[0][5] if found else 0, rows=rows)


def _common_ground(views: Views, sweep: str, metric: str, at_step: int | None) -> tuple[int | None, str, str]:
    """The step to compare at (None: each trial's end), the states that take part, and both in words."""
    if at_step is not None:
        return at_step, "<> 'FAILED'", f"at step {at_step}"
    m = identifier(f"last_{metric}")
    ends = views.execute(
        f"SELECT count(*), min(step), max(step) FROM trials "
        f"WHERE sweep = '{sweep}' AND state = 'COMPLETED' AND isfinite({m})"
    ).fetchall()[0]
    if ends[0]:
        where = f"at step {ends[1]}" if ends[1] == ends[2] else f"at their own ends, steps {ends[1]} to {ends[2]}"
        return None, "= 'COMPLETED'", f"{ends[0]} completed trial{'' if ends[0] == 1 else 's'} {where}"
    steps = views.execute(
        f"SELECT step FROM trials WHERE sweep = '{sweep}' AND state <> 'FAILED' AND {m} IS NOT NULL ORDER BY step DESC"
    ).fetchall()
    step = steps[(len(steps) - 1) // 2][0] if steps else 0
    return step, "<> 'FAILED'", f"at step {step} (no trial has completed)"


def _reported(views: Views, sweep: str, metric: str) -> bool:
    """Whether the metric was reported; False: nothing was yet."""
    columns = [row[0] for row in views.execute("DESCRIBE SELECT * FROM curves").fetchall()]
    metrics = [name for name in columns if name not in _FIXED]
    if metric in metrics or not metrics:
        return bool(metrics)
    close = get_close_matches(metric, metrics, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"reported were {', '.join(metrics)}"
    raise NotFoundError(f"sweep {sweep} has no reports of the metric '{metric}': {hint}")
