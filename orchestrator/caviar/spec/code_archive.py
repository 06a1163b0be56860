"""A snapshot as the bytes that the store keeps: a plain zip that anyone can open, the same bytes for the same code."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from caviar.errors import StoreError
from caviar.spec.code_snapshot import MOST_SOURCE
from caviar.spec.command_source import MODULE as COMMAND
from caviar_workers.messages import Program

_INDEX = "program.json"
_TEXTS = ("digest", "train", "final", "constraint", "data", "module")
MOST = 4 * MOST_SOURCE + 2**20
"""Bytes of all that is in the archive: a character of source has four at most."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the archive says nothing of when


def pack(program: Program) -> bytes:
    """Serialise the sources; functions without a file are kept as their source text only."""
    index: dict[str, Any] = {
        "digest": program.digest,
        "train": program.train,
        "final": program.final,
        "constraint": program.constraint,
        "data": program.data,
        "module": program.module,
        "packages": sorted(program.packages),
        "paths": {name: _inner(path, program.root) for name, (path, _) in program.files.items()},
    } | ({"project": program.project, "root": program.root} if program.project else {})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, _INDEX, json.dumps(index, indent=1))
        for name, (_, source) in program.files.items():
            _add(archive, f"{name}.py", source)
    return buffer.getvalue()


def unpack(data: bytes) -> Program:
    """Read a snapshot back; one of functions without a file has no module, and cannot be run from here.

    Raises:
        StoreError: The bytes are not such a snapshot.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_size(archive)
            index: Mapping[str, Any] = json.loads(archive.read(_INDEX))
            _check(index)
            root = index.get("root", "")
            files = {
                name: (os.path.join(root, path), archive.read(f"{name}.py").decode())
                for name, path in index["paths"].items()
            }
    except Exception as error:  # what a zip that somebody made may raise is in no list
        raise StoreError(f"the sweep's code.zip is damaged: {error}") from error
    texts = {name: index[name] for name in _TEXTS}
    return Program(
        **texts, files=files, packages=frozenset(index["packages"]), project=index.get("project", ""), root=root
    )


def called(data: bytes) -> Program:
    """A snapshot without its sources, but for a command's, which is read and not run: for who asks what is called how
    and lies where, and can run nothing of it.

    Raises:
        StoreError: The bytes are not such a snapshot.
    """
    program = unpack(data)
    return replace(
        program, files={name: (path, text if name == COMMAND else "") for name, (path, text) in program.files.items()}
    )


def _check_size(archive: zipfile.ZipFile) -> None:
    if sum(member.file_size for member in archive.infolist()) > MOST:
        raise ValueError(f"it holds more than {MOST:,} bytes")


def _check(index: Mapping[str, Any]) -> None:
    """See that it is what `pack` wrote."""
    wrong = [name for name in _TEXTS if not isinstance(index[name], str)]
    paths, packages = index["paths"], index["packages"]
    wrong += [] if isinstance(paths, dict) and _texts(paths.values()) else ["paths"]
    wrong += [] if isinstance(packages, list) and _texts(packages) else ["packages"]
    project, root = index.get("project", ""), index.get("root", "")
    wrong += [] if isinstance(root, str) and bool(root) == bool(project) else ["root"]
    wrong += [] if isinstance(project, str) and re.fullmatch("([0-9a-f]{64})?", project) else ["project"]
    if wrong:
        raise ValueError(f"{wrong[0]} is none")


def _inner(path: str, root: str) -> str:
    """A path as it is kept: of what lies in the project, from its root."""
    inner = os.path.relpath(path, root) if root else path
    return path if inner == ".." or inner.startswith("../") else inner


def _texts(values: Iterable[object]) -> bool:
    return all(isinstance(one, str) for one in values)


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, text)
