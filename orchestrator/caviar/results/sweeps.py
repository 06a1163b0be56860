"""Sweeps of a store, as documents: those that are there, and those that something was done to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from caviar.errors import NotFoundError, StoreError
from caviar.results.imported import imported_from
from caviar.results.open_sweep import named_rows, say_not_shown
from caviar.results.selector import Wish, select
from caviar.results.status import SPAN, seconds_taken
from caviar.store import Views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.results.open_sweep import Say
    from caviar.store import Store, SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The properties of sweeps that are listed; one that is empty or None asks for nothing.

    Attributes:
        name: part of its name, in any case.
        tags: all of these tags.
        states: one of these states.
        since: it was created then or later.
    """

    name: str | None = None
    tags: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    since: datetime | None = None

    def admits(self, sweep: SweepDir) -> bool:
        """Whether the sweep has it all; its state is looked at last, for that takes reading."""
        said, plan = sweep.description(), sweep.plan
        return (
            (self.since is None or datetime.fromisoformat(said["created"]) >= self.since)
            and (self.name or "").casefold() in plan.name.casefold()
            and set(self.tags) <= set(plan.tags)
            and (not self.states or sweep.state() in self.states)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepsDocument:
    """Sweeps of a store.

    Attributes:
        store: where it is.
        sweeps: the row of each in the view `sweeps`, with `best` (trial, value, step; None: there is none), `took_s`,
            the seconds from its first trial's start to its last one's end or, while it runs, to now, and `imported`,
            the file that its trials come from (None: they were run).
    """

    store: str
    sweeps: tuple[dict[str, Any], ...]


def listed(store: Store, ref: str | None, wanted: Filter) -> list[SweepDir]:
    """The sweeps of a store, or those that `ref` may name, that the filter admits, newest first."""
    sweeps = store.readable() if ref is None else store.named(ref)
    found = []
    for sweep in reversed(sweeps):
        with store.apart(sweep):
            found += [sweep] if wanted.admits(sweep) else []
    return found


def sweeps_document(store: Store, sweeps: Sequence[SweepDir], say: Say) -> SweepsDocument:
    """Some sweeps of a store in their order; `say` is told of what cannot be read, and the others are there."""
    with Views(store, sweeps, leave_out=True) as views:
        say_not_shown(views, say)
        found = {row["sweep"]: row for row in named_rows(views, "SELECT * FROM sweeps")}
        rows = tuple(found[one.id] | best_and_time(views, one, say) for one in sweeps if one.id in found)
    return SweepsDocument(store=str(store.path), sweeps=rows)


def best_and_time(views: Views, sweep: SweepDir, say: Say) -> dict[str, Any]:
    """The fields that a sweep's row in a document has beside those of the view.

    Args:
        views: They show the sweep, and may show others.
        sweep: It.
        say: Told why there is neither, where it cannot be read.
    """
    took, best = None, None
    try:
        with views.of_sweep(sweep):
            took = seconds_taken(views.execute(f"SELECT {SPAN} FROM trials").fetchall()[0], sweep.state())
            best = next(iter(select(views, sweep.description(), k=1, wish=Wish(repeats=True)).rows), None)
    except NotFoundError:  # its metric is never reported
        pass
    except StoreError as error:
        say(f"{sweep.id}: {error}")
    shown = None if best is None else {"trial": best.trial, "value": best.value, "step": best.step}
    origin = imported_from(sweep.description())
    return {"best": shown, "took_s": took, "imported": origin and origin.file}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedDocument:
    """Ids of the sweeps of a store that were deleted."""

    store: str
    removed: tuple[str, ...]


def removed_document(store: Store, place: str, sweep: SweepDir, *, take_over: bool) -> RemovedDocument:
    """Delete a sweep of a store that the user named so.

    Raises:
        StoreError: As of `Store.remove`.
    """
    store.remove(sweep, take_over=take_over)
    return RemovedDocument(store=place, removed=(sweep.id,))
