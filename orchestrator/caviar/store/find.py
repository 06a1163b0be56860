"""From what a user types to a sweep."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from caviar.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.store.sweep_dir import SweepDir

LATEST = "@last"
SHOWN = 5


def pick(sweeps: Sequence[SweepDir], ref: str | None, where: str) -> SweepDir:
    """The sweep that `ref` names.

    That is an id, the unique beginning or end of one, or a unique name; None and "@last" are the latest.

    Args:
        sweeps: Newest last.
        ref: As typed.
        where: The store, for the sentence.

    Raises:
        NotFoundError: None of them, or several.
    """
    if not sweeps:
        raise NotFoundError(f"The store {where} holds no sweeps yet: type `caviar run FILE`.")
    if ref is None or ref == LATEST:
        return sweeps[-1]
    for sweep in sweeps:
        if sweep.id == ref:
            return sweep
    found = [sweep for sweep in sweeps if ref and sweep.name == ref]  # a name such as "a" also ends some id
    found = found or [sweep for sweep in sweeps if ref and (sweep.id.startswith(ref) or _ends(sweep.id, ref))]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(sweep.id for sweep in found[-SHOWN:][::-1])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise NotFoundError(f"{ref!r} names {len(found)} sweeps: type one of {listed}{more}.")
    known = [sweep.id for sweep in sweeps] + [sweep.name for sweep in sweeps if sweep.name]
    close = get_close_matches(ref, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "`caviar ls` lists them."
    raise NotFoundError(f"No sweep {ref!r} in the store {where}: {hint}")


def _ends(sweep_id: str, ref: str) -> bool:
    return sweep_id.rpartition("-")[2].endswith(ref)
