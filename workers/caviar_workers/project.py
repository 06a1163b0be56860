"""The files of a project that travel with a sweep: a zip, unpacked once a node, in whose folder trials begin.

The zip may come from a stranger's store, so nothing of it is believed: its names stay within the folder, it holds plain
files only, and no more bytes than a project may have.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import IO

from caviar_workers.messages import Program
from caviar_workers.unpacked import kept_folder

MOST = 100_000_000
"""Bytes of all files of a project together: what Ray takes in one upload, too."""
MOST_FILES = 100_000
_FILES = "project"
"""The folder of the files, within the one that is kept."""
_PIECE = 2**20


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """The SHA-256 of a project, in hex digits, from the name of each file and that of its bytes."""
    sha = hashlib.sha256()
    for name, sum_ in sorted(files):
        sha.update(f"{len(name)}:{name}:{sum_}\n".encode())
    return sha.hexdigest()


def is_plain_name(name: str) -> bool:
    """Whether a name leads to a place within the project's folder, and reads the same everywhere."""
    parts = name.split("/")
    return not any(part in ("", ".", "..") for part in parts) and not re.search(r"[\\\0-\x1f\x7f]|^[A-Za-z]:", name)


def unpack(data: bytes, folder: Path, digest: str) -> None:
    """Write the files of a project.

    Args:
        data: The zip.
        folder: Is made; must not be there.
        digest: What the project's digest must be.

    Raises:
        ValueError: It is no zip of a project, or another one.
        OSError: It cannot be written.
    """
    if unpack_any(data, folder) != digest:
        raise ValueError("the project's files are not those that the sweep was made with")


def unpack_any(data: bytes, folder: Path) -> str:
    """Write the files of a zip, and return their digest.

    Args:
        data: The zip.
        folder: Is made; must not be there.

    Raises:
        ValueError: It is no zip of plain files within a folder, or of too many.
        OSError: It cannot be written.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check(members)
            folder.mkdir()
            return digest_of([(member.filename, _write(archive, member, folder)) for member in members])
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ArithmeticError, zlib.error) as error:
        raise ValueError(f"the project's files are no sound zip: {error}") from error


def _check(members: list[zipfile.ZipInfo]) -> None:
    """See that all may be written, before anything is."""
    if len(members) > MOST_FILES or sum(member.file_size for member in members) > MOST:
        raise ValueError(f"a project is at most {MOST:,} bytes in {MOST_FILES:,} files, and this one says it is larger")
    names = [member.filename for member in members]
    for member in members:
        kind = stat.S_IFMT(member.external_attr >> 16)
        packed = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if not is_plain_name(member.filename) or kind not in (0, stat.S_IFREG) or not packed:
            raise ValueError(f"a project holds plain files within its folder, and not {member.filename!a:.200}")
    if len(set(names)) != len(names):
        raise ValueError("a project holds each file once")


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> str:
    """Write one file, which nobody is to change: all trials of a node read it. Returns the SHA-256 of its bytes."""
    path = folder.joinpath(*member.filename.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    sha, left = hashlib.sha256(), member.file_size
    with archive.open(member) as source, _new(path, member.filename) as target:
        while piece := source.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise ValueError(f"{member.filename!a:.200} is larger than the project says")
            sha.update(piece)
            target.write(piece)
    path.chmod(0o555 if (member.external_attr >> 16) & 0o100 else 0o444)
    return sha.hexdigest()


def _new(path: Path, name: str) -> IO[bytes]:
    try:
        return path.open("xb")
    except FileExistsError:
        raise ValueError(
            f"{name!a:.200} and another of the project's files differ in case only, and this machine cannot tell them "
            "apart: rename one of them"
        ) from None


def in_place(program: Program, fetch: Callable[[], bytes] | None = None) -> Program:
    """The program with its files where they are on this node, unpacked if they are not yet.

    Args:
        program: One without a project is returned as it is.
        fetch: Gets the zip, if it is needed; None: the program has it.

    Raises:
        ValueError: The zip is not that of the project.
        OSError: It cannot be unpacked.
    """
    if not program.project:
        return program

    def fill(folder: Path) -> None:
        unpack(program.archive if fetch is None else fetch(), folder / _FILES, program.project)

    return moved(program, os.path.join(kept_folder(program.project[:32], fill, "project"), _FILES))


def moved(program: Program, root: str) -> Program:
    """The program with its project in another folder; the paths of what lies elsewhere stay."""
    files = {name: (_rebased(path, program.root, root), text) for name, (path, text) in program.files.items()}
    return replace(program, files=files, root=root, archive=b"", folder=root if program.folder else "")


def _rebased(path: str, before: str, root: str) -> str:
    inner = os.path.relpath(path, before)
    return path if inner == ".." or inner.startswith("../") else os.path.join(root, inner)
