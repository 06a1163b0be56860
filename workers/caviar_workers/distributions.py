"""Which installed distributions a process has imported, with their versions.

`importlib.metadata` reads and parses the metadata of each distribution, a tenth of a second where there are many. Here
their folders' names tell most, `numpy-2.2.0.dist-info`; a file list is read only for those that are called otherwise
than what they contain.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_INSTALLED = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(?:-py[\d.]+[^/]*)?\.(?:dist|egg)-info")
_SEPARATORS = re.compile(r"[-_.]+")
_OF_RAY = "thirdparty_files"
"""A folder that Ray adds to sys.path, with packages that are part of it."""
_MOST_LISTED = 2**22
"""Characters of a list of files, at most, in which a package's modules are looked for."""


def imported_distributions() -> dict[str, str]:
    """Name → version of each distribution of which this process has imported a module, sorted.

    The names are normalised, as package indexes do it: lower case, with single hyphens.
    """
    modules = _imported()
    found: dict[str, str] = {}
    for folder, name, version in _installed():
        if name in found:
            continue  # what stands earlier in sys.path is imported
        if name.replace("-", "_") in modules or any(one in modules for one in _contents(folder)):
            found[name] = version
    return dict(sorted(found.items()))


def installed_versions() -> dict[str, str]:
    """Name → version of each distribution that this process could import."""
    found: dict[str, str] = {}
    for _, name, version in _installed():
        found.setdefault(name, version)
    return found


def _imported() -> set[str]:
    """Lower-case names of top-level modules that were imported; of namespaces, such as `google`, those within."""
    found: set[str] = set()
    for name in list(sys.modules):
        top, _, rest = name.partition(".")
        if top in sys.stdlib_module_names or top == "__main__":
            continue
        if getattr(sys.modules.get(top), "__file__", None) is not None:
            found.add(top.lower())
        elif rest:
            found.add(f"{top}.{rest.partition('.')[0]}".lower())
    return found


def _installed() -> Iterator[tuple[Path, str, str]]:
    """Folder, normalised name and version of each distribution, in the order of sys.path."""
    for place in dict.fromkeys(sys.path):
        if _OF_RAY in Path(place).parts:
            continue
        try:
            names = sorted(os.listdir(place or "."))
        except OSError:  # an archive, or it is not there
            continue
        for name in names:
            if match := _INSTALLED.fullmatch(name):
                yield Path(place, name), _SEPARATORS.sub("-", match["name"]).lower(), match["version"]


def _contents(folder: Path) -> Iterable[str]:
    """Lower-case names of the modules that a distribution contains; within a namespace also `namespace.module`."""
    for file in ("top_level.txt", "RECORD"):
        try:
            with (folder / file).open(encoding="utf-8", errors="replace") as lines:
                text = lines.read(_MOST_LISTED)
        except OSError:
            continue
        if file == "top_level.txt" and (names := text.split()) and not any(map(_is_namespace, names)):
            return [name.lower() for name in names]
        if file == "RECORD":
            return {name for line in text.splitlines() for name in _modules(line.partition(",")[0])}
    return ()


def _is_namespace(name: str) -> bool:
    module = sys.modules.get(name)
    return module is not None and getattr(module, "__file__", None) is None


def _modules(path: str) -> Iterator[str]:
    """What a file of a distribution may be imported as, at its top level and the one below."""
    parts = path.split("/")
    if parts[0].endswith((".dist-info", ".egg-info", ".data")) or parts[0] == "..":
        return
    names = [*parts[:-1], parts[-1].partition(".")[0]]
    yield names[0].lower()
    if len(names) > 1:
        yield f"{names[0]}.{names[1]}".lower()
