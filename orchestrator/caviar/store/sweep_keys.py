"""Keys of sweeps: whoever starts the sweep of a key, and however often, there is one.

A file in `_keys/`, which is created only if it is not there, says which id the sweep of a key has; and a sweep of a
given id is created only if there is none. So whoever comes second, or dies in between, finds the same sweep.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import KEYS, is_sweep_id
from caviar.store.untrusted_json import read, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePath

    from caviar.store.disk import Disk


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepKey:
    """A key, and the sweep that it stands for."""

    key: str
    """Any text."""
    sweep: str
    """The id."""


def sweep_key(disk: Disk, store: PurePath, key: str, fresh: Callable[[], str]) -> SweepKey:
    """The sweep that a key stands for, whether it is there yet or not.

    Args:
        disk: Where the store is.
        store: Its folder.
        key: The key.
        fresh: Gives the id, where nobody has given one.

    Raises:
        StoreError: The store cannot be written, or says something else.
    """
    found = known_key(disk, store, key)
    if found is None:
        path = _path(store, key)
        try:
            disk.make_folder(path.parent, within=store)
            with suppress(FileExistsError):  # another process was quicker
                disk.create(path, json.dumps(asdict(SweepKey(key=key, sweep=fresh()))).encode())
        except OSError as error:
            raise store_error("write to", store, error) from error
        found = known_key(disk, store, key)
    if found is None:
        raise StoreError(f"{_path(store, key)} was removed just now: type the same again.")
    return found


def known_key(disk: Disk, store: PurePath, key: str) -> SweepKey | None:
    """The sweep that a key stands for; None: nobody has said. Errors as of `sweep_key`."""
    path = _path(store, key)
    try:
        found = record(SweepKey, read(disk, path), later=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise store_error("read", store, error) from error
    except ValueError as error:
        raise StoreError(f"{path} cannot be understood ({error}): remove it, and type the same again.") from error
    if found.key != key or not is_sweep_id(found.sweep):
        raise StoreError(f"{path} is not that of the key {key!r:.60}: remove it, and type the same again.")
    return found


def forget_key(disk: Disk, store: PurePath, key: str, sweep: str) -> None:
    """Let a key stand for no sweep any more, if it stood for one that was removed; OSError when that fails."""
    path = _path(store, key)
    with suppress(FileNotFoundError, ValueError):
        if record(SweepKey, read(disk, path), later=True).sweep == sweep:
            disk.delete([path], durable=True)


def _path(store: PurePath, key: str) -> PurePath:
    return store / KEYS / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
