"""What a sweep keeps of the file that it was imported from, where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caviar.store.untrusted_json import Unreadable, record

KIND = "import"
"""Of the program of a sweep that has none, for its trials were not run here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Where the trials of an imported sweep come from.

    Attributes:
        file: name of the table.
        sha256: of its bytes, in hex.
        tool: whose table it is; empty: of none that is known.
        repeated: whether several of its trials have the same configuration.
    """

    file: str
    sha256: str
    tool: str = ""
    repeated: bool = True


def imported_from(description: Mapping[str, Any]) -> Imported | None:
    """Where a sweep was imported from, by its description; None: it was run."""
    if description.get("program", {}).get("kind") != KIND:
        return None
    found = description["provenance"].get("imported")
    try:
        return record(Imported, found if isinstance(found, dict) else {}, later=True)
    except Unreadable:
        return Imported(file="a table that is not known", sha256="")
