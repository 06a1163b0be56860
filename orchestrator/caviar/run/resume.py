"""Going on with a sweep: what is not finished, and, where that is asked for, more trials or other code.

A trial goes on at an attempt of which there is no trace: no row of any table, and no checkpoint. For what an attempt
left would else pass for the work of another one, and checkpoints are restored by the number of their attempt.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caviar.display.numbers import counted
from caviar.errors import SpecError, StoreError
from caviar.results.imported import imported_from
from caviar.results.next_plan import next_plan, next_sweep
from caviar.run import store_outage
from caviar.run.assembly import search_of, searcher_of
from caviar.run.code_to_run import STORED, Code, has_final, need_code
from caviar.run.constraint import constraint_of
from caviar.run.decided_code import take_up_code
from caviar.run.driver import drive_sweep, run_child
from caviar.run.driver_log import DriverLog
from caviar.run.engine.trial_source import ResumeState, SampledTrials
from caviar.run.lost_configs import redraw
from caviar.run.ray_cluster import executor_of, session
from caviar.run.resumed_code import resumed_program
from caviar.search.samplers import check_identity, make_sampler
from caviar.spec.code_archive import pack
from caviar.spec.plan import Plan
from caviar.store import Views
from caviar.store.checkpoints import saved_attempts
from caviar.store.final_tests import final_results
from caviar.store.ownership import own
from caviar.store.read.sql import name as quoted
from caviar.store.read.sql import texts
from caviar_workers.checkpoint import MOST_ATTEMPT
from caviar_workers.states import ENDED, State
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.display.progress import ProgressDisplay
    from caviar.search.samplers import Sampler
    from caviar.store import Store, SweepDir
    from caviar.store.owner import Sighting
    from caviar.store.ownership import Ownership


def unfinished(store: Store, sweep_dir: SweepDir, *, retry_failed: bool = False) -> ResumeState:
    """Return what is left of a sweep, from the store.

    Args:
        store: The store.
        sweep_dir: The sweep.
        retry_failed: Count failed trials as not ended.
    """
    ended = texts(state for state in ENDED if not (retry_failed and state == State.FAILED))
    with Views(store, [sweep_dir]) as views:
        # fetchall() of each query before the next: DuckDB streams results.
        sampled = f'SELECT count(*), max("index") FROM configs WHERE trial < {FORKED}'
        written, newest = views.execute(sampled).fetchall()[0]
        metric = sweep_dir.plan.metric
        metrics = tuple(views.metrics())
        valued = f"{quoted('last_' + metric)} IS NOT NULL" if metric in metrics else "false"
        lasted = f"state IN ('STOPPED', 'PAUSED') AND {valued}"
        hopes = f"SELECT count(DISTINCT trial) FROM attempts WHERE state = 'COMPLETED' OR {lasted}"
        completed = views.execute(hopes).fetchall()[0][0]
        decided = views.execute("SELECT coalesce(max(n) + 1, 0) FROM decisions").fetchall()[0][0]
        # Configurations are written block by block: the first trials have theirs.
        dropped = views.execute(
            f"SELECT DISTINCT trial FROM attempts WHERE trial >= {written} AND trial < {FORKED}"
        ).fetchall()
        rows = views.execute(_left_over(ended)).fetchall()
        counts = dict(views.execute("SELECT state, count(*) FROM trials GROUP BY state").fetchall())
        known = views.execute(f"SELECT trial FROM configs WHERE trial >= {FORKED}").fetchall()
    saved = saved_attempts(sweep_dir)
    every = {trial: max(attempt, saved.get(trial, -1) + 1) for trial, attempt, *_ in rows}
    for trial, attempt in every.items():
        if attempt > MOST_ATTEMPT:
            raise StoreError(
                f"trial {trial} of sweep {sweep_dir.id} was tried {attempt:,} times, and there are no more numbers for "
                "it: run the sweep anew"
            )
    return ResumeState(
        measured=metric in metrics,
        metrics=metrics,
        written=written,
        attempts={trial: attempt for trial, attempt in every.items() if trial < FORKED},
        forked={trial: attempt for trial, attempt in every.items() if trial >= FORKED},
        recorded=frozenset(trial for (trial,) in known),
        paused=frozenset(trial for trial, _, paused, *_ in rows if paused),
        by_hand=frozenset(trial for trial, _, paused, _, judged in rows if paused and not judged),
        rolled_back=frozenset(trial for trial, *_, back, _ in rows if back),
        dropped=frozenset(trial for (trial,) in dropped),
        completed=completed,
        failed=0 if retry_failed else counts.get(State.FAILED, 0),
        stopped=counts.get(State.STOPPED, 0) + counts.get(State.CANCELLED, 0),
        newest=newest,
        decided=decided,
    )


def _left_over(ended: str) -> str:
    """SELECT of the trials that have not ended: next attempt, and whether it was paused, or rolled back and waits, and
    whether a stop policy ever paused it.
    """
    # A driver that dies while it publishes may leave rows of an attempt that `attempts` does not know yet.
    return (
        "WITH newest AS (SELECT trial, arg_max(state, attempt * 2 + (ended IS NOT NULL)::INT) AS state "
        "FROM attempts GROUP BY trial), "
        "back AS (SELECT trial, max(attempt) AS attempt FROM decisions WHERE action = 'rollback' GROUP BY trial), "
        "waiting AS (SELECT trial FROM back WHERE NOT EXISTS (SELECT 1 FROM attempts a "
        "WHERE a.trial = back.trial AND a.attempt > back.attempt)), "
        f"over AS (SELECT trial FROM newest ANTI JOIN waiting USING (trial) WHERE state = ANY ({ended})), "
        f"born AS (SELECT trial FROM decisions WHERE action = 'fork' AND trial >= {FORKED}), "
        "left_over AS (SELECT trial FROM (SELECT trial FROM configs UNION SELECT trial FROM born) "
        "ANTI JOIN over USING (trial)), "
        "seen AS (SELECT trial, attempt FROM attempts UNION ALL SELECT trial, attempt FROM curves "
        "UNION ALL SELECT trial, attempt FROM logs "
        "UNION ALL SELECT trial, attempt FROM decisions WHERE attempt IS NOT NULL) "
        "SELECT trial, coalesce(max(attempt)::INT + 1, 0), "
        "trial IN (SELECT trial FROM newest WHERE state = 'PAUSED'), trial IN (SELECT trial FROM waiting), "
        "trial IN (SELECT trial FROM decisions WHERE action = 'pause' AND decided_by <> 'user' AND trial IS NOT NULL) "
        "FROM left_over LEFT JOIN seen USING (trial) GROUP BY trial"
    )


LOOK_S = 5.0
"""Seconds between two looks, at most."""


def wait_for_silence(
    sweep_dir: SweepDir, progress: ProgressDisplay, *, sleep: Callable[[float], None] = time.sleep
) -> Sighting:
    """Wait while the owner's last sign of life is too young, and no other comes.

    Returns:
        The owner as it was seen last: who claims the sweep now is told the rest.
    """
    seen = sweep_dir.owner()
    if seen.left_s is not None:
        progress.note(
            f"{seen.who} gave its last sign of life {seen.age_s:.0f} s ago: waiting {seen.left_s:.0f} s for another "
            "one, until it counts as gone"
        )
    while (left := seen.left_s) is not None:
        sleep(min(left + 0.1, LOOK_S))
        before, seen = seen, sweep_dir.owner()
        if seen.epoch != before.epoch or (seen.age_s or 0.0) < (before.age_s or 0.0):
            return seen  # a sign of life, or another owner
    return seen


def resume_sweep(  # noqa: PLR0913 — the options of the verb
    store: Store,
    sweep_dir: SweepDir,
    *,
    address: str | None,
    progress: ProgressDisplay,
    retry_failed: bool = False,
    time_limit: float | None = None,
    add: int = 0,
    force: bool = False,
    folder: Path | None = None,
    wait: bool = False,
    take_over: bool = False,
    code: Code = STORED,
) -> SweepDir:
    """Run the trials of a sweep that are not finished, with the code that it began with, and the rounds after it.

    The sweep is claimed before Ray is started and before anything of it is read: what is left to do is what is left
    when nobody else can do it. Only whether its code may run is asked before, for who thinks about that holds nothing.

    Args:
        store: The store.
        sweep_dir: The sweep.
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
        retry_failed: Run failed trials again too, each at its next attempt.
        time_limit: Seconds for this run; None: as long as the sweep says.
        add: Trials by which the sweep is extended, ≥ 0: those that a longer sweep would have had.
        force: Take the experiment's file, and its project's, as they are now, and record them.
        folder: Where they are now, with `force`; None: where they were.
        wait: Wait until an owner that is silent counts as gone.
        take_over: Take the sweep from an owner that cannot be understood, once it is silent.
        code: What it runs with.

    Returns:
        The sweep, or that of its last round.

    Raises:
        SpecError: Its code lives in no file, so that only the process that began it could run it; or it cannot be
            extended.
        StoreError: Another driver runs it.
    """
    progress = DriverLog(progress)
    if wait:
        wait_for_silence(sweep_dir, progress)
    try:
        need_code(sweep_dir, code, changed=force)
    except SpecError:
        if imported_from(sweep_dir.description()) or add or force or retry_failed or not _is_over(sweep_dir):
            raise
        progress.note(f"sweep {sweep_dir.id} is finished: there is nothing to resume")
        return sweep_dir
    how = _How(
        address=address, progress=progress, retry_failed=retry_failed, time_limit=time_limit, code=code, folder=folder
    )
    with own(sweep_dir, take_over=take_over) as held:
        return _resume(store, held, how, add=add, force=force)


def _is_over(sweep_dir: SweepDir) -> bool:
    """Whether all of a sweep without rounds is done, the test of its winner too."""
    plan = sweep_dir.description()["plan"]
    if sweep_dir.visible_files().manifest.state != "finished" or any(
        plan.get(name) for name in ("rounds", "retest", "retested")
    ):
        return False
    return not has_final(sweep_dir) or bool(final_results(sweep_dir))


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """The wishes that hold for the rounds after a sweep too."""

    address: str | None
    progress: DriverLog
    retry_failed: bool
    time_limit: float | None
    code: Code
    folder: Path | None
    """Where the project lies now, for who takes it anew; None: where it was."""


def _resume(store: Store, held: Ownership, how: _How, *, add: int = 0, force: bool = False) -> SweepDir:
    """Go on with a sweep that is ours, and with its rounds."""
    take_up_code(store, held)
    description = held.sweep.description()
    plan = Plan.from_json(description["plan"])
    plan.check_references()  # what is not there is told before anything starts
    searcher_of(plan)  # likewise
    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    check_identity(description["sampler_identity"], sampler.identity())
    need_code(held.sweep, how.code, changed=force)
    plan = _extended(plan, sampler, add) if add else plan
    plan = plan if how.time_limit is None else dataclasses.replace(plan, time_limit=how.time_limit)
    if not _finish(store, held, plan, sampler, how, extended=bool(add), force=force):
        return held.sweep
    if (after := next_sweep(store, held.sweep, plan)) is not None:
        with own(after) as child:
            held.release()
            return _resume(store, child, how)
    if (following := next_plan(store, held.sweep, plan)) is None:
        return held.sweep
    return run_child(
        store,
        held.sweep,
        following,
        held=held,
        address=how.address,
        progress=how.progress,
        command=description["provenance"],
        code=how.code,
    )


def _finish(
    store: Store, held: Ownership, plan: Plan, sampler: Sampler, how: _How, *, extended: bool, force: bool
) -> bool:
    """Run what is left of a sweep; returns whether it came to its end, rather than being stopped before."""
    program, changed = resumed_program(held.sweep, plan, how.progress, how.code, force=force, folder=how.folder)
    amendment: dict[str, Any] = {"trials": plan.trials} if extended else {}
    if changed:
        amendment["code"] = program.digest, pack(program)
        amendment |= {"project": (program.project, program.archive)} if program.project else {}
    redraw(store, held, plan, sampler, how.progress, constraint=constraint_of(program))
    rest = unfinished(store, held.sweep, retry_failed=how.retry_failed)
    with Views(store, [held.sweep]) as before:
        search = search_of(plan, sampler, constraint_of(program), rest=rest, before=before)
    if amendment and not search.source.guided:  # what is refused is refused before it is recorded
        SampledTrials(
            plan, sampler, constraint=constraint_of(program), rest=dataclasses.replace(rest, attempts={})
        ).draw()
    over = not (search.source.waiting or rest.forked) and held.sweep.visible_files().manifest.state == "finished"
    follows = over and (next_sweep(store, held.sweep, plan) or next_plan(store, held.sweep, plan))
    if over and (follows or not program.final or final_results(held.sweep)):
        if not follows:
            how.progress.note(
                f"sweep {held.sweep.id} is finished: there is nothing to resume, but {_more(store, held)}"
            )
        return True
    with session(plan, program, how.address, how.progress), executor_of(plan, program, how.progress) as executor:
        if amendment:
            held.sweep.with_backoff(store_outage.backoff(how.progress.note, lambda: False)).amend(**amendment)
            held.sweep = held.sweep.again()
        with how.progress.kept(held, plan):
            return drive_sweep(store, held, plan, program, search, executor, how.progress)


def _more(store: Store, held: Ownership) -> str:
    """Say what else can be done for a sweep that is finished."""
    if held.sweep.plan.retested is not None:
        return f"caviar retest {held.sweep.id} --repeats 20 adds seeds while it is a tie"
    with Views(store, [held.sweep]) as views:
        failed = int(views.execute("SELECT count(*) FROM trials WHERE state = 'FAILED'").fetchall()[0][0])
    retry = f"--retry-failed runs {counted(failed, 'failed trial')} again, and " if failed else ""
    return f"{retry}--add N adds trials"


def _extended(plan: Plan, sampler: Sampler, add: int) -> Plan:
    """The plan of a sweep with more trials; Plan says when they are too many."""
    if plan.rounds:
        raise SpecError("a sweep in rounds is not extended, but continued: caviar zoom makes its next round")
    if plan.retested is not None:
        raise SpecError(f"a retest is not extended by trials: caviar retest {plan.parent} --repeats 10 adds seeds")
    if sampler.size is not None:
        raise SpecError(
            f"the sampler '{sampler.name}' has {sampler.size:,} points and no more, so the sweep cannot be extended: "
            "start a new sweep, with --set sampler=sobol if it shall grow"
        )
    return dataclasses.replace(plan, trials=plan.trials + add)
