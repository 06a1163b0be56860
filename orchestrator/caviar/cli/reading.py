"""How a reading verb gets at the store: the views of one sweep, and what its plan says."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caviar.cli.options import Target
    from caviar.store import Store, SweepDir, Views


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One sweep, opened to read.

    Attributes:
        sweep: where it is.
        views: the store's views, of this sweep alone.
        plan: its plan, as JSON values.
    """

    sweep: SweepDir
    views: Views
    plan: Mapping[str, Any]

    @property
    def title(self) -> str:
        """`digits (20261123-041233-7f3a)`."""
        return f"{self.plan['name']} ({self.sweep.id})"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the space."""
        return tuple(self.plan["space"]["parameters"])

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """All rows of a query, as mappings from column names."""
        return named_rows(self.views, sql, values)


def named_rows(views: Views, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
    """All rows of a trusted query, as mappings from column names."""
    cursor = views.execute(sql, values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def newest(store: Store, ref: str | None) -> SweepDir:
    """The sweep that `ref` names, for a verb that reads: of several the newest, and stderr says so.

    Raises:
        NotFoundError: there is none.
    """
    found = store.named(ref)
    if len(found) > 1:
        from caviar.cli.output import say

        say(f"{ref}: newest of {len(found)} sweeps, {found[-1].id}")
    return found[-1]


@contextmanager
def reading(target: Target) -> Iterator[Reading]:
    """Open the target's sweep and its views.

    Raises:
        NotFoundError: no store, or no such sweep in it.
        StoreError: it cannot be read.
    """
    from caviar.store import Store, Views
    from caviar.store.trouble import store_error

    store = Store.open(target.store)
    sweep = newest(store, target.sweep)
    with Views(store, [sweep]) as views:
        say_not_shown(views)
        try:
            yield Reading(sweep=sweep, views=views, plan=sweep.description()["plan"])
        except OSError as error:  # of a file of the store, and not of what is written elsewhere
            if not str(error.filename or "").startswith(str(sweep.path)):
                raise
            raise store_error("read", sweep.path, error) from error


def say_foreign(sweeps: Sequence[SweepDir]) -> None:
    """Say on stderr what the folders of sweeps hold that Caviar did not write, and leaves alone."""
    from contextlib import suppress

    from caviar.cli.output import say
    from caviar.store.ours import foreign

    for sweep in sweeps:
        with suppress(OSError):  # whoever acts on it says why
            for name in foreign(sweep.disk, sweep.path):
                say(f"{sweep.id}: {name} was not written by Caviar, and is left alone")


def say_not_shown(views: Views) -> bool:
    """Say on stderr which rows are not shown because their files were found damaged, or are gone; whether there are."""
    from caviar.cli.output import say
    from caviar.store.aside import not_shown

    sentences = [*views.missing(), *not_shown(views)]
    for sentence in sentences:
        say(sentence)
    return bool(sentences)
