"""Where a sweep stands, as a document."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from caviar.errors import NoResultError, NotFoundError, StoreError
from caviar.results.best import best_document
from caviar.results.imported import imported_from
from caviar.store.fingerprints import fingerprints
from caviar.store.untrusted_json import numbers_of
from caviar_workers.states import ENDED, Action, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from caviar.results.best import BestDocument
    from caviar.results.imported import Imported
    from caviar.results.open_sweep import OpenSweep
    from caviar.results.selector import Candidate
    from caviar_workers.messages import Fingerprint

STATES = (*ENDED, State.RUNNING, State.PAUSED, State.LOST, State.PENDING)


class Failure(TypedDict):
    """How many trials failed in one way: `kind` is error, oom, timeout or lost; `error` is of the first of them."""

    kind: str
    trials: int
    first_trial: int
    error: str | None


SPAN = "epoch(min(started)) AS began_s, epoch(max(coalesce(ended, started))) AS latest_s"
"""When the trials of the view `trials` began, and when one last began or ended, in seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDocument:
    """The state of a sweep, in numbers.

    Attributes:
        sweep: its id.
        name: its name.
        state: running, finished, interrupted or failed.
        planned: trials in all.
        counts: state → trials in it, of all states.
        began: when the first trial did; None: none has.
        latest: when a trial last began or ended.
        took_s: the seconds between the two, or to now while it runs; None: no trial has begun.
        eta_s: a guess of the seconds to its end; None: unknown.
        metric: what ranks the trials.
        mode: `min` or `max`.
        rule: what was compared, in words; None: there is no best trial.
        best: the best trial so far.
        failures: most frequent first.
        diverged: trials that reported NaN or infinity as the sweep's metric.
        rejected: draws of the sampler that the constraint rejected.
        lack: what a trial needs and what the cluster has, where trials waited for room when that was last looked at;
            None: they do not.
        imported: where its trials come from; None: they were run here.
        fingerprints: what its processes trained with, each different one once; none of a sweep that is older.
    """

    sweep: str
    name: str
    state: str
    planned: int
    counts: dict[str, int]
    began: datetime | None
    latest: datetime | None
    took_s: float | None
    eta_s: float | None
    metric: str
    mode: str
    rule: str | None
    best: Candidate | None
    failures: tuple[Failure, ...]
    diverged: int
    rejected: int
    lack: str | None
    imported: Imported | None = None
    fingerprints: tuple[Fingerprint, ...] = ()

    @property
    def done(self) -> int:
        """Trials that came to an end."""
        return sum(self.counts[state] for state in ENDED)


def status_document(opened: OpenSweep) -> StatusDocument:
    """Return where the sweep stands at this moment."""
    planned = opened.planned
    counts, state = counted_states(opened, planned), opened.sweep.state()
    try:
        best: BestDocument | None = best_document(opened, k=1)
    except (NoResultError, NotFoundError):
        best = None
    return StatusDocument(
        sweep=opened.sweep.id,
        name=opened.plan.name,
        state=state,
        planned=planned,
        counts=counts,
        **_times(opened, planned, counts, state),
        metric=opened.plan.metric,
        mode=opened.plan.mode,
        rule=None if best is None else best.rule,
        best=None if best is None else best.trials[0],
        failures=tuple(_failures(opened)),
        diverged=opened.rows("SELECT count(*) n FROM trials WHERE diverged")[0]["n"],
        rejected=opened.rows('SELECT coalesce(max("index") + 1 - count("index"), 0) n FROM configs')[0]["n"],
        imported=imported_from(opened.sweep.description()),
        lack=_lack(opened) if planned > sum(counts[state] for state in (*ENDED, State.RUNNING)) else None,
        fingerprints=told_fingerprints(opened),
    )


def told_fingerprints(opened: OpenSweep) -> tuple[Fingerprint, ...]:
    """What its processes trained with; where that cannot be read, none, and a word of it."""
    try:
        return tuple(fingerprints(opened.sweep))
    except StoreError as error:
        opened.say(str(error))
        return ()


def _lack(opened: OpenSweep) -> str | None:
    """What was missing when a driver last found no room for a trial, if no trial has begun since."""
    rows = opened.rows(
        f"SELECT numbers FROM decisions WHERE action = '{Action.WAIT}' AND NOT EXISTS "
        "(SELECT 1 FROM attempts WHERE started > decisions.time) ORDER BY n DESC LIMIT 1"
    )
    lack = numbers_of(rows[0]["numbers"]).get("lack") if rows else None
    return lack if isinstance(lack, str) else None


def _failures(opened: OpenSweep) -> list[Failure]:
    return opened.rows(  # type: ignore[return-value]
        "SELECT coalesce(kind, 'error') kind, count(*) trials, min(trial) first_trial, arg_min(error, trial) error "
        "FROM trials WHERE state = 'FAILED' GROUP BY 1 ORDER BY 2 DESC"
    )


def counted_states(opened: OpenSweep, planned: int) -> dict[str, int]:
    """Trials by state. Those that were not drawn yet have no row in `trials`, and yet they may be cancelled."""
    found = opened.states()
    undrawn = "state = 'CANCELLED' AND trial NOT IN (SELECT trial FROM configs)"
    early = opened.rows(f"SELECT count(DISTINCT trial) n FROM attempts WHERE {undrawn}")[0]["n"]
    counts: dict[str, int] = {state.value: found.get(state, 0) for state in STATES}
    counts[State.CANCELLED] += early
    counts[State.PENDING] += max(planned - sum(found.values()) - early, 0)
    return counts


def _times(opened: OpenSweep, planned: int, counts: dict[str, int], state: str) -> dict[str, Any]:
    """When it began, when a trial last began or ended, how long it took, and a guess of the seconds to its end."""
    row = opened.rows(
        f"SELECT {SPAN}, min(started) AS began, max(coalesce(ended, started)) AS latest, "
        "avg(busy) FILTER (WHERE state = 'COMPLETED') AS each FROM trials"
    )[0]
    left = planned - sum(counts[state] for state in ENDED)
    return {
        "began": row["began"],
        "latest": row["latest"],
        "took_s": seconds_taken([row["began_s"], row["latest_s"]], state),
        "eta_s": seconds_left(row["each"], left, counts[State.RUNNING]),
    }


def seconds_taken(span: Sequence[float | None], state: str) -> float | None:
    """Seconds from a sweep's first trial to its end: while it runs to now, for one trial may train for weeks.

    Args:
        span: what `SPAN` gives.
        state: of the sweep.
    """
    began, latest = span
    if began is None or latest is None:
        return None
    return round((max(latest, time.time()) if state == "running" else latest) - began, 3)


def seconds_left(each: float | None, left: int, at_once: int) -> float | None:
    """A guess of the seconds to a sweep's end; None: nothing runs, or none has completed.

    Args:
        each: What a trial took, of those that completed; None: none has.
        left: Trials that have not ended.
        at_once: Trials that run.
    """
    return None if each is None or not at_once else each * left / at_once


def failed_alike(opened: OpenSweep) -> dict[str, list[int]]:
    """Return the trials that failed alike, by the line that names an error, else by the kind (oom, timeout, lost)."""
    rows = opened.views.execute(
        "SELECT kind, error, list(trial ORDER BY trial) FROM trials WHERE state = 'FAILED' GROUP BY kind, error"
    ).fetchall()
    found: dict[str, list[int]] = {}
    for kind, error, trials in rows:
        found.setdefault(_word(kind, error), []).extend(trials)
    return {word: sorted(trials) for word, trials in found.items()}


def _word(kind: str | None, error: str | None) -> str:
    from caviar.display.sanitize import one_line, plain  # noqa: PLC0415 — needed where something failed
    from caviar_workers.failure import headline  # noqa: PLC0415

    if kind not in {None, "error"}:
        return str(kind)
    return one_line(headline(plain(error or "")), 60) or "error"
