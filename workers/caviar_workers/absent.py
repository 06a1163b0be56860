"""What stands in a column of configurations where a parameter does not exist for a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any


class Absent(Enum):
    """The place of an inactive conditional parameter; an enum, so that it stays one object in every process."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


def row_of(columns: Mapping[str, Sequence[Any]], position: int) -> dict[str, Any]:
    """The row at `position`, without what is absent from it; a dict of its own."""
    row = {name: column[position] for name, column in columns.items()}
    return {name: value for name, value in row.items() if value is not ABSENT} if ABSENT in row.values() else row
