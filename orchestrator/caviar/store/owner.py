"""Who may write to a sweep: one process at a time, told by its host, its number and when it started."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caviar.store.layout import OWNER, numbered_name, parse_number
from caviar.store.manifest import now
from caviar.store.record import read, record

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.disk import Disk

SILENCE_S = 60.0
"""Seconds without a sign of life after which an owner on another host counts as gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that claimed a sweep."""

    epoch: int
    """From 1."""
    host: str
    pid: int
    pid_started: str
    """Tells two processes of the same number apart."""
    claimed: str
    """ISO time, UTC."""


def this_process(epoch: int) -> Owner:
    """The calling process as an owner."""
    pid = os.getpid()
    return Owner(epoch=epoch, host=platform.node(), pid=pid, pid_started=process_start(pid) or "", claimed=now())


def process_start(pid: int) -> str | None:
    """When a process of this host started, as opaque text; None when it is gone or a zombie."""
    if sys.platform == "linux":
        return _linux_start(pid)
    done = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _linux_start(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        boot = _boot()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before ")" may hold anything; fields[0] is field 3 of proc(5)
    return None if fields[0] == "Z" else f"{boot}:{fields[19]}"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]


def ran_since_this_boot(disk: Disk, sweep: PurePath, epoch: int) -> bool:
    """Whether the owner of an epoch began after the present start of this computer; not, where nobody can tell."""
    path = owner_path(sweep, epoch)
    for name in (path, released_path(path)):
        with suppress(OSError, ValueError):
            owner = record(Owner, read(disk, name), later=True)
            return sys.platform == "linux" and is_here(owner) and owner.pid_started.partition(":")[0] == _boot()
    return False


def is_alive(owner: Owner, silent_s: float) -> bool:
    """Whether an owner's process still runs; elsewhere than on this host, whether it gave a sign lately."""
    if is_here(owner):
        return process_start(owner.pid) == owner.pid_started
    return silent_s < SILENCE_S


def is_here(owner: Owner) -> bool:
    """Whether an owner's process is, or was, on this host."""
    return owner.host == platform.node()


def newest_owner(disk: Disk, sweep: PurePath) -> tuple[Owner | None, int]:
    """The owner with the highest epoch, None when it let go or never was, and that epoch (0: none)."""
    names = disk.list(sweep / OWNER)
    # An owner that lets go may have both names for a moment: the longer one holds.
    name = max(names, key=lambda name: (parse_number(name) or 0, len(name)), default=None)
    epoch = 0 if name is None else parse_number(name) or 0
    if name is None or ".released" in name:
        return None, epoch
    try:
        return record(Owner, read(disk, sweep / OWNER / name), later=True), epoch
    except (FileNotFoundError, ValueError):  # let go just now; or never written by us
        return None, epoch
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ELOOP):  # no file at all
            raise
        return None, epoch


def superseded(disk: Disk, sweep: PurePath, epoch: int) -> bool:
    """Whether another process claimed the sweep after the owner of that epoch."""
    after = owner_path(sweep, epoch + 1)
    return disk.exists(after) or disk.exists(released_path(after))  # in this order: it is renamed in between


def released_path(path: PurePath) -> PurePath:
    """The name of an owner's file once it let go."""
    return path.with_suffix(".released.json")


def owner_path(sweep: PurePath, epoch: int) -> PurePath:
    """The file that says who owns an epoch."""
    return sweep / OWNER / numbered_name(epoch)


def to_bytes(owner: Owner) -> bytes:
    """Serialise as JSON."""
    return json.dumps(asdict(owner)).encode()
