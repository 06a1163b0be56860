"""How far any sweep is, from the store alone, as a document; kept up with while it runs, in whichever process."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from caviar.display.progress import BestRow, LastReport, SweepStatus
from caviar.errors import NotFoundError, StoreError
from caviar.results.selector import as_given, select
from caviar.results.status import seconds_left
from caviar.store import Views
from caviar.store.read.following import Following
from caviar.store.read.sql import name as quoted
from caviar.store.read.sql import one_line
from caviar_workers.failure import headline
from caviar_workers.states import ENDED, State
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from caviar.store import Store, SweepDir

BEST = 5
"""Trials that are shown."""
REPORTS = 8
"""Running trials that are shown."""
REASONS = 2
"""Reasons of failures that are shown."""
MOST_FAILURES = 100_000
"""Failed trials of which the reason is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressDocument(SweepStatus):
    """How far a sweep is, by what is in the store; any display takes it.

    Attributes:
        state: running, finished, interrupted or failed.
        rule: which value of a curve counts: last, best or smoothed.
        counts: state → trials in it, of the states that some are in.
    """

    state: str
    rule: str
    counts: dict[str, int] = field(default_factory=dict)


def progress_document(store: Store, sweep: SweepDir) -> ProgressDocument:
    """How far a sweep is at this moment. Who wants to know again and again keeps a `ProgressReader`.

    Raises:
        StoreError: The sweep cannot be read.
    """
    reader = ProgressReader(store, sweep)
    try:
        return reader.read()
    finally:
        reader.close()


class ProgressReader:
    """Makes the document again and again; each time only what was published since the last time is read.

    Trials are ranked as `select` ranks them, by the rule of the sweep. A reader is of one thread, except for
    `interrupt`.
    """

    def __init__(self, store: Store, sweep: SweepDir) -> None:
        """Read nothing yet."""
        self._store = store
        self._sweep = sweep
        self._following: Following | None = None
        self._best: tuple[BestRow, ...] = ()
        self._last: ProgressDocument | None = None
        self._failed: dict[int, str] = {}

    def read(self) -> ProgressDocument:
        """The document as of now.

        Raises:
            StoreError: The sweep cannot be read; the next time it is tried again.
        """
        try:
            if self._following is None:
                self._following = Following(self._sweep)
            if not self._following.look(self._first_leaders) and self._last is not None:
                return replace(self._last, elapsed_s=_times(self._following)[0])
            self._last = self._whole(self._following)
        except duckdb.Error as error:
            raise StoreError(f"The rows of {self._sweep.id} cannot be read: {one_line(error)}") from error
        return self._last

    def _whole(self, following: Following) -> ProgressDocument:
        """The document; an error leaves some of the new rows counted and others not, so all is read anew then."""
        try:
            return self._document(following)
        except BaseException:
            self.close()
            raise

    def _document(self, following: Following) -> ProgressDocument:
        self._best = self._leaders(following, {row.trial: row for row in self._best})
        self._note_failures(following)
        reports = self._last_reports(following)
        following.forget(but=[row.trial for row in self._best])
        plan = self._sweep.again().plan  # it may have been given more trials
        sql = f"SELECT count(*) FROM standing WHERE trial >= {FORKED}"  # those that have begun
        planned = plan.trials + following.execute(sql).fetchall()[0][0]
        counts = dict(following.execute("SELECT state, count(*) FROM standing GROUP BY state").fetchall())
        done, running = sum(counts.get(state, 0) for state in ENDED), counts.get(State.RUNNING, 0)
        elapsed, each = _times(following)
        return ProgressDocument(
            sweep=self._sweep.id,
            name=plan.name,
            planned=planned,
            done=done,
            running=running,
            failed=counts.get(State.FAILED, 0),
            stopped=counts.get(State.STOPPED, 0) + counts.get(State.CANCELLED, 0),
            elapsed_s=elapsed,
            eta_s=seconds_left(each, planned - done, running),
            metric=plan.metric,
            mode="max" if plan.mode == "max" else "min",
            best=self._best,
            newest=reports[0] if reports else None,
            last_reports=reports,
            reasons=tuple(Counter(self._failed.values()).most_common(REASONS)),
            state=following.state,
            rule=plan.rule,
            counts=counts,
        )

    def _first_leaders(self) -> list[int]:
        """The best trials that completed already: of all others that ended, no row is read."""
        if not self._sweep.visible_files().names("attempts"):
            return []
        with Views(self._store, [self._sweep]) as views, suppress(NotFoundError):  # its metric is never reported
            return [row.trial for row in select(views, self._sweep.description(), k=BEST, steps=False).rows]
        return []

    def _leaders(self, following: Following, before: Mapping[int, BestRow]) -> tuple[BestRow, ...]:
        """The best of the trials that completed; `before` are those of the last time."""
        description = self._sweep.description()
        bare = {**description, "plan": {**description["plan"], "space": {"parameters": {}}}}  # no parameters are kept
        found = select(following, bare, k=BEST, steps=False).rows
        leaders = [row for row in found if row.state == State.COMPLETED]
        new = [row.trial for row in leaders if row.trial not in before]
        if not new:
            return tuple(before[row.trial] for row in leaders)
        parameters = self._sweep.plan.parameters
        configs = {row["trial"]: as_given(parameters, row) for row in following.configs(new)}
        curves = self._curves(following, new)
        fresh = {
            row.trial: BestRow(
                trial=row.trial, value=row.value, config=configs.get(row.trial, {}), curve=curves.get(row.trial)
            )
            for row in leaders
            if row.trial not in before
        }
        return tuple({**before, **fresh}[row.trial] for row in leaders)

    def _curves(self, following: Following, trials: Collection[int]) -> dict[int, tuple[float, ...]]:
        metric = quoted(self._sweep.plan.metric)
        rows = following.execute(
            f"SELECT trial, list({metric} ORDER BY _row) FROM _curves WHERE {metric} IS NOT NULL "
            f"AND trial IN ({', '.join(map(str, trials))}) GROUP BY trial"
        ).fetchall()
        return {trial: tuple(values) for trial, values in rows}

    def _last_reports(self, following: Following) -> tuple[LastReport, ...]:
        """The newest report of each trial that runs, newest first."""
        metric = quoted(self._sweep.plan.metric)
        found = following.execute(
            f"SELECT trial, step, {metric} FROM _curves WHERE {metric} IS NOT NULL AND trial IN "
            f"(SELECT trial FROM trials WHERE state = '{State.RUNNING}') "
            "QUALIFY row_number() OVER (PARTITION BY trial ORDER BY time DESC, _row DESC) = 1 "
            f"ORDER BY time DESC, trial LIMIT {REPORTS}"
        ).fetchall()
        return tuple(LastReport(trial=trial, step=step, value=value) for trial, step, value in found)

    def _note_failures(self, following: Following) -> None:
        for trial, state, kind, error in following.execute("SELECT trial, state, kind, error FROM trials").fetchall():
            if state == State.FAILED and len(self._failed) < MOST_FAILURES:
                self._failed[trial] = headline(error or "") or kind or "error"
            elif state != State.FAILED:  # it is tried again
                self._failed.pop(trial, None)

    def interrupt(self) -> None:
        """End a reading that takes place, from another thread: it raises an error."""
        if (following := self._following) is not None:
            following.interrupt()

    def close(self) -> None:
        """Let go of memory; to read again is to read all anew."""
        if self._following is not None:
            self._following.close()
        self._following, self._last, self._best = None, None, ()


def _times(following: Following) -> tuple[float, float | None]:
    """Seconds since the first trial began, up to now or to the end of the last one; and what one takes."""
    began, latest, each = following.execute(
        "SELECT min(started), max(coalesce(ended, started)), "
        f"avg(busy) FILTER (WHERE state = '{State.COMPLETED}') FROM standing"
    ).fetchall()[0]
    if began is None:
        return 0.0, None
    if following.state == "running":
        latest = datetime.now(UTC).replace(tzinfo=None)
    return max((latest - began).total_seconds(), 0.0), each
