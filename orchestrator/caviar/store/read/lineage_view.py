"""Of whom trials were forked: one row for each stretch of a forked trial's curve, with the trial that trained it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.store.read.columns import SQL_TYPES, Column, pick
from caviar.store.read.sql import name
from caviar.store.untrusted_json import numbers_of
from caviar_workers.states import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caviar.store.read.sweep_tables import SweepTables

LINEAGE = (
    Column(name="trial", word="int64"),
    Column(name="part", word="int64"),
    Column(name="ancestor", word="int64"),
    Column(name="attempt", word="int64"),
    Column(name="first_step", word="int64"),
    Column(name="last_step", word="int64"),
)
"""Of the parts of a trial, from 0, the oldest first: `ancestor` trained the steps from the first to the last, which is
null of its own; `attempt` is the one whose checkpoint the next part began from."""

Origin = tuple[int, int, int]
"""Parent, its attempt, and the step of the checkpoint."""


def lineage_sql(tables: SweepTables) -> str:
    """SELECT of the parts of all trials that were forked."""
    rows = list(lineage_rows(origins(tables)))
    if not rows:
        return f"SELECT {pick(LINEAGE, {})} WHERE false"
    cells = ", ".join(f"{name(one.name)}::{SQL_TYPES[one.word]} AS {name(one.name)}" for one in LINEAGE)
    values = ", ".join("(" + ", ".join("NULL" if cell is None else str(cell) for cell in row) + ")" for row in rows)
    return f"SELECT {cells} FROM (VALUES {values}) v({', '.join(name(one.name) for one in LINEAGE)})"


def origins(tables: SweepTables) -> dict[int, Origin]:
    """Trial → of what it was forked."""
    sql = f"SELECT trial, numbers FROM ({tables.decisions()}) WHERE action = '{Action.FORK}' AND trial IS NOT NULL"
    found = {trial: _origin(numbers_of(numbers)) for trial, numbers in tables.ask(sql)}
    return {trial: one for trial, one in found.items() if one is not None}


def _origin(numbers: Mapping[str, Any]) -> Origin | None:
    to = numbers.get("to")
    where = to if isinstance(to, dict) else {}
    whole = (numbers.get("parent"), where.get("attempt"), where.get("step"))
    return whole if all(type(one) is int and 0 <= one < 2**62 for one in whole) else None  # type: ignore[return-value]


def lineage_rows(known: Mapping[int, Origin]) -> Iterator[Sequence[int | None]]:
    """The rows of the view, trial after trial; a circle, in the store of a stranger, is followed once."""
    for trial in sorted(known):
        line: list[tuple[int, Origin | None]] = [(trial, None)]
        seen = {trial}
        while (origin := known.get(line[-1][0])) is not None and origin[0] not in seen:
            seen.add(origin[0])
            line.append((origin[0], origin))
        first = 0
        for part, (ancestor, origin) in enumerate(reversed(line)):
            attempt, last = (None, None) if origin is None else origin[1:]
            yield trial, part, ancestor, attempt, first, last
            first = first if last is None else last + 1
