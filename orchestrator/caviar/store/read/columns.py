"""Columns of a view, and how those of several sweeps become one table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.read.sql import name, text
from caviar_workers.tables import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SQL_TYPES = {
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "int": "BIGINT",
    "float": "DOUBLE",
    "floats": "DOUBLE[]",
    "bool": "BOOLEAN",
    "text": "VARCHAR",
    "texts": "VARCHAR[]",
    "time": "TIMESTAMPTZ",
}
"""DuckDB's type of each type word of `caviar_workers.tables.FIELDS`."""

NUMBERS = ("int16", "int32", "int64", "int", "float")
"""Words of numbers, narrow to wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of one sweep's part of a view."""

    name: str
    word: str
    """Key of `SQL_TYPES`."""
    section: int = 0
    """Columns of a lower section come first."""
    older: str | int | bool | None = None
    """What files have that lack it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sweep's part of a view."""

    sweep: str
    columns: tuple[Column, ...]
    sql: str
    """A SELECT that yields those columns, at least."""


def fixed(table: str, section: int = 0) -> tuple[Column, ...]:
    """The fixed columns of a recorded table."""
    return tuple(
        Column(name=key, word=field.word, section=section, older=field.older) for key, field in FIELDS[table].items()
    )


def pick(wanted: Sequence[Column], held: Mapping[str, str]) -> str:
    """Select list of the wanted columns; one that is not held has the value of older files, mostly NULL."""
    return ", ".join(
        name(column.name)
        if column.name in held
        else f"{_literal(column.older)}::{SQL_TYPES[column.word]} AS {name(column.name)}"
        for column in wanted
    )


def _literal(value: str | int | bool | None) -> str:
    return text(value) if isinstance(value, str) else "NULL" if value is None else str(value)


def need_types(sweep: str, table: str, columns: Sequence[Column], held: Mapping[str, str]) -> None:
    """See that files hold what belongs into their columns; a table may be older, and lack some.

    Args:
        sweep: Whose files, for the sentence.
        table: Of which table, for the sentence.
        columns: Those that are wanted.
        held: Column → DuckDB's type, as the files have it.

    Raises:
        StoreError: One of them is of another kind.
    """
    for column in columns:
        kind = held.get(column.name)
        if kind is not None and not re.fullmatch(_HELD[column.word], kind):
            raise StoreError(
                f"the {table} of {sweep} hold {kind} in {column.name!r}, where {_WORDS[column.word]} belong: "
                "restore the sweep from a copy."
            )


_WHOLE = r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?"
_NUMBER = rf"{_WHOLE}|FLOAT|DOUBLE|DECIMAL.*"
_HELD = dict.fromkeys(("int16", "int32", "int64", "int"), _WHOLE) | {
    "float": _NUMBER,
    "floats": rf"({_NUMBER})\[\]",
    "bool": "BOOLEAN",
    "text": "VARCHAR",
    "texts": r"VARCHAR\[\]",
    "time": "TIMESTAMP.*",
}
_WORDS = dict.fromkeys(("int16", "int32", "int64", "int"), "whole numbers") | {
    "float": "numbers",
    "floats": "lists of numbers",
    "bool": "truth values",
    "text": "texts",
    "texts": "lists of texts",
    "time": "times",
}


def union(parts: Sequence[Part]) -> str:
    """One SELECT over the parts, with a leading `sweep`; times as TIMESTAMP in UTC.

    Names that differ in case only are one column, under the last part's spelling. One that is a number in
    one sweep and text (or a truth value) in another becomes two: `lr`, `lr_text` (`lr_bool`).
    """
    merged = _merge(parts)
    selects = []
    for part in parts:
        own = {column.name.casefold(): column for column in part.columns}
        cells = [_cell(own.get(key), out, word) for key, out, word in merged]
        selects.append(f"SELECT {text(part.sweep)} AS sweep, {', '.join(cells)} FROM ({part.sql})")
    return "\nUNION ALL ".join(selects)


def _merge(parts: Sequence[Part]) -> list[tuple[str, str, str]]:
    """(casefolded name, name in the view, word) of each column, in order."""
    found: dict[str, list[Column]] = {}
    for part in parts:
        for column in part.columns:
            found.setdefault(column.name.casefold(), []).append(column)
    taken = set(found)
    merged = []
    for key, columns in sorted(found.items(), key=lambda item: min(column.section for column in item[1])):
        spelling = columns[-1].name
        for place, (family, word) in enumerate(_families(columns).items()):
            out = spelling if place == 0 else f"{spelling}_{family}"
            while place and out.casefold() in taken:
                out += "_"
            taken.add(out.casefold())
            merged.append((key, out, word))
    return merged


def _family(word: str) -> str:
    return "number" if word in NUMBERS else word


def _families(columns: Sequence[Column]) -> dict[str, str]:
    """Family → its widest word; numbers first."""
    words = {column.word for column in columns}
    wide = {_family(word): word for word in sorted(words, key=lambda w: NUMBERS.index(w) if w in NUMBERS else 0)}
    return dict(
        sorted(wide.items(), key=lambda item: ("number", "bool", "text").index(item[0]) if len(wide) > 1 else 0)
    )


def _cell(column: Column | None, out: str, word: str) -> str:
    kind = SQL_TYPES[word]
    if column is None or _family(column.word) != _family(word):
        kind = "TIMESTAMP" if word == "time" else kind
        return f"NULL::{kind} AS {name(out)}"
    source = name(column.name)
    if word == "time":  # without a zone: Python needs pytz to fetch the other kind
        source = f"make_timestamp(epoch_us({source}))"
    elif column.word != word:
        source = f"{source}::{kind}"
    return f"{source} AS {name(out)}"
