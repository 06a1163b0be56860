"""Sweeps in one file, to be handed on: a zip in which nothing is compressed, so that nothing in it can grow.

    FORMAT, sweep=<id>/…          as in a store

Such a file may come from a stranger. What it says of its members is compared with the rules before a byte is written:
only names that Caviar itself gives, each once, none of them a link, and no more bytes than the file has. The code of a
sweep that was unpacked is a stranger's, whoever it says made it.
"""

from __future__ import annotations

import calendar
import mmap
import os
import shutil
import stat
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from caviar.errors import NotFoundError, StoreError
from caviar.store.disk.store_errors import store_error
from caviar.store.foreign_files import is_ours, our_files
from caviar.store.layout import (
    AMENDMENTS,
    BUILD,
    FORMAT_FILE,
    HOT,
    MANIFEST,
    MERGED,
    OWNER,
    REQUESTS,
    SWEEP_FILE,
    SWEEP_FOLDER,
    SWEEP_PREFIX,
    format_bytes,
    format_of,
    numbered_name,
    parse_number,
)
from caviar.store.manifest import now
from caviar.store.owner import user_name
from caviar.store.sweep_dir import Amendment, SweepDir

if TYPE_CHECKING:
    from caviar.store.disk import Bytes

_PIECE = 2**22
_EARLIEST = 315_532_800
"""1980, before which a zip knows no time."""
_HEADER = struct.Struct("<4s22xHH")
"""Of a member: four bytes that are always the same; lengths of its name and of what else follows, before its bytes."""
_asides: list[tempfile.TemporaryDirectory[str]] = []
"""Folders that go when the process ends."""


def write_pack(sweeps: Iterable[SweepDir], path: str) -> None:
    """Write sweeps into a file.

    Args:
        sweeps: None of them runs.
        path: The file.

    Raises:
        StoreError: One runs, or was begun meanwhile, or cannot be read.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(FORMAT_FILE, format_bytes())
        for sweep in sweeps:
            before = _idle(sweep)
            try:
                _write(archive, sweep)
            except OSError as error:
                raise store_error("read", sweep.path, error) from error
            if _idle(sweep) != before:
                raise StoreError(f"{sweep.id} was changed while it was packed: type the command again")


def _idle(sweep: SweepDir) -> int:
    """The epoch of a sweep's owner; StoreError where that one is at work."""
    if sweep.owner_alive():
        raise StoreError(f"{sweep.id} is running, and would be packed in part: wait for its end, or caviar stop it")
    return sweep.owner().epoch


def _write(archive: zipfile.ZipFile, sweep: SweepDir) -> None:
    for name in our_files(sweep.disk, sweep.path):
        file = sweep.path / name
        moment = time.gmtime(max(sweep.disk.written(file), _EARLIEST))
        member = zipfile.ZipInfo(f"{sweep.path.name}/{name}", moment[:6])
        member.external_attr = (stat.S_IFREG | 0o644) << 16
        with sweep.disk.reading(file) as source, archive.open(member, "w", force_zip64=True) as target:
            shutil.copyfileobj(source, target, _PIECE)


class Pack:
    """A file of sweeps, opened to read; its bytes are mapped, and not copied into memory."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, data: mmap.mmap) -> None:
        self._path = path
        self._data = data
        self._members: dict[str, dict[str, zipfile.ZipInfo]] = {}
        members = archive.infolist()
        if sum(member.file_size for member in members) > len(data):
            raise self._refused("what is in it would be larger than itself")
        for member in members:
            if member.filename != FORMAT_FILE:
                self._enter(member)
            elif member.compress_type == zipfile.ZIP_STORED:
                format_of(path, bytes(self._bytes(member)))
        if not self._members or any(SWEEP_FILE not in inner for inner in self._members.values()):
            raise self._refused("it holds no whole sweep")

    @property
    def sweeps(self) -> list[str]:
        """Ids of the sweeps in it, newest last."""
        return sorted(folder.removeprefix(SWEEP_PREFIX) for folder in self._members)

    def _enter(self, member: zipfile.ZipInfo) -> None:
        """Enter a member that is what `write_pack` writes; see the head of this file."""
        folder, _, name = member.filename.partition("/")
        top, file = name.partition("/")[0], name.rpartition("/")[2]
        shown = f"{member.filename!a:.100}"
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise self._refused(f"{shown} is compressed")
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise self._refused(f"{shown} is no plain file")
        if not SWEEP_FOLDER.fullmatch(folder) or not is_ours(name) or top in (BUILD, REQUESTS) or file.startswith("."):
            raise self._refused(f"{shown} is no file of a sweep")
        if self._members.setdefault(folder, {}).setdefault(name, member) is not member:
            raise self._refused(f"{shown} is in it twice")

    def _refused(self, why: str) -> StoreError:
        return StoreError(f"{self._path} is no whole file of sweeps: {why}; ask for another copy.")

    def files(self, sweep: str) -> list[tuple[str, Bytes]]:
        """Path within its folder and bytes of each file of a sweep, and of one more that says that it was unpacked.

        Raises:
            StoreError: One is damaged.
        """
        inner = self._members[SWEEP_PREFIX + sweep]
        numbers = [parse_number(name.rpartition("/")[2]) for name in inner if name.startswith(f"{AMENDMENTS}/")]
        last = max((number for number in numbers if number is not None), default=-1)
        mark = Amendment(made=now(), user=user_name(), unpacked=True)
        found: list[tuple[str, Bytes]] = [(name, self._bytes(member)) for name, member in inner.items()]
        return [*found, (f"{AMENDMENTS}/{numbered_name(last + 1)}", mark.to_json())]

    def to_folder(self, sweep: str, home: Path) -> None:
        """Write a sweep's files into a folder that is not there yet; each is as old as it was."""
        files = self.files(sweep)
        for folder in folders_of(name for name, _ in files):
            (home / folder).mkdir(parents=True, exist_ok=True)
        for name, data in files:
            (home / name).write_bytes(data)
            if (member := self._members[SWEEP_PREFIX + sweep].get(name)) is not None:
                os.utime(home / name, (_time(member), _time(member)))

    def _bytes(self, member: zipfile.ZipInfo) -> memoryview:
        at = member.header_offset
        if not 0 <= at <= len(self._data) - _HEADER.size:
            raise self._refused(f"{member.filename!a:.100} is damaged")
        mark, name, more = _HEADER.unpack_from(self._data, at)
        begins = at + _HEADER.size + name + more
        found = memoryview(self._data)[begins : begins + member.file_size]
        if mark != b"PK\3\4" or len(found) != member.file_size or zlib.crc32(found) != member.CRC:
            raise self._refused(f"{member.filename!a:.100} is damaged")
        return found


def folders_of(names: Iterable[str]) -> list[str]:
    """The folders of a sweep with files of these names."""
    above = {str(folder) for name in names for folder in PurePosixPath(name).parents}
    return sorted({*above, OWNER, HOT, MERGED, MANIFEST} - {"."})


def _time(member: zipfile.ZipInfo) -> float:
    """When a member was written, in seconds since 1970; where it says nothing that is a time, 1980."""
    try:
        return float(calendar.timegm((*member.date_time, 0, 0, 0)))
    except (ValueError, OverflowError):
        return float(_EARLIEST)


@contextmanager
def open_pack(path: Path) -> Iterator[Pack]:
    """Open a file of sweeps.

    Raises:
        NotFoundError: There is none.
        StoreError: It is no such file, or breaks a rule.
    """
    try:
        if not path.is_file():
            raise NotFoundError(f"There is no file {path}: give the name of a file of sweeps, which ends in .caviar.")
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            # Not closed here: views of it may live as long as an error does.
            yield Pack(path, archive, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise store_error("unpack", path, error) from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise StoreError(f"{path} is no whole file of sweeps: {error}; ask for another copy.") from error


def unpacked_aside(path: Path) -> Path:
    """A temporary folder with the store that a file holds, which goes when the process ends; errors as `open_pack`."""
    with open_pack(path) as pack:
        folder = tempfile.TemporaryDirectory(prefix="caviar-pack-")
        _asides.append(folder)
        home = Path(folder.name).resolve()
        (home / FORMAT_FILE).write_bytes(format_bytes())
        for sweep in pack.sweeps:
            pack.to_folder(sweep, home / f"{SWEEP_PREFIX}{sweep}")
    return home
