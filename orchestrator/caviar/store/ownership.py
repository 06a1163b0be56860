"""To own a sweep while a block lasts: claims it at the beginning, gives signs of life, and releases it at the end."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from caviar.errors import StoreError
from caviar.store.disk import Backoff
from caviar.store.owner import owner_path, superseded

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from caviar.store.sweep_dir import SweepDir

BEAT_S = 15.0
"""Seconds between two signs of life; a quarter of the silence after which others take an owner for dead."""

AGAIN_S = 2.0
"""Seconds to the next sign of life after one that failed."""


def own(sweep: SweepDir, *, purpose: str = "run", take_over: bool = False) -> Ownership:
    """Claim a sweep, and beat from then on until it is released; errors as for `SweepDir.claim`.

    Everything that writes to a sweep does so within such a block, and reads within it what it acts upon.
    """
    owned = Ownership(sweep)
    try:
        sweep.claim(purpose=purpose, take_over=take_over, held=owned.begin)
    except BaseException:
        owned.stop()
        raise
    return owned


class Ownership:
    """A sweep that this process owns.

    Signs of life come from a thread of its own, by a disk with a `Backoff` of its own: whatever else waits for a disk,
    for the user's code or for other processes, does not keep it waiting. They begin within the claim: on a disk whose
    fsync takes seconds, that alone may last longer than an owner may be silent.
    """

    def __init__(self, sweep: SweepDir) -> None:
        self.epoch = 0
        self.sweep = sweep.again()
        """Read from now on: what was known of it before it was ours may be out of date."""
        self.stuck: Callable[[], bool] = bool
        """Whether its disk does not answer, and nobody waits for it: then that this process is gone must say all."""
        self._over = threading.Event()
        self._lost = False
        self._beating = sweep.with_backoff(Backoff())
        self._thread = threading.Thread(target=self._beat, name="caviar-beat", daemon=True)

    def begin(self, epoch: int) -> None:
        """Give signs of life: the sweep is ours."""
        self.epoch = epoch
        self._thread.start()

    def stop(self) -> None:
        """Give none any more; may be called again."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def check(self) -> None:
        """See that the sweep is ours, as far as the last beat knows.

        Raises:
            StoreError: It was taken over, or removed: this process must stop.
        """
        if self._lost:
            raise StoreError(
                f"{self.sweep.path.name} was taken over by another process, or removed: this one stops, and writes no "
                "more; caviar ls shows what there is."
            )

    def look(self) -> None:
        """See that the sweep is ours at this moment; for what is seldom written. Errors as for `check`."""
        self._lost = self._lost or superseded(self.sweep.disk, self.sweep.path, self.epoch)
        self.check()

    def release(self) -> None:
        """Let go of the sweep; may be called again. Works on a full disk."""
        self._over.set()
        if self.stuck():
            return
        self.stop()
        self.sweep.release(self.epoch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.release()
            return
        with suppress(StoreError):  # the first error is the one to tell
            self.release()

    def _beat(self) -> None:
        disk, path = self._beating.disk, self._beating.path
        pause = BEAT_S
        while not self._over.wait(pause):
            pause = BEAT_S
            try:
                if superseded(disk, path, self.epoch):
                    self._lost = True
                    return
                disk.touch(owner_path(path, self.epoch))
            except FileNotFoundError:
                self._lost = True
                return
            except OSError:
                pause = AGAIN_S
