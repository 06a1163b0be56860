"""How the configurations of trials changed while they trained: one row a changed parameter, by the one fold."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from caviar.store.read.columns import SQL_TYPES, Column, pick
from caviar.store.read.sql import name, text
from caviar.store.untrusted_json import numbers_of
from caviar_workers.schedule import schedule_of
from caviar_workers.states import ACTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caviar.store.read.sweep_tables import SweepTables

SCHEDULE = (
    Column(name="trial", word="int64"),
    Column(name="parameter", word="text"),
    Column(name="old_value", word="text"),
    Column(name="new_value", word="text"),
    Column(name="step", word="int64"),
    Column(name="ramp", word="int64"),
    Column(name="taken", word="bool"),
    Column(name="decision", word="int64"),
    Column(name="time", word="time"),
    Column(name="who", word="text"),
    Column(name="why", word="text"),
)
"""`step`: after which it holds, or is due where it was not taken yet; values are JSON."""


def schedule_sql(tables: SweepTables) -> str:
    """SELECT of the changes that hold on the branch that lives, in the order of trial and step."""
    rows = list(_rows(tables))
    if not rows:
        return f"SELECT {pick(SCHEDULE, {})} WHERE false"
    cells = ", ".join(f"{name(one.name)}::{SQL_TYPES[one.word]} AS {name(one.name)}" for one in SCHEDULE)
    values = ", ".join(f"({', '.join(row)})" for row in rows)
    return f"SELECT {cells} FROM (VALUES {values}) v({', '.join(name(one.name) for one in SCHEDULE)})"


def _rows(tables: SweepTables) -> Iterator[Sequence[str]]:
    """The rows, each as the SQL of its cells."""
    for trial, acts in groupby(_acts(tables), key=lambda one: one["trial"]):
        known = {one["n"]: one for one in acts}
        for change in schedule_of(known.values()):
            act = known[change.decision]
            old = act["numbers"].get("old")
            at = f"to_timestamp({act['time']} / 1e6)"
            for parameter, value in change.values.items():
                before = json.dumps(old[parameter]) if isinstance(old, dict) and parameter in old else None
                facts = (change.after, change.over, change.settled, change.decision)
                words = (act["numbers"].get(key) for key in ("who", "why"))
                said = (str(one) if one else None for one in words)
                yield *map(_literal, (trial, parameter, before, json.dumps(value), *facts)), at, *map(_literal, said)


def _acts(tables: SweepTables) -> list[dict[str, Any]]:
    """What was done to trials by hand, trial after trial, each in their order."""
    actions = ", ".join(f"'{action}'" for action in ACTS)
    sql = (
        "SELECT trial, n, action, step, numbers, epoch_us(time) FROM "
        f"({tables.decisions()}) WHERE action IN ({actions}) AND trial IS NOT NULL ORDER BY trial, n"
    )
    names = ("trial", "n", "action", "step", "numbers", "time")
    found = (dict(zip(names, row, strict=True)) for row in tables.ask(sql))
    return [{**one, "numbers": numbers_of(one["numbers"])} for one in found]


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return text(value) if isinstance(value, str) else str(value).lower()
