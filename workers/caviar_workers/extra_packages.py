"""Packages that travel with a sweep, for machines that do not have them: unpacked once a node, and found last of all.

They travel as one file of the project, so that what leaves out a user's secrets takes nothing of theirs away.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from caviar_workers.project import unpack_any
from caviar_workers.unpacked import kept_folder

NAME = ".caviar-packages.zip"
"""The file of the project that holds them."""
_PLACE = "site-packages"
"""Within the folder that is kept: what lies there counts as installed, and not as the user's own."""


def unpacked_packages(archive: bytes) -> str:
    """The folder of these packages on this machine, which is unpacked if it is not there yet.

    Raises:
        ValueError: It is no sound zip of plain files.
        OSError: It cannot be unpacked.
    """

    def fill(folder: Path) -> None:
        unpack_any(archive, folder / _PLACE)

    return os.path.join(kept_folder(hashlib.sha256(archive).hexdigest()[:32], fill, "packages"), _PLACE)


_found: list[str] = []
"""Folders that this process looks into."""


def find_last(folder: str) -> None:
    """Let this process look into a folder for what it finds nowhere else."""
    _found[:] = [folder]
    if folder not in sys.path:
        sys.path.append(folder)


def for_programs() -> dict[str, str]:
    """What a program needs in its environment to find the packages that this process finds."""
    before = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([*([before] if before else []), *_found])} if _found else {}


def packages_beside(root: str) -> str | None:
    """The folder of the packages that travelled with a project; None: there are none.

    Args:
        root: The project's folder on this machine; empty: there is none.

    Raises:
        ValueError: They are no sound zip of plain files.
        OSError: They cannot be read or unpacked.
    """
    if not root:
        return None
    try:
        archive = Path(root, NAME).read_bytes()
    except FileNotFoundError:
        return None
    return unpacked_packages(archive)
