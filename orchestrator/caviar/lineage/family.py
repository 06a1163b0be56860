"""Which sweep was zoomed out of which: the parent is in the plan, the rest follows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caviar.plan import Plan
    from caviar.store import Store, SweepDir


def parent_of(sweep: SweepDir) -> str | None:
    """The id of the sweep that this one was zoomed out of; None: of none."""
    found: str | None = sweep.description()["plan"].get("parent")
    return found


def children(store: Store, sweep: SweepDir) -> list[SweepDir]:
    """The sweeps that were zoomed out of this one, oldest first."""
    return [one for one in store.readable() if parent_of(one) == sweep.id]


def twin_of(store: Store, plan: Plan) -> SweepDir | None:
    """The sweep that was zoomed out of the same parent by the same plan; None: there is none."""
    if plan.parent is None:
        return None
    wanted = json.loads(json.dumps(plan.to_json()))
    return next((one for one in store.sweeps() if one.description()["plan"] == wanted), None)


def ancestors(store: Store, sweep: SweepDir) -> list[SweepDir]:
    """The sweep, its parent, and so on up; a parent that was removed ends the line."""
    known = {one.id: one for one in store.readable()}
    line = [sweep]
    while (parent := known.get(parent_of(line[-1]) or "")) is not None and parent not in line:
        line.append(parent)
    return line


def family(store: Store, sweep: SweepDir) -> list[SweepDir]:
    """The eldest ancestor that is in the store and all that came of it, oldest first."""
    eldest = ancestors(store, sweep)[-1]
    found = {eldest.id}
    members = [eldest]
    for one in store.readable():  # oldest first: parents before children
        if parent_of(one) in found and one.id not in found:
            found.add(one.id)
            members.append(one)
    return members
