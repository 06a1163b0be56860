"""Checksums of whole files: what was written is what is read.

DuckDB decodes a page without looking at its checksum, and a changed byte may well decode: to other numbers. So
each data file has a CRC-32 of all its bytes, a hot one in its name, the others in the manifest, and is compared
with it before it is first read.
"""

from __future__ import annotations

import zlib
from typing import IO, TYPE_CHECKING, Any

from caviar.errors import StoreError
from caviar.store.disk.disk import MOST_CHECKED

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.store.disk.disk import Disk

PIECE = 2**20

_verified: set[tuple[PurePath, int, float, str]] = set()


def checksum(data: Any) -> str:
    """CRC-32 of bytes, as eight hex digits."""
    return f"{zlib.crc32(data):08x}"


def checksum_of(file: IO[bytes]) -> str:
    """CRC-32 of what follows in an open file, read in pieces."""
    value = 0
    while piece := file.read(PIECE):
        value = zlib.crc32(piece, value)
    return f"{value:08x}"


def verify(disk: Disk, path: PurePath, expected: str, *, most: int = MOST_CHECKED) -> None:
    """Compare a file with its checksum, unless this process did so before.

    Args:
        disk: Where it is.
        path: The file.
        expected: Its checksum; "" when none was recorded.
        most: Bytes beyond which it is not compared.

    Raises:
        StoreError: It was changed.
        OSError: It cannot be read.
    """
    if not expected:
        return
    size, written = disk.size(path), disk.written(path)
    key = (path, size, written, expected)
    if size > most or key in _verified:
        return
    with disk.reading(path) as file:
        found = checksum_of(file)
    if found != expected:
        raise damaged(path, found, expected)
    _verified.add(key)


def damaged(path: object, found: str, expected: str) -> StoreError:
    """The sentence for a file that was changed."""
    return StoreError(
        f"{path} is damaged (its checksum is {found}, and was {expected}): `caviar store check` sets it aside, "
        "so that the rest can be read; or restore it from a copy."
    )


class Summed:
    """A file being written, and the checksum of what it got so far."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._value = 0

    def write(self, data: Any) -> int:
        """Write bytes."""
        self._value = zlib.crc32(data, self._value)
        return self._file.write(data)

    def flush(self) -> None:
        """Hand on what is buffered."""
        self._file.flush()

    @property
    def checksum(self) -> str:
        """CRC-32, as eight hex digits."""
        return f"{self._value:08x}"
