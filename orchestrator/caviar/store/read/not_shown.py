"""What is not shown because its file was set aside, in sentences that are true as long as they are said.

The rule: rows of a trial's ending, or its configuration, come back when `caviar resume` trains the trial again; from
then on all is shown, and nothing is said. Rows of curves, output and decisions of trials that ended stay away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.store.layout import LOST
from caviar.store.read.sql import texts
from caviar_workers.states import ENDED

if TYPE_CHECKING:
    from caviar.store.manifest import Quarantined
    from caviar.store.read.views import Views
    from caviar.store.sweep_dir import SweepDir

AGAIN = ("trials", "configs", "attempts", LOST)
"""Tables whose rows say that a trial ended: without them it is not finished."""

REPLACED = ("trials", "configs")
"""Of them, those that hold one row a trial, and so all of them again when all trials have ended."""

_ENDED = f"""SELECT count(DISTINCT trial) FROM (
    SELECT trial FROM trials WHERE sweep = ? AND state = ANY ({texts(ENDED)})
    UNION ALL SELECT trial FROM attempts WHERE sweep = ? AND state = 'CANCELLED')"""


def not_shown(views: Views) -> list[str]:
    """A sentence for each file that was set aside, or given up, and whose rows nothing has replaced."""
    unfinished = to_resume(views)
    return [
        _sentence(sweep.id, file) + (again(sweep.id) if file.table in AGAIN and sweep.id in unfinished else "")
        for sweep, file in views.quarantined()
        if file.table not in REPLACED or sweep.id in unfinished
    ]


def to_resume(views: Views) -> list[str]:
    """Ids of the sweeps that are not finished (any more), and of which such a file was set aside."""
    hurt = {sweep.id: sweep for sweep, file in views.quarantined() if file.table in AGAIN}
    return [sweep.id for sweep in hurt.values() if _has_open_ends(views, sweep)]


def again(sweep: str) -> str:
    """Return what is to be typed, for the end of a sentence."""
    return f": caviar resume {sweep} trains the trials again that are missing"


def _sentence(sweep: str, file: Quarantined) -> str:
    if file.table == LOST:
        return f"{sweep}: {file.name.removesuffix(f'-{LOST}.parquet')}-… is lost; its rows are not shown"
    rows = "an unknown number of" if file.rows is None else f"{file.rows:,}"
    return f"{sweep}: {file.name} is in quarantine ({file.why}); {rows} rows of {file.table} are not shown"


def _has_open_ends(views: Views, sweep: SweepDir) -> bool:
    ended = views.execute(_ENDED, [sweep.id, sweep.id]).fetchall()[0][0]
    return bool(ended < sweep.plan.trials)
