"""From an OSError to one sentence for the user."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.disk.disk import ObjectPath

if TYPE_CHECKING:
    from pathlib import PurePath

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def store_error(doing: str, path: PurePath, error: BaseException) -> StoreError:
    """The sentence for an error met while `doing` something ("write to", "read") with the store at `path`."""
    if isinstance(error, StoreError):
        return error
    number = getattr(error, "errno", None)
    if number in FULL:
        return StoreError(
            f"Cannot {doing} {path}: the disk is full ({_reason(error)}); what was published before stays "
            "readable, so free some space and type `caviar resume`."
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(
            f"Cannot {doing} {path}: {_reason(error)}; choose another store with --store PATH, "
            "or change its permissions."
        )
    if number == errno.ELOOP:
        return StoreError(f"Cannot {doing} {path}: {_reason(error)}: move it away, or put what it means in its place.")
    if number == errno.ENODEV:
        return StoreError(
            f"Cannot {doing} {path}: {_reason(error)}; make it, or choose another store with --store PATH."
        )
    where = "the network and the endpoint" if isinstance(path, ObjectPath) else "the disk"
    return StoreError(f"Cannot {doing} {path}: {_reason(error)}; see to {where} and try again.")


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
