"""The code of a stored sweep as its files are today, and whether they say what they said."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caviar.errors import SpecError
from caviar.spec.code_snapshot import ROLES, program_of_file, read_source

if TYPE_CHECKING:
    from caviar_workers.messages import Program


def program_today(stored: Program) -> Program:
    """The program as its file is now, with the functions of the same names; nothing of it is imported.

    Args:
        stored: A snapshot of sources.

    Raises:
        SpecError: It cannot be read, or is not Python.
    """
    path = Path(stored.files[stored.module][0])
    package = "" if stored.module.startswith("_experiment_") else stored.module.rpartition(".")[0]
    package = stored.module if stored.module in stored.packages else package  # its __init__.py
    names: dict[str, Any] = {role: getattr(stored, role) for role in ROLES}
    return replace(program_of_file(path, package=package), **names)


def unchanged(stored: Program, present: Program) -> bool:
    """Whether the files say what they said; modules that this shell does not find are looked at where they were."""
    known = {name: text for name, (_, text) in present.files.items()}
    for name, (path, text) in stored.files.items():
        if name not in known and (text or os.path.exists(path)):  # a folder without __init__.py has no text
            with suppress(SpecError):
                known[name] = read_source(Path(path))
        elif name not in known:
            known[name] = text
    return known == {name: text for name, (_, text) in stored.files.items()}
