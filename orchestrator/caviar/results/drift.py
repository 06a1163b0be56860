"""What a check for drift found, as documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.errors import NoResultError
from caviar.store import Views
from caviar_workers.tables import FIELDS

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir


WHOSE = {"today": "today's code", "stored": "the stored code"}
"""What a check ran, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryDocument:
    """What the first report of a stored trial says when it is trained again.

    Attributes:
        sweep: the trial's sweep.
        trial: its number.
        code: `today`: its file as it is now; `stored`: what the sweep stored.
        outcome: `same`, `differs` or `says nothing`.
        differing: metrics, or the step, that differ from those of then; where it says nothing, between two runs.
        compared: metrics that were compared, bit for bit.
        left_out: metrics that are times or speeds, by their names.
    """

    sweep: str
    trial: int
    code: str
    outcome: str
    differing: tuple[str, ...]
    compared: tuple[str, ...]
    left_out: tuple[str, ...]


def first_report(store: Store, sweep: SweepDir, trial: int) -> dict[str, float]:
    """The first row of a trial's curve: `step`, and each metric that it has.

    Raises:
        NoResultError: It has none.
    """
    with Views(store, [sweep]) as views, views.of_trials([trial]):
        cursor = views.execute(f"SELECT * EXCLUDE (_row) FROM _curves WHERE trial = {trial} ORDER BY _row LIMIT 1")
        names = [column[0] for column in cursor.description or ()]
        rows = cursor.fetchall()
    if not rows:
        raise NoResultError(f"trial {trial} of sweep {sweep.id} has reported nothing, so there is nothing to compare")
    fixed = {*FIELDS["curves"], "sweep"} - {"step"}
    return {
        name: float(value)
        for name, value in zip(names, rows[0], strict=True)
        if name not in fixed and value is not None
    }
