"""Puts the rooms together for one sweep: store, executor, scheduler, display."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from caviar.drive import outage
from caviar.drive.advice import adviser_of
from caviar.drive.constrained import constraint_of, rejected_share
from caviar.drive.desk import Desk
from caviar.drive.finale import run_finale
from caviar.drive.gauge import Gauge
from caviar.drive.session import executor_of, session
from caviar.drive.signals import on_interrupt
from caviar.drive.unmeasured import Unmeasured
from caviar.errors import SpecError, SweepInterrupted
from caviar.lineage import next_round
from caviar.plan import Plan, doubtful
from caviar.program import pack, unpack
from caviar.sampling import make_sampler
from caviar.schedule.scheduler import Scheduler
from caviar.schedule.supply import Supply
from caviar.schedule.vault import Vault
from caviar.schedule.verdict import fruitless
from caviar.secret import resolved
from caviar.store import Store, SweepDir
from caviar.store.checkpoints import discard_unrecorded
from caviar.store.finalize import finalize
from caviar.store.writer import Writer

if TYPE_CHECKING:
    from caviar.execute.executor import Executor
    from caviar.schedule.adviser import Adviser
    from caviar.show.progress import Progress, Snapshot
    from caviar_workers.messages import Program

NO_CHANGE: Mapping[str, Any] = {}


def run_sweep(
    plan: Plan,
    program: Program,
    store: PurePath,
    *,
    address: str | None,
    progress: Progress,
    provenance: Mapping[str, Any],
) -> SweepDir:
    """Make a sweep and run it to its end.

    Nothing is written to the store before the sampler, the store and Ray were found to be in order.

    Raises:
        CaviarError: See the tree in caviar.errors.
        SweepInterrupted: Ctrl-C, SIGTERM or SIGHUP.
    """
    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    for line in doubtful(plan):
        progress.note(line)
    if rejected := rejected_share(plan, sampler, constraint_of(program)):
        progress.note(rejected)
    if program.reason:
        progress.note(
            f"the functions themselves are sent to the workers: {program.reason}; such a sweep cannot be resumed"
        )
    opened = Store.open(store, create=True)
    return _rounds(opened, plan, program, address=address, progress=progress, provenance=provenance)


def run_child(
    store: Store, parent: SweepDir, plan: Plan, *, address: str | None, progress: Progress, command: Mapping[str, Any]
) -> SweepDir:
    """Make a sweep with the code of another one, its parent, and run it to its end; otherwise as `run_sweep`.

    Args:
        store: The store.
        parent: The sweep whose code it is.
        plan: What to run.
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
        command: Provenance of the new sweep.

    Raises:
        SpecError: The code lives in no file.
    """
    need_source(parent)
    return _rounds(store, plan, unpack(parent.code()), address=address, progress=progress, provenance=command)


def _rounds(
    store: Store,
    plan: Plan,
    program: Program,
    *,
    address: str | None,
    progress: Progress,
    provenance: Mapping[str, Any],
) -> SweepDir:
    """Make and run the sweep and, each as a child of the one before, its rounds; returns the last."""
    resolved(plan.train_args)  # what is not there is told before anything starts
    with session(plan, address, progress):
        while True:
            with executor_of(plan, program, progress) as executor:  # first: a program or data at fault makes no sweep
                sweep_dir, supply, adviser = _begin(store, plan, program, provenance)
                whole = drive_sweep(store, sweep_dir, plan, program, supply, executor, progress, adviser=adviser)
            if not plan.rounds or not whole:
                return sweep_dir
            plan = next_round(store, sweep_dir, plan)
            progress.note(f"round {plan.round + 1}: {plan.trials} trials round the best of {sweep_dir.id}")


def _begin(
    store: Store, plan: Plan, program: Program, provenance: Mapping[str, Any]
) -> tuple[SweepDir, Supply, Adviser]:
    """Make the sweep in the store."""
    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    description = {
        "plan": plan.to_json(),
        "provenance": dict(provenance),
        "program": {"digest": program.digest, "kind": "function" if program.functions else "source"}
        | ({"reason": program.reason} if program.reason else {}),
        "sampler_identity": sampler.identity(),
    }
    sweep_dir = store.create_sweep(description, pack(program))
    adviser, asks = adviser_of(plan, store, sweep_dir, sampler)
    return sweep_dir, Supply(plan, sampler, constraint=constraint_of(program), asks=asks), adviser


def need_source(sweep_dir: SweepDir) -> None:
    """See that the code of a sweep lies in files; SpecError when it does not."""
    program = sweep_dir.description()["program"]
    if program["kind"] == "function":
        if reason := program.get("reason"):
            raise SpecError(
                f"sweep {sweep_dir.id} was started from functions that its file does not give again ({reason}): let "
                "the file give them when it is imported, with values by train_args, and run that"
            )
        raise SpecError(
            f"sweep {sweep_dir.id} was started from functions that live in no file, such as a notebook's: "
            "put train into a file and run that"
        )


def drive_sweep(  # noqa: PLR0913 — the parts that it puts together
    store: Store,
    sweep_dir: SweepDir,
    plan: Plan,
    program: Program,
    supply: Supply,
    executor: Executor,
    progress: Progress,
    *,
    adviser: Adviser,
    amendment: Mapping[str, Any] = NO_CHANGE,
) -> bool:
    """Own the sweep, run its trials, publish what they report, and close it in good order.

    Args:
        store: The store.
        sweep_dir: The sweep.
        plan: Its plan, as amended.
        program: Its program, as amended.
        supply: Its trials.
        executor: Where they run.
        progress: The display.
        adviser: Judges trials that run.
        amendment: What is to be recorded as changed, once the sweep is ours; see `SweepDir.amend`.

    Returns:
        Whether it came to its end, rather than being stopped before.
    """
    hurried = threading.Event()
    looking, patience = sweep_dir.patient(outage.NONE), outage.patience(progress.note, hurried.is_set)
    store, sweep_dir = store.patient(patience), sweep_dir.patient(patience)
    epoch = sweep_dir.claim()
    try:
        if amendment:
            sweep_dir.amend(**amendment)
        discard_unrecorded(store, sweep_dir)
        with Writer(sweep_dir, epoch, sealing=True) as writer:
            desk = Desk(looking, epoch)
            vault = Vault(store, sweep_dir, plan, writer, epoch)
            gauge = Gauge(store, looking, plan, already=plan.trials - supply.waiting, curves=progress.curves)

            unmeasured = Unmeasured(plan.metric, progress.note)

            def attend() -> None:
                desk.attend(scheduler)
                unmeasured.look(scheduler.tally)
                progress.update(gauge.read(scheduler))

            scheduler = Scheduler(
                plan, sweep_dir.id, supply, executor, writer, adviser=adviser, vault=vault, on_tick=attend
            )

            def stop() -> None:
                hurried.set()
                scheduler.stop()

            with on_interrupt(stop) as interrupt:
                hopeless = scheduler.run()
            last = gauge.read(scheduler)
            progress.update(last)
            if scheduler.closing.by == "signal":
                raise SweepInterrupted(_farewell(last, scheduler), interrupt.exit_code)
        vault.close()
        finalize(sweep_dir, epoch, "failed" if hopeless else None)
        if word := _word(plan, adviser, scheduler, last):
            progress.note(word)
        # Who stopped the sweep goes on with it, or does not care.
        if program.final and not (plan.rounds or hopeless) and scheduler.closing.by != "user":
            progress.start("testing the winner…")
            run_finale(store, sweep_dir, plan, executor)
    finally:
        sweep_dir.release(epoch)
    error = hopeless or fruitless(scheduler.tally)
    if error is not None:
        raise error
    return not scheduler.stopped


def _word(plan: Plan, adviser: Adviser, scheduler: Scheduler, last: Snapshot) -> str:
    """What is to be said at the end; empty: nothing."""
    if scheduler.stopped:
        return _farewell(last, scheduler)
    if plan.halves and not adviser.judged:
        return f"{plan.stopping} judged nobody: trials that end within a second are over before their rows arrive"
    return ""


def _farewell(last: Snapshot, scheduler: Scheduler) -> str:
    ended, left = scheduler.tally.ended, last.planned - last.done
    why = {"signal": "interrupted", "user": "stopped", "time_limit": "out of time"}[scheduler.closing.by]
    return (
        f"{why}: {ended} trial{'' if ended == 1 else 's'} ended, {left} of {last.planned} are left, "
        f"and all that was reported is saved; go on with: caviar resume {last.sweep}"
    )
