"""From what a user types to a sweep."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from caviar.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caviar.store.sweep_dir import SweepDir

LATEST = "@last"
SHOWN = 5
NAMELESS: Mapping[str, str] = {}


def named(
    sweeps: Sequence[SweepDir], ref: str | None, where: str, names: Mapping[str, str] = NAMELESS
) -> list[SweepDir]:
    """The sweeps that `ref` may mean, newest last.

    That is an id, the beginning or end of some, or the name of some; None and "@last" are the latest alone.

    Args:
        sweeps: Newest last.
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
    found = found or [sweep for sweep in sweeps if ref and (sweep.id.startswith(ref) or _ends(sweep.id, ref))]
    if found:
        return found
    known = [sweep.id for sweep in sweeps] + [name for name in names.values() if name]
    close = get_close_matches(ref, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "`caviar ls` lists them."
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


def _ends(sweep_id: str, ref: str) -> bool:
    return sweep_id.rpartition("-")[2].endswith(ref)
