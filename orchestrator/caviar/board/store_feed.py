"""Where the board's answers come from: a store, looked at whenever somebody asks."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Any

from caviar.board.sweep_list import SweepList
from caviar.display.typed_commands import told_for
from caviar.errors import NotFoundError, StoreError
from caviar.store.layout import FORMAT_FILE

if TYPE_CHECKING:
    from caviar.store import Store


class StoreFeed:
    """Answers what changed since a version. Versions are of this process: `boot` tells them from those of another."""

    def __init__(self, store: Store, place: str) -> None:
        """Read nothing yet.

        Args:
            store: The store.
            place: As its user calls it.
        """
        self.boot = secrets.token_urlsafe(12)
        self._store = store
        self._place = place
        self._list = SweepList(store)
        self._list_version = 0
        self._list_lock = threading.Lock()

    def sweeps(self, boot: str, since: int) -> dict[str, Any] | None:
        """The list of sweeps; None: nothing has changed since that version.

        Raises:
            StoreError: The store cannot be read.
        """
        with self._list_lock, told_for(self._place):
            self._need_store()
            self._list_version += self._list.look()
            if boot == self.boot and since == self._list_version:
                return None
            return {
                "boot": self.boot,
                "version": self._list_version,
                "store": self._place,
                "sweeps": self._list.rows(),
                "not_shown": self._list.not_shown(),
            }

    def sweep(self, sweep: str, boot: str, since: int) -> bytes | None:
        """A payload of a sweep; None: nothing has changed since that version.

        Raises:
            NotFoundError: There is no such sweep.
            StoreError: It cannot be read.
        """
        with told_for(self._place):
            self._need_store()
            if any(one.id == sweep for one in self._store.sweeps()):
                raise StoreError(f"the board lists sweeps only, so far: caviar report {sweep} shows this one")
            raise NotFoundError(f"the store {self._place} has no sweep {sweep!a:.60}; it may have been removed")

    def _need_store(self) -> None:
        if not self._store.disk.exists(self._store.path / FORMAT_FILE):
            raise StoreError(f"the store {self._place} is not there at the moment; the board goes on when it is back")

    def close(self) -> None:
        """Let go of memory."""
