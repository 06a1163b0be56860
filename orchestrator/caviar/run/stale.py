"""Which winners nobody has looked at for long, and what has changed since: reasons to look again, and no verdicts."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from caviar.errors import NotFoundError, SpecError, StoreError
from caviar.results.family import searched
from caviar.results.fingerprint_changes import changes
from caviar.results.imported import imported_from
from caviar.results.open_sweep import say_not_shown
from caviar.results.selector import select
from caviar.run.code_to_run import program_to_read, strangers
from caviar.spec.code_today import program_today, unchanged
from caviar.spec.command_source import MODULE as COMMAND
from caviar.spec.command_source import changed_files
from caviar.store import Views
from caviar.store.drift_checks import drift_checks
from caviar.store.fingerprints import fingerprints
from caviar_workers.distributions import installed_versions
from caviar_workers.fingerprint import this_machine
from caviar_workers.messages import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caviar.results.drift import CanaryDocument
    from caviar.results.open_sweep import Say
    from caviar.store import Store, SweepDir
    from caviar_workers.messages import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleWinner:
    """The winner of a sweep, and what has changed since it was trained.

    Attributes:
        sweep: its id.
        name: its name.
        metric: what ranks the trials.
        trial: the winner, of the newest retest if there is one, or else by the sweep's own rule.
        home: the sweep that it is a trial of; another one where the winner was found before a zoom.
        value: what it was worth then; of a retest, by its fresh seeds.
        retested: whether a retest picked it.
        looked: when one of its trainings, or of a retest, began or ended last, or it was checked for drift.
        days: since then.
        stale: whether that is longer ago than was asked for.
        code: `same`, `changed` or `unknown`: the experiment's files today, beside what the sweep stored.
        changed: libraries and machine, here beside where it was trained, in words; of several machines, the one that
            differs least.
        unknown: what cannot be compared, and why.
    """

    sweep: str
    name: str
    metric: str
    trial: int
    home: str
    value: float
    retested: bool
    looked: datetime
    days: float
    stale: bool
    code: str
    changed: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleDocument:
    """The winners of a store.

    Attributes:
        store: where it is.
        since: a winner that was looked at last before this moment is stale.
        winners: the one that was looked at last comes first.
        canary: of the first of them, if that was asked for.
    """

    store: str
    since: datetime
    winners: tuple[StaleWinner, ...]
    canary: CanaryDocument | None = None


def stale_document(store: Store, sweeps: Sequence[SweepDir], since: datetime, say: Say) -> StaleDocument:
    """The winners of some sweeps; a retest is a look at its parent, and no sweep of its own.

    Args:
        store: The store.
        sweeps: Those to look at.
        since: A winner that was looked at before this moment is stale.
        say: Told of what cannot be read; the others are there.
    """
    looks = _retests(store)
    today = _Today()
    found = []
    with Views(store, [*sweeps, *(one for some in looks.values() for one in some)], leave_out=True) as views:
        say_not_shown(views, say)
        for sweep in sweeps:
            if origin := imported_from(sweep.description()):
                say(f"{sweep.id}: imported from {origin.file}, it has no code that could have changed since")
                continue
            try:
                winner = _retested(store, looks.get(sweep.id, ())) or _winner(views, sweep)
                looked = max(
                    filter(
                        None, (_checked(sweep), *(_looked(views, one) for one in (sweep, *looks.get(sweep.id, ()))))
                    ),
                    default=None,
                )
                if winner is not None and looked is not None:
                    found.append(_stale(sweep, winner, looked, since, today))
            except NotFoundError:  # its metric is never reported
                continue
            except StoreError as error:
                say(f"{sweep.id}: {error}")
    found.sort(key=lambda one: one.looked, reverse=True)
    return StaleDocument(store=str(store.path), since=since, winners=tuple(found))


def _retests(store: Store) -> dict[str, list[SweepDir]]:
    """Sweep → those that trained its best trials again."""
    found: dict[str, list[SweepDir]] = {}
    for one in store.readable():
        if one.plan.relation == "retest":
            found.setdefault(searched(store, one).id, []).append(one)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Winner:
    trial: int
    home: str
    value: float
    retested: bool = False


def _retested(store: Store, retests: Sequence[SweepDir]) -> _Winner | None:
    """The winner of the newest retest; None: there is none, or it has no verdict."""
    if not retests:
        return None
    from caviar.results.retest import retest_document  # noqa: PLC0415 — it needs scipy

    first = retest_document(store, retests[-1]).winner
    if first is None or first.value is None:
        return None
    return _Winner(trial=first.trial, home=first.sweep, value=first.value, retested=True)


def _winner(views: Views, sweep: SweepDir) -> _Winner | None:
    with views.of_sweep(sweep):
        found = select(views, sweep.description(), k=1).rows
    return _Winner(trial=found[0].trial, home=sweep.id, value=found[0].value) if found else None


def _looked(views: Views, sweep: SweepDir) -> datetime | None:
    with views.of_sweep(sweep):
        found: datetime | None = views.execute("SELECT max(coalesce(ended, started)) FROM trials").fetchall()[0][0]
    return None if found is None else found.replace(tzinfo=UTC)


def _checked(sweep: SweepDir) -> datetime | None:
    """When it was checked for drift last."""
    return max((datetime.fromisoformat(one["when"]) for one in drift_checks(sweep)), default=None)


def _stale(sweep: SweepDir, winner: _Winner, looked: datetime, since: datetime, today: _Today) -> StaleWinner:
    code, why = _code(sweep)
    kept = fingerprints(sweep)
    changed = min((today.changes(one) for one in kept), key=len, default=())
    unknown = [f"code: {why}"] if why else []
    if not kept:
        unknown.append("libraries and machine: none were kept with this sweep")
    if any(one.data.sha256 for one in kept):
        unknown.append("data: known when they are loaded")
    elif kept:
        unknown.append(f"data: {kept[-1].data.why}")
    return StaleWinner(
        sweep=sweep.id,
        name=sweep.name,
        metric=sweep.plan.metric,
        trial=winner.trial,
        home=winner.home,
        value=winner.value,
        retested=winner.retested,
        looked=looked,
        days=(datetime.now(UTC) - looked).total_seconds() / 86_400,
        stale=looked < since,
        code=code,
        changed=changed,
        unknown=tuple(unknown),
    )


def _code(sweep: SweepDir) -> tuple[str, str]:
    """`same`, `changed` or `unknown`; and why the last. Paths that somebody else wrote down are not looked at."""
    if sweep.description().get("program", {}).get("kind", "function") == "function":
        return "unknown", "the functions live in no file"
    if strangers(sweep):
        return "unknown", "another user's"
    stored = program_to_read(sweep)
    if stored.module == COMMAND:
        return ("changed" if changed_files(stored) else "same"), ""
    return _source(stored)


def _source(stored: Program) -> tuple[str, str]:
    paths = [Path(path) for path, _ in stored.files.values()]
    if not Path(stored.files[stored.module][0]).is_file():
        return "unknown", "its file is not here"
    if not all(path.is_file() or not os.path.lexists(path) for path in paths):
        return "changed", ""
    try:
        return ("same" if unchanged(stored, program_today(stored)) else "changed"), ""
    except SpecError:
        return "changed", ""


class _Today:
    """What this machine has now; asked once, if at all."""

    def __init__(self) -> None:
        self._now: dict[bool, Fingerprint] = {}

    def changes(self, then: Fingerprint) -> tuple[str, ...]:
        """What is other here than it was there."""
        gpus = bool(then.machine.gpus)
        if gpus not in self._now:
            self._now[gpus] = Fingerprint(
                host=socket.gethostname(), machine=this_machine(gpus=gpus), distributions=installed_versions()
            )
        now = self._now[gpus]
        # BLAS and CUDA are those that are loaded, which are others in a process that does not train.
        machine = replace(now.machine, blas=(), cuda="", cudnn="")
        return changes(then, replace(now, machine=machine, distributions=_named(now.distributions, then.distributions)))


def _named(versions: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    return {name: versions[name] for name in wanted if name in versions}
