"""Runs the retest of a sweep, or goes on with one that is interrupted, or not decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.errors import StoreError
from caviar.results.family import newest_retest, searched
from caviar.results.retest_plan import begun, first_look, next_look
from caviar.run.driver import hold_parent, need_source, run_child
from caviar.run.resume import resume_sweep
from caviar.run.trust import Trust, nobody
from caviar.spec.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caviar.display.progress import ProgressDisplay
    from caviar.store import Store, SweepDir


def retest_sweep(  # noqa: PLR0913 — the options of the verb
    store: Store,
    sweep: SweepDir,
    *,
    k: int,
    repeats: int,
    rule: str | None = None,
    address: str | None,
    progress: ProgressDisplay,
    command: Mapping[str, Any],
    trust: Trust = nobody,
) -> SweepDir:
    """Train the best of a sweep again on seeds that nobody has looked at, until one wins or the seeds are used up.

    A retest of the same configurations that is there already is gone on with: its interrupted trials are run, and more
    seeds are added while it is a tie.

    Args:
        store: The store.
        sweep: The sweep, which has ended; of a retest, what it retests is meant.
        k: How many configurations.
        repeats: Seeds of each: 5, 10 or 20.
        rule: Which value of a curve counts; None: the sweep's own.
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
        command: Provenance of the new sweeps.
        trust: Asked whether code of somebody else may run.

    Returns:
        The newest part of the retest.

    Raises:
        NoResultError: No trial has a usable value.
        SpecError: The code lives in no file, or is not trusted.
        StoreError: The sweep runs.
    """
    sweep = searched(store, sweep)
    need_source(sweep)
    if sweep.state() == "running":
        raise StoreError(f"sweep {sweep.id} runs: test its best again when it has ended, or stop it: caviar stop")
    how: dict[str, Any] = {"address": address, "progress": progress, "command": command, "trust": trust}
    with hold_parent(sweep, "retested") as held:
        wanted = first_look(store, sweep, k=k, repeats=repeats, rule=rule)
        old = begun(store, sweep, wanted)
        if old is None:
            progress.note(f"retest: the best {k} of {sweep.id} again, on {wanted.trials // k} fresh seeds each")
            return run_child(store, sweep, wanted, held=held, **how)
    newest = newest_retest(store, old) or old
    if newest.state() != "finished":
        newest = resume_sweep(store, newest, address=address, progress=progress, trust=trust)
    with hold_parent(newest, "retested") as held:
        more = next_look(store, newest, Plan.from_json(newest.description()["plan"]), repeats=repeats)
        if more is None:
            progress.note(f"sweep {sweep.id} was tested again already: there is nothing to run")
            return newest
        return run_child(store, newest, more, held=held, **how)
