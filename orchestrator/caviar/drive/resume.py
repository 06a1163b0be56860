"""Going on with a sweep: what is not finished, and, where that is asked for, more trials or other code."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caviar.drive.advice import adviser_of
from caviar.drive.constrained import constraint_of
from caviar.drive.drive import drive_sweep, need_source, run_child
from caviar.drive.session import executor_of, session
from caviar.drive.unfinished import unfinished
from caviar.errors import SpecError, StoreError
from caviar.lineage import children, next_round
from caviar.plan import Plan
from caviar.program import ROLES, pack, program_of_file, unpack
from caviar.sampling import check_identity, make_sampler
from caviar.schedule.supply import Supply
from caviar.secret import resolved
from caviar.store.finals import finals
from caviar_workers.load import load_function

if TYPE_CHECKING:
    from caviar.sampling import Sampler
    from caviar.show.progress import Progress
    from caviar.store import Store, SweepDir
    from caviar_workers.messages import Program


def resume_sweep(  # noqa: PLR0913 — the options of the verb
    store: Store,
    sweep_dir: SweepDir,
    *,
    address: str | None,
    progress: Progress,
    retry_failed: bool = False,
    time_limit: float | None = None,
    add: int = 0,
    force: bool = False,
) -> SweepDir:
    """Run the trials of a sweep that are not finished, with the code that it began with, and the rounds after it.

    Args:
        store: The store.
        sweep_dir: The sweep.
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
        retry_failed: Run failed trials again too, each at its next attempt.
        time_limit: Seconds for this run; None: as long as the sweep says.
        add: Trials by which the sweep is extended, ≥ 0: those that a longer sweep would have had.
        force: Take the experiment's file as it is now, and record it.

    Returns:
        The sweep, or that of its last round.

    Raises:
        SpecError: Its code lives in no file, so that only the process that began it could run it; or it cannot be
            extended.
        StoreError: Another driver runs it.
    """
    description = sweep_dir.description()
    plan = Plan.from_json(description["plan"])
    resolved(plan.train_args)  # what is not there is told before anything starts
    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    check_identity(description["sampler_identity"], sampler.identity())
    need_source(sweep_dir)
    if sweep_dir.owner_alive():
        raise StoreError(f"sweep {sweep_dir.id} is running in another process: type caviar status {sweep_dir.id}")
    plan = _extended(plan, sampler, add) if add else plan
    plan = plan if time_limit is None else dataclasses.replace(plan, time_limit=time_limit)
    program, changed = _program(sweep_dir, force, progress)
    amendment: dict[str, Any] = {"trials": plan.trials} if add else {}
    if changed:
        amendment["code"] = program.digest, pack(program)
    rest = unfinished(store, sweep_dir, retry_failed=retry_failed)
    adviser, asks = adviser_of(plan, store, sweep_dir, sampler)
    supply = Supply(plan, sampler, constraint=constraint_of(program), rest=rest, asks=asks)
    tested = not program.final or bool(plan.rounds) or bool(finals(sweep_dir))
    if not supply.waiting and tested and sweep_dir.state() == "finished":
        if not plan.rounds:
            progress.note(f"sweep {sweep_dir.id} is finished: there is nothing to resume, but --add N adds trials")
    else:
        with session(plan, address, progress), executor_of(plan, program, progress) as executor:
            parts = store, sweep_dir, plan, program, supply, executor, progress
            if not drive_sweep(*parts, adviser=adviser, amendment=amendment):
                return sweep_dir
    if not plan.rounds:
        return sweep_dir
    after = [one for one in children(store, sweep_dir) if one.description()["plan"]["round"] == plan.round + 1]
    if after:
        return resume_sweep(
            store, after[0], address=address, progress=progress, retry_failed=retry_failed, time_limit=time_limit
        )
    plan = next_round(store, sweep_dir, plan)
    return run_child(store, sweep_dir, plan, address=address, progress=progress, command=description["provenance"])


def _extended(plan: Plan, sampler: Sampler, add: int) -> Plan:
    """The plan of a sweep with more trials; Plan says when they are too many."""
    if plan.rounds:
        raise SpecError("a sweep in rounds is not extended, but continued: caviar zoom makes its next round")
    if sampler.size is not None:
        raise SpecError(
            f"the sampler '{sampler.name}' has {sampler.size:,} points and no more, so the sweep cannot be extended: "
            "start a new sweep, with --set sampler=sobol if it shall grow"
        )
    return dataclasses.replace(plan, trials=plan.trials + add)


def _program(sweep_dir: SweepDir, force: bool, progress: Progress) -> tuple[Program, bool]:
    """The program to go on with, and whether it is another than before."""
    stored = unpack(sweep_dir.code())
    path = Path(stored.files[stored.module][0])
    if not path.is_file():
        if force:
            raise SpecError(f"--force takes the experiment as it is now, but there is no {path}: leave --force out")
        return stored, False  # on another machine, say
    present = _present(stored, path, force)
    if present is not None and present.digest == stored.digest:
        return stored, False
    if not force or present is None:
        progress.note(
            f"{path} has changed since: going on with the code that the sweep began with (--force takes the new one)"
        )
        return stored, False
    progress.note(f"going on with {path} as it is now: trials from here on may differ from those before")
    return present, True


def _present(stored: Program, path: Path, force: bool) -> Program | None:
    """The program as its file is now; None: it cannot be read, and nobody insists on it."""
    package = "" if stored.module.startswith("_experiment_") else stored.module.rpartition(".")[0]
    try:
        names: dict[str, Any] = {role: getattr(stored, role) for role in ROLES}
        found = dataclasses.replace(program_of_file(path, package=package), **names)
        if force and found.digest != stored.digest:
            for name in filter(None, names.values()):
                load_function(found, name)
    except Exception as error:
        if force:
            raise SpecError(f"--force takes {path} as it is now, which cannot be run: {error}") from error
        return None
    return found
