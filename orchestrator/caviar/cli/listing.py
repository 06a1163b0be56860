"""Which sweeps `ls` lists, and what it says of each beside what the view `sweeps` has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import Duration

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a sweep must have to be listed; what is empty or None asks for nothing.

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
        said = sweep.description()
        plan = said["plan"]
        return (
            (self.since is None or datetime.fromisoformat(said["created"]) >= self.since)
            and (self.name or "").casefold() in str(plan.get("name") or "").casefold()
            and set(self.tags) <= set(plan.get("tags") or ())
            and (not self.states or sweep.state() in self.states)
        )


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """`2h` or `7d` ago, or a date or time such as `2026-11-23` or `2026-11-23T04:00` (UTC unless it says)."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, in UTC."""
        text = str(value).strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return datetime.now(UTC) - timedelta(seconds=self._ago(text, param, ctx))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _ago(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            ago = Duration().convert(text, param, ctx)
            datetime.now(UTC) - timedelta(seconds=ago)
        except (click.UsageError, OverflowError):
            self.fail(
                f"A moment is a time ago such as 90m, 2h, 7d, or a date such as 2026-11-23, got {text!r}", param, ctx
            )
        return ago


def newest_first(store: Store, ref: str | None, wanted: Filter, most: int | None) -> tuple[list[SweepDir], int]:
    """The newest sweeps that the filter admits, `most` at most, newest first; and how many there are in all."""
    sweeps = store.readable() if ref is None else store.named(ref)
    found = []
    for sweep in reversed(sweeps):
        with store.apart(sweep):
            found += [sweep] if wanted.admits(sweep) else []
    return found[:most], len(found)


def rows(store: Store, sweeps: list[SweepDir]) -> Iterator[dict[str, Any]]:
    """The row of each sweep in the view `sweeps`, with its best trial and the seconds that it took."""
    from caviar.cli.reading import named_rows, say_not_shown
    from caviar.store import Views

    with Views(store, sweeps, leave_out=True) as views:
        say_not_shown(views)
        found = {row["sweep"]: row for row in named_rows(views, "select * from sweeps")}
    for sweep in (sweep for sweep in sweeps if sweep.id in found):
        yield found[sweep.id] | _best_and_time(store, sweep)


def _best_and_time(store: Store, sweep: SweepDir) -> dict[str, Any]:
    """One that cannot be read has neither, and stderr says why: the others are listed."""
    from caviar.cli.output import say
    from caviar.errors import NotFoundError, StoreError
    from caviar.results.selector import select
    from caviar.store import Views

    span = "select epoch(max(coalesce(ended, started)) - min(started)) from trials"
    took, best = None, None
    try:
        with Views(store, [sweep]) as views:
            took = views.execute(span).fetchall()[0][0]
            best = next(iter(select(views, sweep.description(), k=1).rows), None)
    except NotFoundError:  # its metric is never reported
        pass
    except StoreError as error:
        say(f"{sweep.id}: {error}")
    shown = None if best is None else {"trial": best.trial, "value": best.value, "step": best.step}
    return {"best": shown, "took_s": took}
