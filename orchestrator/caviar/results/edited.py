"""Trials that were edited while they trained, or forked: what they had says nothing of one configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.display.numbers import counted
from caviar.store import Views
from caviar_workers.states import CHANGING, Action

if TYPE_CHECKING:
    from collections.abc import Collection

    from caviar.store import Store, SweepDir


def edited_trials(views: Any) -> frozenset[int]:
    """Trials whose configuration was changed while they trained, or that began from another one's checkpoint."""
    actions = ", ".join(f"'{action}'" for action in (*CHANGING, Action.FORK))
    found = views.execute(f"SELECT DISTINCT trial FROM decisions WHERE action IN ({actions}) AND trial IS NOT NULL")
    return frozenset(trial for (trial,) in found.fetchall())


def edited_in(store: Store, sweep: SweepDir) -> str:
    """Say which trials of a sweep are left out; empty: there are none."""
    with Views(store, [sweep]) as views:
        return left_out(edited_trials(views))


def left_out(trials: Collection[int]) -> str:
    """Say that such trials are left out; empty: there are none."""
    return (
        f"{counted(len(trials), 'trial')} left out, for having been edited while training, or forked" if trials else ""
    )
