"""After the search: the sweep's `final` function, once, for the winner alone.

It is scheduled as any other work: with the time limit of a trial, other attempts where its process dies, and an ear for
Ctrl-C and `caviar stop`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from caviar.errors import CaviarError, NotFoundError, SweepInterrupted
from caviar.results.edits import standing
from caviar.results.family import ancestors, best_of_family, kin
from caviar.results.finals import finals_of_kin
from caviar.results.open_sweep import open_sweep
from caviar.results.retest import retest_document
from caviar.run.engine import stored_trial
from caviar.run.engine.background import done
from caviar.run.engine.ports import NoWayBack, Ports, Unpublished
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import GivenTrials
from caviar.run.engine.work import Kept, Work
from caviar.run.function_output import show_output
from caviar.run.signals import on_interrupt
from caviar.spec.plan import Plan
from caviar.store import Views
from caviar.store.final_tests import add_final
from caviar.store.manifest import now
from caviar.store.origins import may_go_on_from, origins_of, with_bytes
from caviar_workers.failure import headline
from caviar_workers.states import Failure, State
from caviar_workers.tables import FIELDS

if TYPE_CHECKING:
    import pyarrow as pa

    from caviar.store import Store, SweepDir
    from caviar.store.ownership import Ownership
    from caviar_workers.checkpoint import Save
    from caviar_workers.messages import Origin

_COMPLETE = "the sweep is complete, but its final"
_NOTHING = f"{_COMPLETE} function measured nothing: let it return a dict of metrics"


def run_final_test(
    store: Store,
    held: Ownership,
    plan: Plan,
    ports: Ports,
    attend: Callable[[Scheduler], None],
    note: Callable[[str], None] = lambda _: None,
) -> None:
    """Run `final` for the winner of the sweep and its ancestors, and keep its numbers beside the sweep.

    The sweep is ours, and stays it until the numbers are stored. So no two processes test a winner at once, and none
    whose numbers are stored is tested again. A test that was cut short, and so told nobody anything, is run again.

    Its `trial.load()` gives the winner's last checkpoint.

    Args:
        store: The store.
        held: The sweep.
        plan: Its plan.
        ports: Where it ran.
        attend: Called several times a second, to hear what others ask.
        note: Shows a line of what it prints.

    Raises:
        CaviarError: `final` raised, was stopped, or gave no metric: nothing is stored, so that it runs again once it is
            mended.
        StoreError: Another process took the sweep over; nothing is stored then.
        SweepInterrupted: Ctrl-C, SIGTERM or SIGHUP.
    """
    try:
        winner = winner_of(store, held.sweep)
    except NotFoundError as error:
        note(str(error))
        return
    if winner is None:
        return
    tested = [(one["sweep"], one["trial"]) for one in finals_of_kin(store, held.sweep)]
    if (winner.sweep.id, winner.trial) in tested:
        return
    if tested:
        note(f"look {len(tested) + 1} at the test set: t{tested[0][1]} was measured on it before")
    told = FinalTestSink(winner.sweep, _origins(store, winner))
    alone = replace(
        ports,
        sink=told,
        checkpoints=told,
        artifacts=lambda _: note("what final gives to trial.keep() is not kept: let train call it"),
    )
    try:
        _run(held, plan, _work(store, winner), alone, attend)
    finally:
        show_output(note, "final", told.said)
    if not told.metrics:
        raise CaviarError(_NOTHING)
    found = {
        "sweep": winner.sweep.id,
        "trial": winner.trial,
        "value": winner.value,
        "rule": winner.rule,
        "metrics": told.metrics,
        "looks": len(set(tested)) + 1,
        "when": now(),
    }
    held.check()
    add_final(held.sweep, found)


def has_winner(store: Store, sweep_dir: SweepDir) -> bool:
    """Whether the sweep, or one of its ancestors, has a trial to be proud of."""
    try:
        return bool(best_of_family(store, ancestors(store, sweep_dir), k=1)[1])
    except NotFoundError:
        return False


def _origins(store: Store, winner: Winner) -> dict[int, tuple[Origin, ...]]:
    """What the winner's `trial.load()` may give."""
    return origins_of(store, winner.sweep, may_go_on_from(store, winner.sweep, [winner.trial]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The trial that is measured: as the sweep ran it, seed and all."""

    sweep: SweepDir
    trial: int
    value: float | None
    """By the rule; after a retest, what its fresh seeds are worth."""
    rule: str


def winner_of(store: Store, sweep: SweepDir) -> Winner | None:
    """The winner of a sweep and those that it was zoomed out of, or of a retest; None: it has none.

    Raises:
        NotFoundError: The sweep that it comes from was removed.
    """
    if sweep.plan.retested is None:
        rule, best = best_of_family(store, ancestors(store, sweep), k=1)
        if not best:
            return None
        one = best[0].candidate
        return Winner(sweep=best[0].sweep, trial=one.trial, value=one.value, rule=rule)
    verdict = retest_document(store, sweep)
    first = verdict.winner
    if first is None:
        return None
    home = next((one for one in kin(store, sweep) if one.id == first.sweep), None)
    if home is None:
        raise NotFoundError(
            f"the winner of the retest, t{first.trial} of {first.sweep}, cannot be trained as it was, for that sweep "
            f"was removed: its configuration is shown by caviar retest {sweep.id} --show"
        )
    rule = f"{verdict.rule}, retest on {verdict.seeds} fresh seeds: {verdict.verdict}"
    return Winner(sweep=home, trial=first.trial, value=first.value, rule=rule)


def _work(store: Store, winner: Winner) -> Work:
    """The winner, as its configuration was drawn, and as it was edited since."""
    config, seed = drawn(store, winner.sweep, winner.trial)
    with open_sweep(store, winner.sweep, lambda _: None) as opened:
        taken = tuple(one for one in standing(opened, winner.trial).changes if one.settled)
    return Work(
        trials=(winner.trial,),
        attempts=(0,),
        seeds=(seed,),
        configs={name: (value,) for name, value in config.items()},
        changes={winner.trial: taken} if taken else {},
        final=True,
    )


def drawn(store: Store, home: SweepDir, trial: int) -> tuple[dict[str, Any], int]:
    """The configuration of a trial as it was drawn, to the last bit, in the types that train gets; and its seed."""
    with Views(store, [home]) as views:
        return stored_trial.drawn(views, Plan.from_json(home.description()["plan"]), trial)


def _run(held: Ownership, plan: Plan, work: Work, ports: Ports, attend: Callable[[Scheduler], None]) -> None:
    """Have the work done, in as many attempts as a trial has."""
    alone = replace(
        replace(plan, retested=None, relation=None, parent=None, trials=1) if plan.retested else plan,
        trials=1,
        stopping="",
        searcher="",
        time_limit=None,
        max_failures=None,
        stop_on_divergence=False,
    )

    def tick() -> None:
        held.check()
        attend(scheduler)

    scheduler = Scheduler(alone, held.sweep.id, GivenTrials(work), ports, on_tick=tick)
    with on_interrupt(scheduler.stop) as interrupt:
        scheduler.run()
    if scheduler.shutdown.by == "signal":
        again = f"caviar resume {held.sweep.id} runs it again"
        raise SweepInterrupted(f"{_COMPLETE} test was interrupted: {again}", interrupt.exit_code, held.sweep.id)
    if scheduler.stopped or scheduler.counters.stopped:
        raise CaviarError(f"{_COMPLETE} test was stopped: caviar resume {held.sweep.id} runs it again")
    for _, kind, error in scheduler.counters.first_errors:
        what = f"raised {headline(error)}" if kind in (Failure.ERROR, Failure.OOM) else f"failed: {error}"
        raise CaviarError(f"{_COMPLETE} function {what}")


class FinalTestSink(Unpublished, NoWayBack):
    """Stands in for the store while a winner is tested: keeps what the test reports, gives the winner's checkpoint."""

    def __init__(self, home: SweepDir, restore: Mapping[int, tuple[Origin, ...]]) -> None:
        self._home = home
        self._restore = dict(restore)
        self.metrics: dict[str, Any] = {}
        """Each metric's last value, of the attempt that completed."""
        self.said = ""
        """What all attempts printed, with their tracebacks."""
        self._latest: dict[str, Any] = {}

    def add(self, table: str, data: pa.Table) -> None:
        """Keep the last values of an attempt that completes."""
        if table == "curves":
            for name in [name for name in data.column_names if name not in FIELDS["curves"]]:
                if len(values := data[name].drop_null()):
                    self._latest[name] = values[-1].as_py()
        elif table == "attempts":
            for state in data["state"].to_pylist():
                self.metrics = self._latest if state == State.COMPLETED else self.metrics
                self._latest = self._latest if state == State.RUNNING else {}
            self.said += "".join(f"\n{error}\n" for error in data["error"].to_pylist() if error)
        elif table == "logs":
            self.said += "".join(data["text"].to_pylist())

    def add_saves(self, saves: Sequence[Save]) -> None:
        """Let checkpoints go: a test that is cut short begins anew."""

    def forget(self, trials: Iterable[int]) -> None:
        """Do nothing."""

    def process_died(self, lease: int) -> None:
        """Do nothing."""

    def look_up(self, work: Work) -> Future[Kept]:
        """Give the winner's checkpoint, at each attempt."""
        return done(Kept(restore=self._restore))

    def bring(self, trials: Iterable[int]) -> None:
        """Read the winner's checkpoint here."""
        self._restore = {trial: with_bytes(self._home, some) for trial, some in self._restore.items()}
