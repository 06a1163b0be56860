"""Puts the rooms together for one sweep: store, executor, scheduler, display."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from caviar.errors import CaviarError, StoreError, SweepInterrupted
from caviar.results.family import twin_of
from caviar.results.next_plan import next_plan
from caviar.results.nobody_stopped import why_nobody_stopped
from caviar.results.retest_plan import on_unused_seeds
from caviar.run import store_outage
from caviar.run.assembly import search_of, searcher_of
from caviar.run.code_to_run import STORED, Code, code_of, need_code
from caviar.run.constraint import constraint_of, rejected_share
from caviar.run.driver_log import DriverLog
from caviar.run.engine.checkpoint_store import StoredCheckpoints
from caviar.run.engine.hopeless import fruitless, misspelt
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.final_test import has_winner, run_final_test
from caviar.run.kept_fingerprints import KeptFingerprints
from caviar.run.ray_cluster import executor_of, session
from caviar.run.run_progress import RunProgress
from caviar.run.signals import on_interrupt, resumable
from caviar.run.stop_requests import LIVE_LOOK_S, LOOK_S, StopRequests
from caviar.run.unmeasured import Unmeasured
from caviar.search.samplers import make_sampler
from caviar.space import live_range
from caviar.spec.code_archive import pack
from caviar.spec.plan import Plan, advice_of
from caviar.store import Store, SweepDir, Views
from caviar.store.checkpoints import discard_unrecorded
from caviar.store.finalize import write_final
from caviar.store.ownership import own
from caviar.store.writer import Writer

if TYPE_CHECKING:
    from caviar.display.progress import ProgressDisplay, SweepStatus
    from caviar.run.assembly import Search
    from caviar.run.executors.executor import Executor
    from caviar.store.ownership import Ownership
    from caviar.store.sweep_keys import SweepKey
    from caviar_workers.messages import Program


def run_sweep(
    plan: Plan,
    program: Program,
    store: PurePath,
    *,
    address: str | None,
    progress: ProgressDisplay,
    provenance: Mapping[str, Any],
    keyed: SweepKey | None = None,
) -> SweepDir:
    """Make a sweep and run it to its end.

    Nothing is written to the store before the sampler, the store and Ray were found to be in order.

    Raises:
        SweepExistsError: The sweep that a key stands for is there.
        CaviarError: See the tree in caviar.errors.
        SweepInterrupted: Ctrl-C, SIGTERM or SIGHUP.
    """
    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    progress = DriverLog(progress)
    for line in advice_of(plan):
        progress.note(f"advice: {line}")
    if rejected := rejected_share(plan, sampler, constraint_of(program)):
        progress.note(rejected)
    if program.reason:
        progress.note(
            f"the functions themselves are sent to the workers: {program.reason}; such a sweep cannot be resumed"
        )
    opened = Store.open(store, create=True)
    return _rounds(
        opened, plan, program, parent=None, address=address, progress=progress, provenance=provenance, keyed=keyed
    )


def hold_parent(parent: SweepDir, purpose: str = "zoomed") -> AbstractContextManager[Ownership | None]:
    """A sweep to be zoomed into, or tested again, ours until its child is, so that nobody else makes that child too.

    One that runs stays its driver's: what it has found so far may be looked at.

    Raises:
        StoreError: Another process does something else with it, such as to zoom into it.
    """
    seen = parent.owner()
    return nullcontext() if seen.alive and seen.purpose == "run" else own(parent, purpose=purpose)


def run_child(  # noqa: PLR0913 — the options of the verb
    store: Store,
    parent: SweepDir,
    plan: Plan,
    *,
    held: Ownership | None,
    address: str | None,
    progress: ProgressDisplay,
    command: Mapping[str, Any],
    code: Code = STORED,
) -> SweepDir:
    """Make a sweep with the code of another one, its parent, and run it to its end; otherwise as `run_sweep`.

    Args:
        store: The store.
        parent: The sweep whose code it is.
        plan: What to run.
        held: The parent, if it is ours: released as soon as its child is.
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
        command: Provenance of the new sweep.
        code: What it runs with.

    Raises:
        SpecError: The code lives in no file, or is not trusted.
        StoreError: There is such a child already.
    """
    need_code(parent, code)
    _check_twin(store, plan)
    program = code_of(parent, code)
    log = DriverLog(progress)
    return _rounds(store, plan, program, parent=held, address=address, progress=log, provenance=command)


def _rounds(  # noqa: PLR0913 — those of `run_sweep`
    store: Store,
    plan: Plan,
    program: Program,
    *,
    parent: Ownership | None,
    address: str | None,
    progress: DriverLog,
    provenance: Mapping[str, Any],
    keyed: SweepKey | None = None,
) -> SweepDir:
    """Make and run the sweep and, each as a child of the one before, its rounds; returns the last.

    A parent is ours until its child is, so that nobody else makes that child too.
    """
    plan.check_references()  # what is not there is told before anything starts
    searcher_of(plan)  # likewise
    with session(plan, program, address, progress), ExitStack() as ours:
        while True:
            with executor_of(plan, program, progress) as executor:  # first: a program or data at fault makes no sweep
                plan = plan if parent is None else on_unused_seeds(store, parent.sweep, plan)
                held = ours.enter_context(own(_create(store, plan, program, provenance, keyed)))
                if parent is not None:
                    parent.release()
                sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
                search = search_of(plan, sampler, constraint_of(program))
                with progress.kept(held, plan):
                    whole = drive_sweep(store, held, plan, program, search, executor, progress)
            following = next_plan(store, held.sweep, plan) if whole else None
            if following is None:
                return held.sweep
            plan, keyed = following, None
            progress.note(said_of(plan, held.sweep))
            parent = held


def said_of(plan: Plan, parent: SweepDir) -> str:
    """What a sweep does that follows another one."""
    if plan.retested is None:
        return f"round {plan.round + 1}: {plan.trials} trials round the best of {parent.id}"
    count, repeats = len(plan.retested.origins), plan.retested.repeats
    if parent.plan.retested is not None:
        return f"retest: the {count} that cannot be told apart, on {repeats} more fresh seeds each"
    return f"retest: the best {count} of {parent.id} again, on {repeats} fresh seeds each"


def _create(
    store: Store, plan: Plan, program: Program, provenance: Mapping[str, Any], keyed: SweepKey | None
) -> SweepDir:
    """Make the sweep in the store."""
    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    description: dict[str, Any] = {
        "plan": plan.to_json(),
        "provenance": dict(provenance),
        "program": {"digest": program.digest, "kind": "function" if program.functions else "source"}
        | ({"reason": program.reason} if program.reason else {}),
        "sampler_identity": sampler.identity(),
    }
    _check_twin(store, plan)  # again: a parent that runs is not ours
    description |= {} if keyed is None else {"key": keyed.key}
    return store.create_sweep(description, pack(program), program.archive, fresh=keyed.sweep if keyed else None)


def _check_twin(store: Store, plan: Plan) -> None:
    if (twin := twin_of(store, plan)) is not None:
        raise StoreError(
            f"sweep {twin.id} is this zoom of {plan.parent} already: go on with it by caviar resume {twin.id}, or zoom "
            "with another --top or --trials"
        )


def _checkpoints(
    store: Store, sweep_dir: SweepDir, plan: Plan, writer: Writer, epoch: int, search: Search
) -> StoredCheckpoints:
    """Who keeps the checkpoints of a sweep, knowing what was rolled back and forked so far."""
    found = StoredCheckpoints(store, sweep_dir, plan, writer, epoch, search.acts.all_cuts, search.acts.forks)
    if plan.breeds:
        search.take_up(found)
    return found


def _ports(executor: Executor, writer: Writer, checkpoints: StoredCheckpoints, prints: KeptFingerprints) -> Ports:
    """All that is kept of a sweep goes to its store."""
    return Ports(
        executor=executor,
        sink=writer,
        checkpoints=checkpoints,
        artifacts=checkpoints.add_artifacts,
        fingerprints=prints,
    )


def drive_sweep(
    store: Store,
    held: Ownership,
    plan: Plan,
    program: Program,
    search: Search,
    executor: Executor,
    progress: ProgressDisplay,
) -> bool:
    """Run the trials of a sweep that is ours, publish what they report, and close it in good order.

    Args:
        store: The store.
        held: The sweep; it stays ours.
        plan: Its plan, as amended.
        program: Its program, as amended.
        search: Its trials, and who judges them.
        executor: Where they run.
        progress: The display.

    Returns:
        Whether it came to its end, rather than being stopped before.
    """
    hurried = threading.Event()
    backoff = store_outage.backoff(progress.note, hurried.is_set)
    store, sweep_dir = store.with_backoff(backoff), held.sweep.with_backoff(backoff)
    looking = held.sweep.with_backoff(store_outage.NONE)
    discard_unrecorded(store, sweep_dir)
    with ExitStack() as parts:
        parts.enter_context(resumable(sweep_dir.id))
        requests = parts.enter_context(closing(StopRequests(looking, held.epoch, look_s=_look_s(plan))))
        writer = parts.enter_context(Writer(sweep_dir, held.epoch, sealing=True))
        checkpoints = parts.enter_context(_checkpoints(store, sweep_dir, plan, writer, held.epoch, search))
        ports = _ports(executor, writer, checkpoints, parts.enter_context(KeptFingerprints(sweep_dir, progress.note)))
        run_progress = RunProgress(
            store, looking, plan, already=search.ended, before=search.source.rest, curves=progress.curves
        )
        unmeasured, slow = Unmeasured(plan.metric, progress.note), store_outage.Slow(progress.note)
        held.stuck = lambda: writer.stuck

        def attend() -> None:
            held.check()
            slow.look(writer)
            requests.attend(scheduler)
            unmeasured.look(scheduler.counters)
            executor.want(scheduler.wanted)
            progress.update(run_progress.read(scheduler))

        def stop() -> None:
            hurried.set()
            scheduler.stop()

        scheduler = Scheduler(plan, sweep_dir.id, search.source, ports, **search.judged, **_pace(plan), on_tick=attend)
        with on_interrupt(stop, writer.hurry) as interrupt, run_progress:
            hopeless = scheduler.run()
            slow.close(writer)  # here, where a second signal is heard
        if scheduler.shutdown.by == "signal":
            said = _farewell(run_progress.read(scheduler), scheduler)
            raise SweepInterrupted(said, interrupt.exit_code, sweep_dir.id)
        held.look()
        progress.update(last := run_progress.read(scheduler))  # with what was read when all was published
        checkpoints.finish()
        if word := _end(store, held, plan, scheduler, failed=hopeless is not None, last=last):
            progress.note(word)
        error = hopeless or _fruitless(store, sweep_dir, plan, scheduler)
        if program.final and not error and _is_last(store, held, plan, scheduler):
            progress.start("testing the winner…")
            run_final_test(store, held, plan, ports, requests.attend, progress.note)
    if error is not None:
        raise error
    return not (scheduler.stopped or scheduler.trials.held)


def _look_s(plan: Plan) -> float:
    """Seconds between two looks for requests: fewer where a trial may be edited."""
    return LIVE_LOOK_S if any(live_range(one) is not None for one in plan.space.values()) else LOOK_S


def _pace(plan: Plan) -> dict[str, Any]:
    """How long the loop's rounds are, where they are not as usual."""
    return {"round_s": LIVE_LOOK_S / 2} if _look_s(plan) == LIVE_LOOK_S else {}


def _is_last(store: Store, held: Ownership, plan: Plan, scheduler: Scheduler) -> bool:
    """Whether no round, retest or further look follows: then all choices are made."""
    if scheduler.shutdown.by in ("user", "pause") or scheduler.trials.held:
        return False  # who stopped the sweep goes on with it, or does not care
    if scheduler.stopped:
        return not (plan.rounds or plan.retest or plan.retested)
    return next_plan(store, held.sweep, plan) is None


def _fruitless(store: Store, sweep_dir: SweepDir, plan: Plan, scheduler: Scheduler) -> CaviarError | None:
    if plan.retested is not None:
        return None  # that all failed on fresh seeds is its verdict
    error = fruitless(scheduler.counters, sweep_dir.id)
    return None if error is None or has_winner(store, sweep_dir) else error


def _end(store: Store, held: Ownership, plan: Plan, scheduler: Scheduler, *, failed: bool, last: SweepStatus) -> str:
    """Make the sweep final; returns what is to be said at the end, empty: nothing."""
    counters = scheduler.counters
    failed = failed or bool(counters.reported and not scheduler.stopped and misspelt(counters))
    write_final(held.sweep, held.epoch, "failed" if failed else None)
    if scheduler.stopped:
        return _farewell(last, scheduler)
    if held_back := scheduler.trials.held:
        which = ", ".join(map(str, held_back[:5])) + (", …" if len(held_back) > 5 else "")
        return f"paused: only trial {which} is left, and waits for you; go on with: caviar resume {last.sweep}"
    if not plan.stopping:
        return ""
    with Views(store, [held.sweep]) as views:
        judged = scheduler.judged or not plan.halves
        return why_nobody_stopped(views, plan.metric, plan.stopping, judged=judged)


def _farewell(last: SweepStatus, scheduler: Scheduler) -> str:
    ended, left = scheduler.counters.ended, last.planned - last.done
    why = {"signal": "interrupted", "user": "stopped", "time_limit": "out of time", "pause": "paused"}[
        scheduler.shutdown.by
    ]
    lack = f"; {last.lack}" if last.lack else ""
    return (
        f"{why}: {ended} trial{'' if ended == 1 else 's'} ended, {left} of {last.planned} are left, "
        f"and all that was reported is saved{lack}; go on with: caviar resume {last.sweep}"
    )
