"""What this host knows of its processes, and how far that can be trusted about the owner of a sweep."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a process number means one process: on a host, since it was started, in a namespace of processes."""

    host: str
    boot: str
    """Differs after every start of the host; "" when that cannot be read."""
    namespace: str
    """Of processes and their clocks, such as those of a container; "" when that cannot be read."""

    def same(self, other: Place) -> bool:
        """Whether a process number there is one here; False when that cannot be told."""
        return self == other and all((self.boot, self.namespace))


@cache
def here() -> Place:
    """The place of this process."""
    if sys.platform == "linux":
        boot = _text("/proc/sys/kernel/random/boot_id")
        kinds = [_link(f"/proc/self/ns/{kind}") for kind in ("pid", "time")]
        return Place(host=platform.node(), boot=boot, namespace=" ".join(kinds).strip() if kinds[0] else "")
    return Place(host=platform.node(), boot=_output("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"), namespace="one")


def runs(pid: int, started: str) -> bool | None:
    """Whether a process of this place, which started then, still runs; None: the process table does not tell.

    Args:
        pid: Its number.
        started: What `process_start` said of it; "" when that was unknown.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError) as error:
        if not isinstance(error, PermissionError):  # which says that there is one
            return None
    now = process_start(pid)
    if now is None:
        return False
    return now == started if now and started else None


def process_start(pid: int) -> str | None:
    """When a process of this place started, as opaque text; None: it is a zombie; "": nobody tells.

    /proc may hide the processes of others (hidepid), or be that of another namespace.
    """
    if sys.platform == "linux":
        return _linux_start(pid)
    return _output("/bin/ps", "-o", "lstart=", "-p", str(pid))


def _linux_start(pid: int) -> str | None:
    if _link("/proc/self") != str(os.getpid()):
        return ""
    boot, text = _text("/proc/sys/kernel/random/boot_id"), _text(f"/proc/{pid}/stat")
    fields = text.rpartition(")")[2].split()  # the name before ")" may hold anything; fields[0] is field 3 of proc(5)
    if not boot or len(fields) < 20:
        return ""
    return None if fields[0] in "ZX" else f"{boot[:8]}:{fields[19]}"


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    with suppress(OSError):
        return os.readlink(path)
    return ""


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
