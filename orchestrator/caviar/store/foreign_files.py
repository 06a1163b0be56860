"""What Caviar writes into a sweep's folder: told by name and kind before anything is deleted, and swept up.

A sweep may be handed over by somebody else, and a person may put something of his own into its folder. Whatever is no
file of one of these forms, in one of these folders, is not ours: it is named, and left alone. A link never is ours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.disk import STALE_S
from caviar.store.disk.posix import ASIDE
from caviar.store.layout import (
    AMENDMENTS,
    ARTIFACTS,
    BUILD,
    CHECKPOINTS,
    CODE_FILE,
    DRIFT,
    DRIVERS,
    FINAL_TABLES,
    FINAL_TESTS,
    FINGERPRINTS,
    HOT,
    MANIFEST,
    MERGED,
    OWNER,
    PROJECT_FILE,
    QUARANTINE,
    REQUESTS,
    SUPERSEDED,
    SWEEP_FILE,
)
from caviar_workers.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePath

    from caviar.store.disk import Disk


_FORMS = {
    "": rf"{re.escape(SWEEP_FILE)}|{re.escape(CODE_FILE)}|{re.escape(PROJECT_FILE)}",
    HOT: rf"\d+-\d+-({'|'.join(TABLES)})(-[0-9a-f]{{8}})?\.parquet",
    MERGED: rf"({'|'.join(TABLES)})-[0-9a-f]{{32}}\.parquet",
    **dict.fromkeys((*FINAL_TABLES, SUPERSEDED), r"\d+-\d+(-\d+)?\.parquet"),
    **dict.fromkeys((OWNER, MANIFEST, FINAL_TESTS, FINGERPRINTS, DRIFT, REQUESTS), r"\d+(\.[a-z]+)*\.json"),
    DRIVERS: r"\d+\.log",
    AMENDMENTS: r"\d+\.json|\d+-[0-9a-f]+\.zip",
    QUARANTINE: r"[A-Za-z0-9_.-]+",
    BUILD: r"duckdb_temp_[A-Za-z0-9_.-]+|_gone-\d+",
    CHECKPOINTS: r"[0-9a-f-]+\.checkpoint",
    ARTIFACTS: r"[0-9a-f-]+\.artifact",
}
"""Folder → what its files are called, beside those that are unfinished."""

_UNFINISHED = r"\.([A-Za-z0-9_.-]+\.)?[0-9a-f]{32}\.aside|\.folder|\.nfs[0-9a-f]+"
"""The last: what NFS calls a file that was deleted while a process on this machine has it open."""
_NAMES = {folder: re.compile(f"{form}|{_UNFINISHED}", re.ASCII) for folder, form in _FORMS.items()}
_INNER = (BUILD, CHECKPOINTS, ARTIFACTS)
"""Folders whose files are in numbered folders."""
_NUMBERED = re.compile(r"[0-9]+|_gone-[0-9a-f]{32}")
"""Those folders, and what they are called while they are removed."""


def is_ours(name: str) -> bool:
    """Whether a path within a sweep's folder has the form of a file that Caviar writes."""
    *folders, file = name.split("/")
    if len(folders) == 2 and folders[0] in _INNER and _NUMBERED.fullmatch(folders[1]):
        folders = folders[:1]
    form = _NAMES.get("/".join(folders))
    return form is not None and form.fullmatch(file) is not None


def foreign(disk: Disk, sweep: PurePath, within: str = "") -> list[str]:
    """Paths within a sweep's folder, or one of its folders, of what is not ours; folders end with a slash.

    Raises:
        OSError: A folder cannot be listed, or is a link itself.
    """
    return sorted(_foreign(disk, sweep, within))


def _foreign(disk: Disk, sweep: PurePath, within: str) -> Iterator[str]:
    for file, kind in disk.kinds(sweep / within if within else sweep).items():
        name = f"{within}/{file}" if within else file
        if kind == "folder" and _is_our_folder(name):
            yield from _foreign(disk, sweep, name)
        elif kind != "file" or not is_ours(name):
            yield f"{name}/" if kind == "folder" else name


def our_files(disk: Disk, sweep: PurePath, within: str = "") -> list[str]:
    """Paths within a sweep's folder of what makes it up, whole files only; without requests and what is being built."""
    found: list[str] = []
    for file, kind in sorted(disk.kinds(sweep / within if within else sweep).items()):
        name = f"{within}/{file}" if within else file
        if kind == "folder" and _is_our_folder(name) and name not in (BUILD, REQUESTS):
            found += our_files(disk, sweep, name)
        elif kind == "file" and is_ours(name) and not file.startswith("."):
            found.append(name)
    return found


def _is_our_folder(name: str) -> bool:
    folder, _, inner = name.partition("/")
    return folder in _FORMS and (not inner or (folder in _INNER and _NUMBERED.fullmatch(inner) is not None))


def need_ours(disk: Disk, sweep: PurePath, within: str = "") -> None:
    """See that a folder may be deleted with all it holds.

    Raises:
        StoreError: It holds something that Caviar did not write.
    """
    found = foreign(disk, sweep, within)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise StoreError(
            f"{sweep} holds what Caviar did not write, and so does not delete ({', '.join(found[:3])}{more}): "
            "move it away, and type the command again."
        )


DATA = (HOT, MERGED, *FINAL_TABLES, SUPERSEDED)
"""Folders of Parquet files."""


def data_files(disk: Disk, sweep: PurePath) -> list[PurePath]:
    """All files of ours in the folders of data, unfinished ones too."""
    there = (f"{folder}/{name}" for folder in DATA for name in disk.list(sweep / folder, hidden=True))
    return [sweep / name for name in there if is_ours(name)]


def sweep_up(disk: Disk, sweep: PurePath) -> None:
    """Remove unfinished files that no process can need any more."""
    for folder in (OWNER, MANIFEST, FINAL_TESTS, FINGERPRINTS, DRIFT, DRIVERS):
        asides = [name for name in disk.list(sweep / folder, hidden=True) if name.endswith(ASIDE)]
        ours = [sweep / folder / name for name in asides if is_ours(f"{folder}/{name}")]
        disk.delete(path for path in ours if _stale(disk, path))


def _stale(disk: Disk, path: PurePath) -> bool:
    try:
        return disk.age_s(path) > STALE_S
    except FileNotFoundError:  # its process has just finished it
        return False
