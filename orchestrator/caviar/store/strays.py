"""Folders of a store that hold a sweep under another name than its own: renamed, or copied beside the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.kept import MOST_DESCRIBED
from caviar.store.layout import SWEEP_FILE, SWEEP_PREFIX, is_sweep_id
from caviar.store.record import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePath

    from caviar.disk import Disk


def sweep_id(name: str) -> str | None:
    """The id of the sweep in a folder of that name; None where that is no sweep's name."""
    found = name.removeprefix(SWEEP_PREFIX)
    return found if found != name and is_sweep_id(found) else None


def strays(disk: Disk, store: PurePath, names: Sequence[str]) -> list[str]:
    """Why a folder is no sweep of the store although it holds one, and what to do: a sentence for each such folder.

    Args:
        disk: Where the store is.
        store: Its folder.
        names: Of the folders in it.
    """
    own = {found for found in map(sweep_id, names) if found}
    others = [name for name in names if sweep_id(name) is None]
    held = disk.each(lambda name: disk.is_file(store / name / SWEEP_FILE), others)
    return [
        f"{name} is left out: {_advice(_id_of(disk, store / name), own)}"
        for name, holds in zip(others, held, strict=True)
        if holds
    ]


def _id_of(disk: Disk, folder: PurePath) -> str | None:
    """The id that the sweep in a folder was made with; None where its description does not tell."""
    try:
        found = read(disk, folder / SWEEP_FILE, most=MOST_DESCRIBED).get("id")
    except (OSError, ValueError):
        return None
    return found if isinstance(found, str) and is_sweep_id(found) else None


def _advice(its: str | None, own: set[str]) -> str:
    if its is None:
        return f"a sweep's folder is called {SWEEP_PREFIX} and its id; rename it back to what it was."
    if its in own:
        return f"it is a copy of {its}, which is here under its own name; move it into another store, or remove it."
    return f"a sweep's folder is called by its id; rename it back to {SWEEP_PREFIX}{its}."
