"""From what a user types to a sweep; and folders that hold a sweep under another name than its own."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from caviar.errors import NotFoundError
from caviar.store.layout import SWEEP_FILE, SWEEP_PREFIX, is_sweep_id
from caviar.store.storable import MOST_DESCRIBED
from caviar.store.untrusted_json import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePath

    from caviar.store.disk import Disk
    from caviar.store.sweep_dir import SweepDir


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


LATEST = "@last"
SHOWN = 5
FEWEST = 4
"""Characters of an abbreviation: what is shorter is more often a trial's number, or a slip, than a sweep."""
NAMELESS: Mapping[str, str] = {}


def named(
    sweeps: Sequence[SweepDir], ref: str | None, where: str, names: Mapping[str, str] = NAMELESS
) -> list[SweepDir]:
    """The sweeps that `ref` may mean, newest last.

    That is an id, the beginning or end of some (four characters at least), or the name of some; None and "@last" are
    the latest alone.

    Args:
        sweeps: LastReport last.
        ref: As typed.
        where: The store, for the sentence.
        names: Id → name, of those that can be read.

    Raises:
        NotFoundError: None of them.
    """
    if not sweeps:
        raise NotFoundError(f"The store {where} holds no sweeps yet: type `caviar run FILE`.")
    if ref is None or ref == LATEST:
        return [sweeps[-1]]
    for sweep in sweeps:
        if sweep.id == ref:
            return [sweep]
    found = [sweep for sweep in sweeps if ref and names.get(sweep.id) == ref]  # a name such as "a" also ends some id
    short = [sweep for sweep in sweeps if ref and (sweep.id.startswith(ref) or _ends_with(sweep.id, ref))]
    if found or (short and len(ref) >= FEWEST):
        return found or short
    if short:
        raise NotFoundError(
            f"No sweep is called {ref!r}, and an id is shortened to {FEWEST} characters at least: type {short[-1].id}, "
            "or another one that `caviar ls` lists."
        )
    known = [sweep.id for sweep in sweeps] + [name for name in names.values() if name]
    folded = {one.casefold(): one for one in known}
    close = get_close_matches(ref.casefold(), folded, n=1)
    hint = f"did you mean {folded[close[0]]!r}?" if close else "`caviar ls` lists them."
    raise NotFoundError(f"No sweep {ref!r} in the store {where}: {hint}")


def the_only(found: Sequence[SweepDir], ref: str | None) -> SweepDir:
    """The one sweep that `ref` names.

    Raises:
        NotFoundError: It names several.
    """
    if len(found) == 1:
        return found[0]
    listed = ", ".join(sweep.id for sweep in found[-SHOWN:][::-1])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise NotFoundError(f"{ref!r} names {len(found)} sweeps: type one of {listed}{more}.")


def _ends_with(sweep_id: str, ref: str) -> bool:
    return sweep_id.rpartition("-")[2].endswith(ref)
