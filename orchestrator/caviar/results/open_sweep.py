"""How whatever shows something gets at the store: one sweep, opened to read, and what its plan says."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from caviar.errors import NotFoundError, SpecError
from caviar.store import Store, SweepDir, Views
from caviar.store.disk.location import is_uri, object_path
from caviar.store.disk.store_errors import store_error
from caviar.store.read.not_shown import AGAIN, again, not_shown
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from caviar.store.sweep_dir import StoredPlan

    Say = Callable[[str], None]
    """Tells the user a sentence that is no part of what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSweep:
    """One sweep, opened to read.

    Attributes:
        store: the store that it is in.
        sweep: where it is.
        views: the store's views, of this sweep alone.
        say: tells what is not shown.
    """

    store: Store
    sweep: SweepDir
    views: Views
    say: Say

    @property
    def plan(self) -> StoredPlan:
        """The sweep's plan."""
        return self.sweep.plan

    @property
    def title(self) -> str:
        """`digits (20261123-041233-7f3a)`."""
        return f"{self.sweep.name or 'sweep'} ({self.sweep.id})"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the space."""
        return tuple(self.plan.parameters)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """All rows of a trusted query, as mappings from column names."""
        return named_rows(self.views, sql, values)

    def trial(self, trial: int) -> dict[str, Any]:
        """The row of a trial in the view `trials`.

        Raises:
            NotFoundError: The sweep has no such trial, or it was not drawn yet.
        """
        found = self.rows("SELECT * FROM trials WHERE trial = ?", [trial])
        if not found:
            raise self.no_trial(trial)
        return found[0]

    @property
    def planned(self) -> int:
        """Trials that the sweep is to have: those of its plan, and those that were forked."""
        return self.plan.trials + int(self.rows(f"SELECT count(*) n FROM configs WHERE trial >= {FORKED}")[0]["n"])

    def no_trial(self, trial: int) -> NotFoundError:
        """The error where the sweep has no such trial among those that were planned, or no row of it."""
        planned = self.plan.trials
        aside = next((sweep.id for sweep, file in self.views.quarantined() if file.table in AGAIN), None)
        if not 0 <= trial < planned:
            forked = self.planned - planned
            more = f", and {FORKED} to {FORKED + forked - 1}, which were forked" if forked else ""
            rule = f"its trials are 0 to {planned - 1}{more}"
        elif aside is None:
            rule = "that trial has not been drawn yet"
        else:
            rule = f"its rows were set aside with a damaged file, or it has not been drawn yet{again(aside)}"
        return NotFoundError(f"{self.title} has no trial {trial}; {rule}")

    def states(self) -> dict[str, int]:
        """How many of the trials that were drawn are in each state."""
        return dict(self.views.execute("SELECT state, count(*) FROM trials GROUP BY state").fetchall())


def named_rows(views: Views, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
    """All rows of a trusted query, as mappings from column names."""
    cursor = views.execute(sql, values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def store_path(store: str | PurePath | None) -> PurePath:
    """Return where the results store is: the argument, else $CAVIAR_STORE, else ./caviar-store; absolute.

    Raises:
        SpecError: It is none, or a URI that breaks a rule.
    """
    if not isinstance(store, (str, PurePath, type(None))):
        raise SpecError(f"a store is a folder or a URI, such as 'caviar-store', but got {store!r:.60}")
    place = store or os.environ.get("CAVIAR_STORE") or "caviar-store"
    return object_path(str(place)) if is_uri(place) else Path(place).expanduser().absolute()


def newest(store: Store, ref: str | None, say: Say) -> SweepDir:
    """The sweep that `ref` names, for who only reads: of several the newest, and `say` is told so.

    Raises:
        NotFoundError: There is none.
    """
    found = store.named(ref)
    if len(found) > 1:
        say(f"{ref}: newest of {len(found)} sweeps, {found[-1].id}")
    return found[-1]


@contextmanager
def open_sweep(store: Store, sweep: SweepDir, say: Say, kind: type[Views] = Views) -> Iterator[OpenSweep]:
    """Open the views of a sweep.

    Args:
        store: The store.
        sweep: One of its sweeps.
        say: Told first what is not shown, because files are damaged or gone.
        kind: `KeptViews`, for who asks many questions.

    Raises:
        StoreError: It cannot be read.
    """
    with kind(store, [sweep]) as views:
        say_not_shown(views, say)
        try:
            yield OpenSweep(store=store, sweep=sweep, views=views, say=say)
        except OSError as error:  # of a file of the store, and not of what is written elsewhere
            if not str(error.filename or "").startswith(str(sweep.path)):
                raise
            raise store_error("read", sweep.path, error) from error


def say_not_shown(views: Views, say: Say) -> bool:
    """Say which rows are not shown because their files were found damaged, or are gone; whether there are any."""
    sentences = [*views.missing(), *not_shown(views)]
    for sentence in sentences:
        say(sentence)
    return bool(sentences)
