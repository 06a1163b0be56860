"""Folders of trials: an attempt's own, and one as the bytes of a checkpoint, a plain tar that anybody can open."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
import uuid
from pathlib import Path, PurePosixPath

ROOT = "caviar-folder"
"""The folder's name in the archive, by which it is known from a file of the user's."""


def is_folder(data: bytes) -> bool:
    """Whether the bytes are those of a folder."""
    return (
        data[: len(ROOT)] == ROOT.encode() and data[len(ROOT) : 100].strip(b"\0/") == b"" and data[257:262] == b"ustar"
    )


def pack_folder(folder: Path, file: Path) -> None:
    """Write a folder, and all in it, into a file; of a link, what it leads to.

    Raises:
        OSError: It cannot be read.
    """
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT, dereference=True) as archive:
        root = tarfile.TarInfo(ROOT)
        root.type, root.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(root)
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            archive.add(entry.path, f"{ROOT}/{entry.name}")


def write_data(data: bytes, path: Path) -> None:
    """Write what was saved: a file, or a folder as it was; whole or not at all.

    Raises:
        OSError: It cannot be written, a folder is there already, or the archive holds what no folder of ours does.
    """
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    if not is_folder(data):
        aside.write_bytes(data)
        os.replace(aside, path)
        return
    aside.mkdir()
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                _extract(archive, member, aside)
        os.rename(aside / ROOT, path)
    except tarfile.TarError as error:
        raise OSError(f"the checkpoint's folder cannot be unpacked: {error}") from error
    finally:
        remove(aside)


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    """Write a member of an archive that may be a stranger's: files and folders below `into`, and nothing else."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or name.parts[:1] != (ROOT,):
        raise OSError(f"the checkpoint's folder holds {member.name!r:.60}, which lies outside of it")
    if member.isdir():
        (into / name).mkdir(parents=True, exist_ok=True)
    elif member.isreg() and (source := archive.extractfile(member)) is not None:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        with source, open(into / name, "xb") as file:
            shutil.copyfileobj(source, file)
        os.chmod(into / name, 0o755 if member.mode & 0o100 else 0o644)
    else:
        raise OSError(f"the checkpoint's folder holds {member.name!r:.60}, which is no file and no folder")


def scratch_folder(sweep: str, trial: int) -> Path:
    """Return a new folder for an attempt, in the machine's temporary one."""
    return Path(tempfile.mkdtemp(prefix=f"caviar-{sweep}-t{trial}-"))


def remove(folder: Path | None) -> None:
    """Remove a folder, if there is one, and all in it."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
