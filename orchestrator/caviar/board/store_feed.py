"""Where the board's answers come from: a store, looked at whenever somebody asks."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from caviar.board.sweep_feed import SweepFeed
from caviar.board.sweep_list import SweepList
from caviar.display.typed_commands import told_for
from caviar.errors import NotFoundError, StoreError
from caviar.store.layout import FORMAT_FILE, SWEEP_FILE, SWEEP_PREFIX, is_sweep_id
from caviar.store.sweep_dir import SweepDir

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.store import Store


MOST_BYTES = 256 * 2**20
"""Of what is kept of sweeps that somebody looked at; those that nobody asked for longest go first."""
MOST_SWEEPS = 64
"""Sweeps of which something is kept."""
MOST_OPEN = 8
"""Of them, those whose rows of trials are in a database in memory."""


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
        self._versions = count(1)
        self._list = SweepList(store)
        self._list_version = 0
        self._list_lock = threading.Lock()
        self._feeds: OrderedDict[str, _Feed] = OrderedDict()
        self._feeds_lock = threading.Lock()

    def sweeps(self, boot: str, since: int) -> dict[str, Any] | None:
        """The list of sweeps; None: nothing has changed since that version.

        Raises:
            StoreError: The store cannot be read.
        """
        with self._list_lock, told_for(self._place):
            self._need_store()
            if self._list.look():
                self._list_version = next(self._versions)
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
            place = self._store.path / f"{SWEEP_PREFIX}{sweep}"
            if not is_sweep_id(sweep) or not self._store.disk.exists(place / SWEEP_FILE):
                with self._feeds_lock:
                    self._feeds.pop(sweep, None)
                raise NotFoundError(f"there is no sweep {sweep!a:.60}, or it was removed: the list shows what there is")
            with self._feeds_lock:
                one = self._feeds.get(sweep) or self._new(place)
                self._feeds[sweep] = one
                self._feeds.move_to_end(sweep)
            with one.lock:
                found = one.feed.payload(self.boot, since if boot == self.boot else -1, self._kin(sweep))
            self._make_room()
            return found

    def _new(self, place: PurePath) -> _Feed:
        return _Feed(SweepFeed(self._store, SweepDir(path=place, disk=self._store.disk), self._versions))

    def _kin(self, sweep: str) -> list[tuple[str, str]]:
        """The sweeps that come of this one, and their states: its retest says who wins."""
        found = {sweep: ""}
        for row in reversed(self._list.rows()):  # whoever comes of another one is newer
            if row["parent"] in found:
                found[row["id"]] = row["state"]
        return list(found.items())

    def _make_room(self) -> None:
        """Let go of the sweeps that nobody asked for longest, but for those that are read at this moment."""
        with self._feeds_lock:
            size = sum(one.feed.size for one in self._feeds.values())
            for one in list(self._feeds.values())[:-MOST_OPEN]:
                if one.lock.acquire(blocking=False):
                    one.feed.close()
                    one.lock.release()
            for sweep, one in list(self._feeds.items())[:-1]:
                if size <= MOST_BYTES and len(self._feeds) <= MOST_SWEEPS:
                    break
                if one.lock.acquire(blocking=False):
                    size -= one.feed.size
                    one.feed.close()
                    del self._feeds[sweep]
                    one.lock.release()

    def _need_store(self) -> None:
        if not self._store.disk.exists(self._store.path / FORMAT_FILE):
            raise StoreError(f"the store {self._place} is not there at the moment; the board goes on when it is back")


@dataclass(frozen=True)
class _Feed:
    """A sweep that is followed, by one thread at a time."""

    feed: SweepFeed
    lock: threading.Lock = field(default_factory=threading.Lock)
