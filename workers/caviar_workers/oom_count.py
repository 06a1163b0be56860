"""How many processes the kernel has killed for want of memory, where this one runs.

Nobody else tells: Ray, like any parent, sees only that the process died. The kernel keeps count, for each cgroup (see
"memory.events" in Linux's Documentation/admin-guide/cgroup-v2.rst) and, in /proc/vmstat, for the machine.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_OWN, _CGROUPS, _MACHINE = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"), Path("/proc/vmstat")
_LINE = "oom_kill "
"""How the line with the count begins, in each of these files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OomCount:
    """The count at one moment, and where it was read."""

    node: str
    """Where: as Ray calls it."""
    file: str = ""
    """Where on that node the kernel counts; empty: nowhere that this process may look."""
    count: int = 0


def oom_count(node: str) -> OomCount:
    """Return the count that this process belongs to: of its cgroup, of its container, or else of the machine."""
    for file in _files():
        with suppress(OSError, ValueError):
            return OomCount(node=node, file=file, count=killed(file))
    return OomCount(node=node)


def killed(file: str) -> int:
    """Return the count in a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It has no such count.
    """
    with open(file, encoding="ascii") as lines:
        for line in lines:
            if line.startswith(_LINE):
                return int(line.removeprefix(_LINE))
    raise ValueError(f"{file} does not count what the kernel kills")


def _files() -> list[str]:
    """Return the files in which to look, the nearest count first."""
    found = []
    with suppress(OSError):
        for line in _OWN.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            inside = path.lstrip("/")
            if not controllers:
                found.append(_CGROUPS / inside / "memory.events")
            elif "memory" in controllers.split(
                ","
            ):  # the first version of cgroups; in a container the path may be another's
                folder = _CGROUPS / "memory"
                found += [folder / inside / "memory.oom_control", folder / "memory.oom_control"]
    return [*map(str, found), str(_MACHINE)]
