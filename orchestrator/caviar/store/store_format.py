"""The format of a store: a number in its file FORMAT, raised by whoever first writes what an older program misreads.

Format 2: an owner's file says more than a program of format 1 understands, which takes such an owner for none. So that
program must refuse the store, and does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.layout import FORMAT_FILE
from caviar.store.untrusted_json import MOST_BYTES, parsed, record
from caviar_workers.tables import FORMAT

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.store.disk import Disk


@dataclass(frozen=True, kw_only=True)
class _Format:
    format: int


def format_bytes() -> bytes:
    """Return what FORMAT holds in a store that this program writes."""
    return json.dumps({"format": FORMAT}).encode()


def check_format(disk: Disk, store: PurePath) -> int:
    """The format of a store.

    Raises:
        StoreError: It is a later one than this program knows, or FORMAT says nothing.
        OSError: FORMAT cannot be read.
    """
    try:
        found = record(_Format, parsed(disk.read(store / FORMAT_FILE, most=MOST_BYTES)), later=True).format
    except ValueError as error:
        raise StoreError(f"{store / FORMAT_FILE} cannot be understood: restore it from a copy.") from error
    if found > FORMAT:
        raise StoreError(
            f"The store {store} was written by a newer caviar (format {found}, this one knows {FORMAT}): "
            "upgrade with `pip install --upgrade caviar-sweep`, or `git pull` in a checkout."
        )
    return found


def raise_format(disk: Disk, store: PurePath) -> None:
    """Let older programs refuse the store from now on; errors as for `check_format`. Goes before the first write."""
    if check_format(disk, store) < FORMAT:
        disk.publish([(store / FORMAT_FILE, format_bytes())])
