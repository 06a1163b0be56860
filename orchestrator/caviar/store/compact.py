"""Writing the final files of a sweep that was interrupted, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.store.check import strays
from caviar.store.finalize import finalize

if TYPE_CHECKING:
    from caviar.store.sweep_dir import SweepDir


def needs_compacting(sweep: SweepDir) -> bool:
    """Whether a plain glob over the sweep is not exact though nobody runs it."""
    seen = sweep.snapshot()
    return sweep.state() != "running" and (
        not seen.plain or seen.manifest.state == "running" or bool(strays(sweep, seen))
    )


def compact(sweep: SweepDir) -> None:
    """Sort what was recorded into one file a table, and remove what is left of merges and crashes.

    The sweep's state stays as it is, and `caviar resume` goes on from there.

    Raises:
        StoreError: A living process runs it, or the store cannot be written.
    """
    state = sweep.state()
    epoch = sweep.claim()
    try:
        finalize(sweep, epoch, state if state in ("finished", "failed") else None)
    except BaseException:
        sweep.release(epoch)
        raise
