"""After the search: the sweep's `final` function, once, for the winner alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from caviar.errors import CaviarError, NotFoundError
from caviar.execute.executor import LeaseEnded, LeaseSpoke
from caviar.plan import Plan
from caviar.results.family import ancestors, best_of_family
from caviar.sampling import List, typed
from caviar.secret import referred, resolved
from caviar.store import Views
from caviar.store.checkpoints import newest_restorable
from caviar.store.finals import add_final, finals
from caviar_workers.failure import headline
from caviar_workers.messages import Lease
from caviar_workers.tables import CURVES

if TYPE_CHECKING:
    from caviar.execute.executor import Executor
    from caviar.store import Store, SweepDir
    from caviar.store.ownership import Ownership

_NOTHING = "the sweep is complete, but its final function measured nothing: let it return a dict of metrics"


def run_finale(store: Store, held: Ownership, plan: Plan, executor: Executor) -> None:
    """Run `final` for the winner of the sweep and its ancestors, and keep its numbers beside the sweep.

    The sweep is ours, and stays it until the numbers are stored. So no two processes test a winner at once, and none
    whose numbers are stored is tested again. A test that was cut short, and so told nobody anything, is run again.

    Its `trial.load()` gives the winner's last checkpoint.

    Raises:
        CaviarError: `final` raised, or gave no metric: nothing is stored, so that it runs again once it is mended.
        StoreError: Another process took the sweep over; nothing is stored then.
    """
    line = ancestors(store, held.sweep)
    rule, best = best_of_family(store, line, k=1)
    if not best:
        return
    winner, home = best[0].candidate, best[0].sweep
    if any(final["trial"] == winner.trial and final["sweep"] == home.id for final in _tests(line)):
        return
    with Views(store, [home]) as views:
        found = views.execute(f'SELECT u, "index" FROM configs WHERE trial = {winner.trial}')
        point, index = found.fetchall()[0]
    its = Plan.from_json(home.description()["plan"])
    own = typed(its.sampler.configs if isinstance(its.sampler, List) else (), np.array([index]))
    restore = newest_restorable(store, home, [winner.trial])
    lease = Lease(
        id=-1,
        sweep=held.sweep.id,
        metric="",
        trials=(winner.trial,),
        attempts=(0,),
        seeds=(winner.seed,),
        configs={name: (value,) for name, value in its.space.config(point, own.get(0)).items()},
        train_args=resolved(plan.train_args),
        hidden=tuple(referred(plan.train_args)),
        cpus=plan.cpus,
        gpus=plan.gpus,
        fresh=plan.process == "fresh",
        restore=restore,
        final=True,
    )
    tested = {
        "sweep": home.id,
        "trial": winner.trial,
        "value": winner.value,
        "rule": rule,
        "metrics": _run(executor, lease, held),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    held.look()
    add_final(held.sweep, tested)


def has_winner(store: Store, sweep: SweepDir) -> bool:
    """Whether a trial has a usable result, as `caviar best` sees it: where none completed, a stopped one may."""
    try:
        return bool(best_of_family(store, [sweep], k=1)[1])
    except NotFoundError:
        return False


def _tests(line: list[SweepDir]) -> list[dict[str, Any]]:
    """What was tested in a line of sweeps, each with the sweep of its winner."""
    return [{"sweep": one.id, **final} for one in line for final in finals(one)]


def _run(executor: Executor, lease: Lease, held: Ownership) -> dict[str, float]:
    """The metrics that `final` returned or reported, each at its last value."""
    executor.submit(lease)
    metrics: dict[str, float] = {}
    while True:
        held.check()
        for event in executor.poll(0.5):
            if event.lease != lease.id:
                continue
            if isinstance(event, LeaseEnded):
                if event.kind == "refused" and event.failure is not None:
                    executor.submit(lease)
                    continue
                if event.failure is not None:
                    raise CaviarError(f"the sweep is complete, but its final function failed: {event.failure}")
                if not metrics:
                    raise CaviarError(_NOTHING)
                return metrics
            metrics |= _last_values(event)
            _check(event)


def _last_values(event: LeaseSpoke) -> dict[str, Any]:
    if not event.batch.curves:
        return {}
    table = pa.ipc.open_stream(event.batch.curves).read_all()
    names = [name for name in table.column_names if name not in CURVES.names]
    columns = {name: table[name].drop_null() for name in names}
    return {name: column[-1].as_py() for name, column in columns.items() if len(column)}


def _check(event: LeaseSpoke) -> None:
    if not event.batch.attempts:
        return
    for row in pa.ipc.open_stream(event.batch.attempts).read_all().to_pylist():
        if row["state"] == "FAILED" and row["kind"] != "metric":  # it need not report the sweep's metric
            line = headline(row["error"] or "")
            raise CaviarError(f"the sweep is complete, but its final function raised {line}")
