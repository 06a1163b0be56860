"""Runs the retest of a sweep, or goes on with one that is interrupted, or not decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.results.family import newest_retest, searched
from caviar.results.retest import retest_document
from caviar.results.retest_plan import as_before, begun, first_look, next_look
from caviar.run.code_to_run import STORED, Code, has_final, need_code
from caviar.run.driver import run_child, said_of
from caviar.run.resume import resume_sweep
from caviar.spec.plan import Plan
from caviar.store.final_tests import final_results
from caviar.store.ownership import own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caviar.display.progress import ProgressDisplay
    from caviar.store import Store, SweepDir


def retest_sweep(  # noqa: PLR0913 — the options of the verb
    store: Store,
    sweep: SweepDir,
    *,
    k: int | None,
    repeats: int,
    rule: str | None = None,
    address: str | None,
    progress: ProgressDisplay,
    command: Mapping[str, Any],
    code: Code = STORED,
) -> SweepDir:
    """Train the best of a sweep again on seeds that nobody has looked at, until one wins or the seeds are used up.

    A retest of the same configurations that is there already is gone on with: its interrupted trials are run, and more
    seeds are added while it is a tie.

    Args:
        store: The store.
        sweep: The sweep, which has ended; of a retest, what it retests is meant.
        k: How many configurations; None: as many as the newest retest began with, or 5.
        repeats: Seeds of each: 5, 10 or 20.
        rule: Which value of a curve counts; None: that of the newest retest, or the sweep's own.
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
        command: Provenance of the new sweeps.
        code: What it runs with.

    Returns:
        The newest part of the retest.

    Raises:
        NoResultError: No trial has a usable value.
        SpecError: The code lives in no file, or is not trusted.
        StoreError: The sweep runs.
    """
    sweep = searched(store, sweep)
    need_code(sweep, code)
    how: dict[str, Any] = {"address": address, "progress": progress, "command": command, "code": code}
    with own(sweep, purpose="retested") as held:
        before = as_before(store, sweep) or (5, None)
        wanted = first_look(store, sweep, k=k or before[0], repeats=repeats, rule=rule or before[1])
        old = begun(store, sweep, wanted)
        if old is None:
            progress.note(said_of(wanted, sweep))
            return run_child(store, sweep, wanted, held=held, **how)
    newest = newest_retest(store, old) or old
    whole = newest.state() == "finished" and (not has_final(newest) or bool(final_results(newest)))
    if not whole:
        newest = resume_sweep(store, newest, address=address, progress=progress, code=code)
    with own(newest, purpose="retested") as held:
        more = next_look(store, newest, Plan.from_json(newest.description()["plan"]), repeats=repeats)
        if more is not None:
            progress.note(said_of(more, newest))
            return run_child(store, newest, more, held=held, **how)
    if whole:
        progress.note(_nothing(store, sweep, newest))
    return newest


def _nothing(store: Store, sweep: SweepDir, newest: SweepDir) -> str:
    """Say that a retest is over, and how seeds are added to it, where that may decide it."""
    found = retest_document(store, newest)
    again = f"sweep {sweep.id} was tested again already, on {found.seeds} fresh seeds each: there is nothing to run"
    if found.verdict not in {"tie", "measured"} or found.next_seeds is None:
        return again
    return f"{again}, but caviar retest {sweep.id} --repeats {found.next_seeds} adds seeds"
