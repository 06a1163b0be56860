"""A project with a program: its files as a zip, and the digest that both have together."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from caviar.errors import SpecError
from caviar.spec.command_source import command_program, files_of, stored_command
from caviar.spec.project_files import ProjectFile, ProjectFiles, check_root, project_files
from caviar_workers.extra_packages import NAME
from caviar_workers.load import root_of
from caviar_workers.messages import Program
from caviar_workers.project import MOST, digest_of

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the archive says nothing of when


def home_of(program: Program) -> Path:
    """The folder that a program's project is, where nobody says otherwise: that of its file, or of its package."""
    return Path(root_of(program)) if program.module else Path.cwd()  # of a command, where it begins


def with_project(
    program: Program, root: Path, wanted: Sequence[str], *, store: Path | None = None, packages: bytes = b""
) -> Program:
    """The program with the files of its project, of which some travel, and its own modules.

    Args:
        program: Code alone.
        root: The project's folder.
        wanted: Globs, from that folder; none: it stays code alone, but for packages.
        store: Where results go.
        packages: A zip of packages that travel with them; empty: there are none.

    Raises:
        SpecError: A glob finds nothing, the files are too many or cannot be read, or the folder cannot be a project's.
    """
    if not wanted and not packages:
        return program
    root = check_root(root)
    named: list[str] = []
    if (command := stored_command(program)) is not None:
        folder = os.path.join(program.root or home_of(program), command.folder or "")
        command = replace(command, folder=folder)
        named = [os.path.relpath(os.path.join(folder, one), root) for one in files_of(command)]
        program = command_program(command, root)
    inner = [os.path.relpath(path, root) for path, _ in program.files.values()]
    own = sorted(name for name in (*inner, *named) if not name.startswith("..") and (root / name).is_file())
    found = project_files(root, wanted, also=own, store=store)
    found.check_size()
    digest, archive = zipped(found, {NAME: packages} if packages else {})
    # What the same code does depends on its files.
    together = hashlib.sha256(f"{program.digest}:{digest}".encode()).hexdigest()
    folder = str(root) if program.folder else ""
    return replace(program, digest=together, project=digest, root=str(root), archive=archive, folder=folder)


def packages_in(archive: bytes) -> bytes:
    """The packages that travel with a project, as `with_project` took them; empty: there are none.

    Args:
        archive: The zip of its files; empty: it has none.

    Raises:
        SpecError: It is no sound zip.
    """
    if not archive:
        return b""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            size = files.getinfo(NAME).file_size if NAME in files.namelist() else 0
            if size > MOST:
                raise SpecError(f"the packages of a project are at most {MOST:,} bytes")
            return files.read(NAME) if size else b""
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise SpecError(f"the project's files are no sound zip: {error}") from error


def zipped(found: ProjectFiles, also: Mapping[str, bytes] | None = None) -> tuple[str, bytes]:
    """The digest of files, and a zip of them: the same bytes for the same files.

    Args:
        found: The files.
        also: Name → bytes of more of them.

    Raises:
        SpecError: One cannot be read.
    """
    buffer = io.BytesIO()
    names: list[tuple[str, str]] = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file, data in _read(found.kept):
            _add(archive, file.name, data, 0o755 if os.access(file.path, os.X_OK) else 0o644)
            names.append((file.name, hashlib.sha256(data).hexdigest()))
        for name, data in (also or {}).items():
            _add(archive, name, data, 0o644)
            names.append((name, hashlib.sha256(data).hexdigest()))
    return digest_of(names), buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes, mode: int) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o100000 | mode) << 16
    archive.writestr(info, data)


def _read(files: Iterable[ProjectFile]) -> Iterable[tuple[ProjectFile, bytes]]:
    left = MOST
    for file in files:
        try:
            data = file.path.read_bytes()
        except OSError as error:
            raise SpecError(f"cannot read {file.path} of the project: {error.strerror or error}") from error
        left -= len(data)
        if left < 0:
            raise SpecError(f"{file.path} grew while the project was read: try again when nobody writes to it")
        yield file, data
