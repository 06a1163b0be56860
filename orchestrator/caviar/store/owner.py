"""The record of who owns a sweep, and whether that process still lives, as far as this host can tell."""

from __future__ import annotations

import errno
import getpass
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from caviar.store.layout import OWNER, numbered_name, parse_number
from caviar.store.manifest import now
from caviar.store.untrusted_json import MOST_BYTES, Unreadable, parsed, record

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.store.disk import Disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place where a process number means one process: a host, since it was started, and a namespace of
    processes.
    """

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
    """Return the place of this process."""
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


def user_name() -> str:
    """Return who runs this process; a number, where the user has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


SILENCE_S = 60.0
"""Seconds without a sign of life after which an owner counts as gone, where no process table tells."""

LET_GO: set[PurePath] = set()
"""Files of owners that this process was and is no more, though the store did not take its word for it."""

Standing = Literal["nobody", "alive", "silent", "not understood"]
"""Of a sweep's owner. Nobody but `--take-over` takes a sweep from one that is not understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that claimed a sweep."""

    epoch: int
    """From 1."""
    host: str
    pid: int
    pid_started: str
    """Tells two processes of the same number apart; "" when nobody told."""
    claimed: str
    """ISO time, UTC."""
    boot: str = ""
    namespace: str = ""
    """Where the number means this process, see `Place`; stores of format 1 do not say."""
    purpose: str = "run"
    """What is done to the sweep, as a participle."""

    @property
    def place(self) -> Place:
        """The place where the owner runs."""
        return Place(host=self.host, boot=self.boot, namespace=self.namespace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The owner of a sweep, as somebody sees it."""

    epoch: int
    """The highest one that was claimed; 0: none was."""
    standing: Standing
    owner: Owner | None = None
    """None: there is none, or its file is not understood."""
    age_s: float | None = None
    """Seconds since its last sign of life; None: the process table knew better."""

    @property
    def alive(self) -> bool:
        """Whether it counts as running the sweep."""
        return self.standing == "alive"

    @property
    def runs(self) -> bool:
        """Whether a process that lives runs the sweep, rather than doing something else with it."""
        return self.alive and self.purpose == "run"

    @property
    def left_s(self) -> float | None:
        """Seconds of silence after which it will not be alive any more; None: no silence changes it."""
        return None if not self.alive or self.age_s is None else max(0.0, SILENCE_S - self.age_s)

    @property
    def purpose(self) -> str:
        """What the owner does to the sweep, as a participle."""
        return "run" if self.owner is None else self.owner.purpose

    @property
    def who(self) -> str:
        """The owner, named for a person."""
        if self.owner is None:
            return f"an owner whose file {OWNER}/{numbered_name(self.epoch)} cannot be understood"
        return f"process {self.owner.pid} on {self.owner.host}"


def this_process(epoch: int, purpose: str = "run") -> Owner:
    """The calling process as an owner."""
    pid, place = os.getpid(), here()
    return Owner(
        epoch=epoch,
        host=place.host,
        pid=pid,
        pid_started=process_start(pid) or "",
        claimed=now(),
        boot=place.boot,
        namespace=place.namespace,
        purpose=purpose,
    )


def judge(owner: Owner | None, running: bool | None, age_s: float) -> Standing:
    """Whether an owner that did not let go is alive. Every such judgement is made here.

    Args:
        owner: None: its file is not understood.
        running: What the process table says of it, where owner and judge share one; None: nothing.
        age_s: Seconds since its last sign of life, by the store's clock. Far below 0: the clocks disagree.
    """
    if owner is not None and running is not None:
        return "alive" if running else "silent"
    if abs(age_s) < SILENCE_S:
        return "alive"
    return "not understood" if owner is None or age_s < 0 else "silent"


def sight(owner: Owner | None, epoch: int, age: Callable[[], float]) -> Sighting:
    """The present owner, judged from this process.

    Args:
        owner: None: its file is not understood.
        epoch: Its epoch.
        age: Seconds since its last sign of life; asked for where the process table does not tell.
    """
    running = runs(owner.pid, owner.pid_started) if owner is not None and owner.place.same(here()) else None
    age_s = age() if running is None else None
    return Sighting(epoch=epoch, standing=judge(owner, running, age_s or 0.0), owner=owner, age_s=age_s)


def look(disk: Disk, sweep: PurePath) -> Sighting:
    """The owner with the highest epoch; OSError when that cannot be read."""
    while True:
        name, epoch = newest(disk, sweep)
        if name is None or ".released" in name:
            return Sighting(epoch=epoch, standing="nobody")
        path = sweep / OWNER / name
        if path in LET_GO:
            return Sighting(epoch=epoch, standing="nobody")
        try:
            return sight(_read(disk, path, epoch), epoch, lambda path=path: _age(disk, path))  # type: ignore[misc]
        except FileNotFoundError:  # it let go just now, or the sweep was removed
            if newest(disk, sweep) == (name, epoch):
                raise


def newest(disk: Disk, sweep: PurePath) -> tuple[str | None, int]:
    """File name and epoch of the owner with the highest one; None and 0 when the sweep was never claimed."""
    names = disk.list(sweep / OWNER)
    # An owner that lets go may have both names for a moment: the longer one holds.
    name = max(names, key=lambda name: (parse_number(name) or 0, len(name)), default=None)
    return name, 0 if name is None else parse_number(name) or 0


def ran_since_this_boot(disk: Disk, sweep: PurePath, epoch: int) -> bool:
    """Whether the owner of an epoch began after the present start of this computer; False where that is not known."""
    path = owner_path(sweep, epoch)
    for name in (path, released_path(path)):
        with suppress(OSError):
            owner = _read(disk, name, epoch)
            if owner is None:
                return False
            boot = owner.boot or owner.pid_started.partition(":")[0]  # all that format 1 says
            return owner.host == here().host and bool(boot) and here().boot.startswith(boot)
    return False


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
    """Return the owner as JSON."""
    return json.dumps(asdict(owner)).encode()


def from_bytes(text: bytes, epoch: int) -> Owner | None:
    """Parse JSON; None when it is not wholly understood, as when a later version wrote more into it."""
    try:
        owner = record(Owner, parsed(text))
    except Unreadable:
        return None
    return owner if owner.epoch == epoch and owner.pid > 0 else None


def _age(disk: Disk, path: PurePath) -> float:
    """Seconds since the owner's last sign of life; a link gives none."""
    try:
        return disk.age_s(path)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return math.inf


def _read(disk: Disk, path: PurePath, epoch: int) -> Owner | None:
    try:
        return from_bytes(disk.read(path, most=MOST_BYTES), epoch)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ELOOP, errno.EISDIR):  # no file at all
            raise
        return None
