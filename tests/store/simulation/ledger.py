"""What drivers handed to the store, and what they were promised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Row(NamedTuple):
    """One report; its value is like no other's."""

    trial: int
    attempt: int
    start: int
    seq: int
    step: int
    value: float


class End(NamedTuple):
    """The end of an attempt, and how many rows it had."""

    trial: int
    attempt: int
    start: int
    rows: int


@dataclass(slots=True)
class Ledger:
    """What was handed to the store, and what of it the store said it has."""

    sweep: str | None = None
    """Id of the sweep, once it was created."""
    added: set[Row | End] = field(default_factory=set)
    acknowledged: set[Row | End] = field(default_factory=set)

    def copy(self) -> Ledger:
        return Ledger(self.sweep, set(self.added), set(self.acknowledged))
