"""Writing the final files of a sweep that was interrupted, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.store.check import strays
from caviar.store.finalize import write_final
from caviar.store.ownership import own

if TYPE_CHECKING:
    from caviar.store.sweep_dir import SweepDir


def needs_compacting(sweep: SweepDir) -> bool:
    """Whether a plain glob over the sweep is not exact though nobody, as far as can be told, runs it."""
    seen = sweep.snapshot()
    return sweep.owner().standing in ("nobody", "silent") and (
        not seen.plain or seen.manifest.state == "running" or bool(strays(sweep, seen))
    )


def compact(sweep: SweepDir, *, take_over: bool = False) -> None:
    """Sort what was recorded into one file a table, and remove what is left of merges and crashes.

    The sweep's state stays as it is, and `caviar resume` goes on from there.

    Args:
        sweep: The sweep.
        take_over: As for `SweepDir.claim`.

    Raises:
        StoreError: A living process runs it, or the store cannot be written.
    """
    with own(sweep, purpose="compacted", take_over=take_over) as held:
        state = held.sweep.snapshot().manifest.state
        write_final(held.sweep, held.epoch, state if state in ("finished", "failed") else None)
