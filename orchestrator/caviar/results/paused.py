"""Which trials their user has paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar_workers.states import ENDED, USER, Action

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep


def paused_by_user(opened: OpenSweep) -> list[int]:
    """The trials that their user has paused, and that have not ended."""
    mine = f"(action = '{Action.PAUSE}' AND decided_by = '{USER}')"
    others = f"'{Action.CONTINUE}', '{Action.ROLLBACK}'"
    sql = (
        f"SELECT trial FROM decisions WHERE trial IS NOT NULL AND ({mine} OR action IN ({others})) "
        f"GROUP BY trial HAVING arg_max(action, n) = '{Action.PAUSE}' ORDER BY trial"
    )
    ended = ", ".join(f"'{state}'" for state in ENDED)
    return [
        row["trial"]
        for row in opened.rows(f"SELECT trial FROM ({sql}) JOIN trials USING (trial) WHERE state NOT IN ({ended})")
    ]
