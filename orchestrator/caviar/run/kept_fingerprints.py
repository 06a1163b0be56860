"""Keeps what the processes of a sweep train with, beside its trials: no trial waits for it, and none fails for it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from caviar.errors import StoreError
from caviar.run.engine.background import Background
from caviar.store.fingerprints import MOST_KEPT, add_fingerprint

if TYPE_CHECKING:
    from concurrent.futures import Future

    from caviar.store import SweepDir
    from caviar_workers.messages import Fingerprint

_PATIENCE_S = 10.0
"""Seconds that the end of a sweep waits for the last of them."""


class KeptFingerprints:
    """Writes each different fingerprint once; a context manager.

    Args:
        sweep: Ours.
        note: Told in a line what could not be kept.
    """

    def __init__(self, sweep: SweepDir, note: Callable[[str], None]) -> None:
        self._sweep = sweep
        self._note = note
        self._seen: list[Fingerprint] = []
        self._background = Background("caviar-fingerprints")
        self._kept: list[Future[None]] = []

    def __call__(self, found: Fingerprint) -> None:
        """Have it kept, soon."""
        if found not in self._seen and len(self._seen) < MOST_KEPT:
            self._seen.append(found)
            self._kept.append(self._background.do(lambda: add_fingerprint(self._sweep, found)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._background.close(_PATIENCE_S)
        failures = [fault for one in self._kept if one.done() and (fault := one.exception()) is not None]
        if failures:
            why = failures[0] if isinstance(failures[0], StoreError) else repr(failures[0])
            self._note(f"what the trials' processes were (libraries, processor) is not kept: {why}")
