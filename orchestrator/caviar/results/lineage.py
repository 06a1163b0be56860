"""What made a trial what it is: its living curve, and all that was done on the way, so that it can be trained again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from caviar.errors import NoResultError
from caviar.results.edits import acts_of, standing, with_options
from caviar.space.option import option_from_json
from caviar.store.read.sql import name as quoted
from caviar.store.untrusted_json import numbers_of
from caviar_workers.schedule import Change, in_order, schedule_of
from caviar_workers.states import Action

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep

Row = Mapping[str, float]
"""A report: `step`, and each metric that it had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """One trial, from its beginning to where it stands."""

    trial: int
    root: int
    """The trial that it began as: itself, or the oldest of those that it was forked from."""
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
    before = _ancestors(opened, trial, metrics)
    return Lineage(
        trial=trial,
        root=before.root,
        state=now.state,
        changes=in_order([*before.changes, *(one for one in now.changes if one.settled), *again]),
        rows=(*before.rows, *(_report(row, metrics) for row in found)),
        programs=tuple(filter(None, known)),
    )


class _Part(NamedTuple):
    """What a forked trial has of its ancestors."""

    root: int
    changes: Sequence[Change] = ()
    rows: Sequence[Row] = ()


def _ancestors(opened: OpenSweep, trial: int, metrics: Sequence[str], seen: frozenset[int] = frozenset()) -> _Part:
    """The part of a trial that others trained, and the change with which it goes on; a circle is followed once."""
    sql = "SELECT numbers FROM decisions WHERE trial = ? AND action = 'fork' ORDER BY n"
    numbers = next((numbers_of(row["numbers"]) for row in opened.rows(sql, [trial])), {})
    to, parent, config = (numbers.get(key, "") for key in ("to", "parent", "config"))
    where: dict[str, Any] = to if isinstance(to, dict) else {}
    attempt, step = where.get("attempt", ""), where.get("step", "")
    if any(type(one) is not int for one in (parent, attempt, step)) or not isinstance(config, dict) or parent in seen:
        return _Part(trial)
    before = _ancestors(opened, parent, metrics, seen | {trial})
    cells = ", ".join(["attempt", "step", *map(quoted, metrics)])
    starts = {
        row["attempt"]: row["start"] or 0
        for row in opened.rows("SELECT attempt, max(start) AS start FROM attempts WHERE trial = ? GROUP BY 1", [parent])
    }
    changes = [one for one in schedule_of(_until(acts_of(opened, parent), numbers.get("branch"))) if one.after < step]
    rows: list[Row] = []
    last = step
    while True:  # from attempt to the earlier one whose checkpoint it began from
        start = starts.get(attempt, 0)
        sql = f"SELECT {cells} FROM branches WHERE trial = ? AND attempt = ? AND step BETWEEN ? AND ? ORDER BY step"
        rows = [*(_report(row, metrics) for row in opened.rows(sql, [parent, attempt, start, last])), *rows]
        earlier = [one for one in starts if one < attempt and starts[one] < start]
        if not earlier:
            break
        changes.append(Change(decision=-1, after=start - 1, values={}, settled=True, restart=True))
        attempt, last = max(earlier), start - 1
    values = {name: option_from_json(value) for name, value in config.items()}
    born = Change(decision=0, after=step, values=values, settled=True, restart=True, branch=0)
    settled = [one for one in changes if one.settled]
    return _Part(before.root, [*before.changes, *settled, born], [*before.rows, *rows])


def _until(acts: list[dict[str, Any]], branch: object) -> list[dict[str, Any]]:
    """What was done to a trial until a branch of it ended."""
    backs = [place for place, one in enumerate(acts) if one["action"] == Action.ROLLBACK]
    ends = backs[branch:] if type(branch) is int and branch >= 0 else []
    return with_options(acts[: ends[0]] if ends else acts)


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
