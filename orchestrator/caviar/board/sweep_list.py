"""The list of a store's sweeps, kept up: a look reads again only what changed since the one before."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caviar.display.numbers import number
from caviar.display.sanitize import one_line
from caviar.errors import CaviarError, StoreError
from caviar.results.json_form import as_json
from caviar.results.open_sweep import named_rows, say_not_shown
from caviar.results.sweeps import best_and_time
from caviar.store import Views
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import MANIFEST, OWNER
from caviar.store.read.following import read_through
from caviar_workers.states import ENDED, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from caviar.store import Store, SweepDir

    Rows = dict[str, tuple[dict[str, Any], list[str]]]
    """Sweep → its row (empty: it cannot be read) and what is to be said of it."""

LOOK_S = 0.5
"""Seconds after which a look reads no further sweep; those that are left keep their rows until the next one."""
TOGETHER = 16
"""Sweeps that are read together, which costs each of them less."""
LONGEST = 400
"""Characters of a sentence."""
AGAIN_S = 15.0
"""Seconds after which one is read again of which something could not be read."""
SHARE = 20
"""A row of a sweep that runs is read again after a pause of so many times what it took."""


@dataclass(slots=True, kw_only=True)
class _Kept:
    """What is known of a sweep, and by which files."""

    names: tuple[Any, ...] = ()
    """Of the files by which one that nobody runs would show that it changed."""
    mark: tuple[Any, ...] = ()
    """Its files, at the last look."""
    read_from: tuple[Any, ...] = ()
    """Those that its row was read from; empty: no data was read yet."""
    row: dict[str, Any] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    again_at: float = 0.0
    """When its row may be read again, by the clock."""


class SweepList:
    """Rows of the sweeps of a store, newest first, and sentences about what is not shown.

    A list is of one thread at a time.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Look at nothing yet."""
        self._store = store
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def look(self) -> bool:
        """Take in what changed; whether anything did.

        Raises:
            StoreError: The store cannot be read; one of its sweeps alone is a sentence.
        """
        sweeps = {sweep.id: sweep for sweep in reversed(self._store.sweeps())}
        before = (self.rows(), self.not_shown())
        self._kept = {one: self._kept.get(one) or _Kept() for one in sweeps}
        changed = self._store.disk.each(self._changed, sweeps.values())
        due = [sweep for sweep, its in zip(sweeps.values(), changed, strict=True) if its]
        for sweep in due:
            if not self._kept[sweep.id].row:
                self._note([sweep], self._first_rows)
        now = self._clock()
        for batch in _batched([one for one in due if self._kept[one.id].again_at <= now], TOGETHER):
            if (began := self._clock()) < now + LOOK_S:
                self._note(batch, self._whole_rows)
                pause = SHARE * (self._clock() - began) / len(batch)
                for kept in (self._kept[sweep.id] for sweep in batch):
                    kept.again_at = self._clock() + (pause if kept.read_from else max(pause, AGAIN_S))
        return before != (self.rows(), self.not_shown())

    def rows(self) -> list[dict[str, Any]]:
        """A row of each sweep that could be read, newest first."""
        return [one.row | _words(one.row) for one in self._kept.values() if one.row]

    def not_shown(self) -> list[str]:
        """What is not shown, and why."""
        return [sentence for one in self._kept.values() for sentence in one.sentences]

    def _changed(self, sweep: SweepDir) -> bool:
        """Whether the sweep's row is to be read from other files than those that it was read from."""
        kept = self._kept[sweep.id]
        try:
            names = tuple(tuple(sweep.disk.list(sweep.path / folder)) for folder in (OWNER, MANIFEST))
            if kept.read_from and names == kept.names and kept.row.get("state") != "running":
                return False  # whoever goes on with it owns it first
            kept.names = names
            seen = sweep.visible_files()
            kept.mark = (sweep.state(), seen.manifest.k, tuple(read_through(seen).items()))
        except (CaviarError, OSError) as error:
            kept.mark = (str(error),)
        return kept.mark != kept.read_from

    def _note(self, sweeps: Sequence[SweepDir], read: Callable[[Sequence[SweepDir]], Rows]) -> None:
        """Keep their rows; of one that cannot be read, the row that it had, and the reason."""
        try:
            found = read(sweeps)
        except (CaviarError, OSError, ValueError) as error:
            if len(sweeps) > 1:  # one spoils it for all
                for sweep in sweeps:
                    self._note([sweep], read)
                return
            told = store_error("read", sweeps[0].path, error) if isinstance(error, OSError) else error
            found = {sweeps[0].id: ({}, [f"{sweeps[0].id} is left out: {told}"])}
        for its, (row, sentences) in found.items():
            kept = self._kept[its]
            kept.row = row or kept.row
            kept.sentences = [one_line(one, LONGEST) for one in sentences]
            kept.read_from = kept.mark if read == self._whole_rows and row and not sentences else ()

    def _first_rows(self, sweeps: Sequence[SweepDir]) -> Rows:
        """What a description and a manifest say, until there is time to read more."""
        return {sweep.id: (_described(sweep), []) for sweep in sweeps}

    def _whole_rows(self, sweeps: Sequence[SweepDir]) -> Rows:
        told: dict[str, list[str]] = {sweep.id: [] for sweep in sweeps}
        with Views(self._store, sweeps) as views:
            if say_not_shown(views, told[sweeps[0].id].append) and len(sweeps) > 1:
                raise StoreError(
                    "something is not shown of one of these sweeps, and it is asked of each by itself which"
                )
            view = {row["sweep"]: row for row in named_rows(views, "SELECT * FROM sweeps")}
            return {
                sweep.id: (
                    _row(_described(sweep), view[sweep.id] | best_and_time(views, sweep, told[sweep.id].append)),
                    told[sweep.id],
                )
                for sweep in sweeps
            }


def _described(sweep: SweepDir) -> dict[str, Any]:
    """The row of a sweep of which no data was read."""
    said, plan, seen = sweep.description(), sweep.plan, sweep.visible_files()
    return {
        "id": sweep.id,
        "name": plan.name,
        "state": sweep.state(),
        "metric": plan.metric,
        "mode": plan.mode,
        "best": None,
        "shown": None,
        "planned": plan.trials,
        "done": sum(seen.manifest.counts.get(state, 0) for state in ENDED),
        "running": 0,
        "failed": seen.manifest.counts.get(State.FAILED, 0),
        "created": said["created"],
        "took_s": None,
        "tags": list(plan.tags),
        "relation": plan.relation if plan.parent else None,
        "parent": plan.parent,
    }


def _row(described: dict[str, Any], view: dict[str, Any]) -> dict[str, Any]:
    """The row with all that a sweep's row of the view says, and its best trial."""
    found = as_json(view)
    return described | {
        "state": found["state"],
        "best": found["best"],
        "shown": found["best"] and number(found["best"]["value"]),
        "planned": found["planned"],
        "done": sum(found[state] for state in ("completed", "failed", "stopped", "cancelled")),
        "running": found["running"],
        "failed": found["failed"],
        "took_s": found["took_s"],
    }


def _words(row: dict[str, Any]) -> dict[str, str]:
    """What a list shows of a row: its best trial, and how far it is; and what it is found by."""
    best, planned = row["best"], "?" if row["planned"] is None else row["planned"]
    others = [f"{row[name]} {name}" for name in ("running", "failed") if row[name]]
    told = " · ".join([f"{row['done']} of {planned}", *others])
    words = " ".join([row["name"], row["id"], row["metric"], row["state"], *row["tags"]]).lower()
    return {"told": told, "leads": f"t{best['trial']} · {row['shown']}" if best else "–", "words": words}


def _batched(sweeps: Sequence[SweepDir], size: int) -> Iterator[Sequence[SweepDir]]:
    """The sweeps in their order, a few at a time."""
    return (sweeps[start : start + size] for start in range(0, len(sweeps), size))
