"""Whose a module is: installed, or written by the user, in whichever folder Python finds it.

Beside `scripts/train.py` there may be `src/mypkg`, on PYTHONPATH, by `pip install -e`, or by `sys.path.insert`. Its
modules are part of the experiment as those beside the file are, unless they cannot be imported twice in one process, or
are so many that they must be somebody's library.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path

OURS = ("caviar", "caviar_workers")
"""Packages that the experiment needs as they are: a file of such a name beside it is another's."""
_MOST = 2 * 1024 * 1024
"""Bytes of source that a package of the user's elsewhere may have; a larger one counts as installed."""


def installed(file: Path) -> bool:
    """Whether a module's file came with Python, or with a package that was installed."""
    place = file.parts
    return "site-packages" in place or "dist-packages" in place or file.is_relative_to(sysconfig.get_path("stdlib"))


def folder_elsewhere(top: str) -> Path | None:
    """The folder in which Python would find a top-level module of the user's now.

    Returns:
        None: there is none, or it is installed, or not to be imported twice.
    """
    if top in OURS or top in sys.stdlib_module_names or not top.isidentifier():
        return None
    spec = _spec(top)
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ())
    if spec.origin is None and places:  # a folder without __init__.py
        package = Path(places[0]).absolute()
    elif spec.origin is not None and spec.origin.endswith(".py"):
        file = Path(spec.origin).absolute()
        package = file.parent if places else file
    else:
        return None
    if installed(package) or next(package.parent.glob("*.dist-info"), None) is not None:
        return None
    return package.parent if _is_small(package) else None


def modules_within(folder: Path) -> Iterator[tuple[str, Path]]:
    """(Name, file) of the modules and packages in a package's folder; a package's file is its `__init__.py`."""
    for entry in sorted(folder.iterdir()):
        module, name = (entry / "__init__.py", entry.name) if entry.is_dir() else (entry, entry.stem)
        if module.suffix == ".py" and name.isidentifier() and name != "__init__" and module.is_file():
            yield name, module


def _spec(top: str) -> ModuleSpec | None:
    """Return the module that Python itself, or an editable install, finds."""
    for finder in list(sys.meta_path):
        find = getattr(finder, "find_spec", None)
        if find is None or type(finder).__module__.startswith(OURS):  # a snapshot's
            continue
        with suppress(Exception):
            if (spec := find(top, None)) is not None:
                return spec  # type: ignore[no-any-return]  # whatever finder it was
    return None


def _is_small(package: Path) -> bool:
    """Whether a package, or a module, is plain Python, and not too much of it."""
    waiting, size = [package], 0
    with suppress(OSError):
        while waiting:
            place = waiting.pop()
            if place.is_dir():
                if any(entry.name.endswith(tuple(EXTENSION_SUFFIXES)) for entry in place.iterdir()):
                    return False
                own = place / "__init__.py"
                size += own.stat().st_size if own.is_file() else 0
                found = [file for _, file in modules_within(place)]
                waiting += [file.parent if file.name == "__init__.py" else file for file in found]
            else:
                size += place.stat().st_size
            if size > _MOST:
                return False
        return True
    return False
