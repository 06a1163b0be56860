"""Lets processes that train starts afresh import the experiment's modules, which its own process has from memory.

multiprocessing's `spawn` and `forkserver`, joblib's loky and torch's DataLoader begin with an empty interpreter, which
is given its parent's `sys.path`. So a private folder there holds a file for each of the experiment's top-level modules,
which takes the snapshot beside it for the child too.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from caviar_workers.failure import describe
from caviar_workers.load import adopt
from caviar_workers.messages import Program
from caviar_workers.unpacked import SNAPSHOT, let_go, unpacked

_STAND_IN = """
import sys

from caviar_workers.child_processes import stand_in

sys.modules[__name__] = stand_in(__file__, __name__)
"""

_shown: list[str] = []
"""The folder that is on `sys.path`, if one is."""


_forks = [0]
"""How many forks this process is away from the first one; quicker to ask for than its number."""


def _count_fork() -> None:
    _forks[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class ParentOnly:
    """Ends a child that train forked where it comes back from train: the rest of the lease is its parent's.

    Made in the parent; may be entered again and again.
    """

    def __init__(self) -> None:
        self._forks = _forks[0]

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, kind: object, error: BaseException | None, frames: object) -> None:
        if _forks[0] != self._forks:
            _leave(error)


def _leave(error: BaseException | None) -> NoReturn:
    """End this process as the end of a script would.

    Args:
        error: What it raised; None: it returned.
    """
    code: object = 0
    with suppress(BaseException):
        if isinstance(error, SystemExit):
            code = error.code
            if code is not None and not isinstance(code, int):
                sys.stderr.write(f"{code}\n")
        elif error is not None:
            code = 1
            sys.stderr.write(f"{describe(error)[0]}\n")
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):
            stream.flush()
    os._exit(code & 0xFF if isinstance(code, int) else 0 if code is None else 1)


def show_to_children(program: Program) -> None:
    """Let children import the program's modules; where no folder can be written, they cannot, as before."""
    for folder in _shown:
        if folder in sys.path:
            sys.path.remove(folder)
    _shown.clear()
    let_go()
    if not program.files:
        return
    with suppress(OSError):
        folder = _written(program)
        sys.path.insert(0, folder)
        _shown.append(folder)


def stand_in(file: str, name: str) -> ModuleType:
    """The snapshot's module, for the stand-in that is being imported in a child."""
    data = json.loads(Path(file).with_name(SNAPSHOT).read_bytes())
    files = {module: (path, source) for module, (path, source) in data["files"].items()}
    program = Program(
        digest=data["digest"], train="", module=data["module"], files=files, packages=frozenset(data["packages"])
    )
    return adopt(program, name)


def _written(program: Program) -> str:
    """Return a folder with the snapshot in it."""
    snapshot = json.dumps(
        {
            "digest": program.digest,
            "module": program.module,
            "files": dict(program.files),
            "packages": sorted(program.packages),
        }
    ).encode()
    names = {module.partition(".")[0] for module in program.files}
    return unpacked(snapshot, {f"{name}.py": _STAND_IN for name in names})
