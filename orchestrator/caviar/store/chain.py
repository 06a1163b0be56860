"""The chain of manifests on disk: the newest one, and compare-and-swap of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.kept import MOST_DESCRIBED
from caviar.store.layout import MANIFEST, numbered_name, parse_number
from caviar.store.manifest import Manifest, from_bytes, to_bytes

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.disk import Disk

KEPT = 32
"""Manifests that stay behind the newest one, for a look at what happened."""


def newest(disk: Disk, sweep: PurePath) -> Manifest:
    """The manifest with the highest number.

    Raises:
        StoreError: There is none, or it cannot be understood.
    """
    for _ in range(20):
        numbers = _numbers(disk, sweep)
        if not numbers:
            break
        path = sweep / MANIFEST / numbered_name(numbers[-1])
        try:
            return from_bytes(disk.read(path, most=MOST_DESCRIBED))
        except FileNotFoundError:  # many newer ones were written since the listing
            continue
        except ValueError as error:
            raise StoreError(f"The manifest {path} cannot be understood ({error}): restore it from a copy.") from error
    raise StoreError(f"{sweep} has no manifest: it is no sweep, or was copied in part.")


def append(disk: Disk, sweep: PurePath, manifest: Manifest) -> bool:
    """Add a manifest made from its predecessor; False when another process was quicker.

    After False the files that the manifest names must stay: the other process may have built upon it.
    """
    try:
        disk.create(sweep / MANIFEST / numbered_name(manifest.k), to_bytes(manifest))
    except FileExistsError:
        return False
    numbers = _numbers(disk, sweep)
    if numbers[-1] != manifest.k:  # the number was free because old manifests are deleted: the chain is past it
        return False
    old = [number for number in numbers if number < manifest.k - KEPT]
    disk.delete(sweep / MANIFEST / numbered_name(number) for number in old)
    return True


def _numbers(disk: Disk, sweep: PurePath) -> list[int]:
    found = (parse_number(name) for name in disk.list(sweep / MANIFEST))
    return sorted(number for number in found if number is not None)
