"""What made a trial what it is: its living curve, and all that was done on the way, so that it can be trained again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caviar.errors import NoResultError
from caviar.results.edits import standing
from caviar.store.read.sql import name as quoted
from caviar_workers.schedule import Change, in_order

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep

Row = Mapping[str, float]
"""A report: `step`, and each metric that it had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """One trial, from its beginning to where it stands."""

    trial: int
    state: str
    changes: tuple[Change, ...]
    """What took effect on the branch that lives; and where another attempt went on, a change of nothing, at which train
    begins again as that attempt did."""
    rows: tuple[Row, ...]
    """Its living curve."""
    programs: tuple[str, ...]
    """Digests of the code that these rows were trained with, oldest first; those that nobody knows are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDocument:
    """A trial trained again, from its seed and with its schedule.

    Attributes:
        sweep: id of its sweep.
        trial: its number.
        metric: what the sweep's trials are judged by.
        rows: rows that were compared: those of the living curve.
        equal: whether all of them have the same steps and values of this metric, bit for bit.
        same: metrics that are the same in all rows.
        differs: metric → the first step at which it is another one, or missing; `step`: where the steps part.
        notes: what to know about it.
    """

    sweep: str
    trial: int
    metric: str
    rows: int
    equal: bool
    same: tuple[str, ...]
    differs: dict[str, int]
    notes: tuple[str, ...]


def lineage_of(opened: OpenSweep, trial: int) -> Lineage:
    """The lineage of a trial.

    Raises:
        NotFoundError: The sweep has no such trial.
        NoResultError: It has reported nothing.
    """
    now = standing(opened, trial)
    metrics = opened.views.metrics()
    columns = ", ".join(["attempt", "step", *map(quoted, metrics)])
    found = opened.rows(f"SELECT {columns} FROM _curves WHERE trial = ? ORDER BY _row", [trial])
    if not found:
        raise NoResultError(f"trial {trial} has reported nothing, so there is no curve to compare with")
    attempts = dict.fromkeys(row["attempt"] for row in found)
    sql = "SELECT attempt, max(start) AS start, max(program) AS program FROM attempts WHERE trial = ? GROUP BY attempt"
    ran = {row["attempt"]: row for row in opened.rows(sql, [trial])}
    starts = [ran[attempt]["start"] or 0 for attempt in attempts if attempt in ran]
    again = [
        Change(decision=-1, after=start - 1, values={}, settled=True, restart=True) for start in starts if start > 0
    ]
    known = dict.fromkeys(ran[attempt]["program"] for attempt in attempts if attempt in ran)
    return Lineage(
        trial=trial,
        state=now.state,
        changes=in_order([*(one for one in now.changes if one.settled), *again]),
        rows=tuple(_report(row, metrics) for row in found),
        programs=tuple(filter(None, known)),
    )


def _report(row: Mapping[str, Any], metrics: Sequence[str]) -> Row:
    return {"step": float(row["step"])} | {name: row[name] for name in metrics if row[name] is not None}


def differences(stored: Sequence[Row], again: Sequence[Row]) -> dict[str, int]:
    """Name → the first step at which two curves differ in it, up to the end of the stored one."""
    found: dict[str, int] = {}
    for place, row in enumerate(stored):
        other = again[place] if place < len(again) else {}
        if other.get("step") != row["step"]:
            return found | {"step": int(row["step"])}
        for name in {**row, **other}:
            if name not in found and not same_bits(row.get(name), other.get(name)):
                found[name] = int(row["step"])
    return found


def same_bits(one: float | None, other: float | None) -> bool:
    """Whether two values are the same, bit for bit; NaN is NaN."""
    if one is None or other is None:
        return one is other
    return (math.isnan(one) and math.isnan(other)) or (
        one == other and math.copysign(1, one) == math.copysign(1, other)
    )
