"""Ends the programs of a process of trials when that is killed: a process of its own, which outlives it for a moment.

Who is killed by SIGKILL can end nobody. So a process that starts programs starts this one too, and tells it, through a
pipe, which of them run. When the pipe closes, they and all that they started get SIGTERM, and SIGKILL after a while.
It is run as a file by itself, for that takes the least time: it imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

GRACE_S = 10.0
"""Seconds between SIGTERM and SIGKILL."""


class Reaper:
    """The process's end of the pipe; one a process, started with its first program."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipe: int | None = None
        self._owner = -1

    def start(self) -> None:
        """Be there before the first program is: who is killed between the two leaves nothing behind."""
        self._tell(b"")

    def watch(self, group: int) -> None:
        """A program runs, and leads this process group."""
        self._tell(f"+{group}\n".encode())

    def forget(self, group: int) -> None:
        """It has ended, and so has its group."""
        self._tell(f"-{group}\n".encode())

    def _tell(self, word: bytes) -> None:
        with self._lock:
            try:
                os.write(self._open(), word)
            except OSError:  # somebody has ended it: programs run on without
                self._pipe = None

    def _open(self) -> int:
        if self._pipe is None or self._owner != os.getpid():
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            assert process.stdin is not None
            self._owner, self._pipe = os.getpid(), os.dup(process.stdin.fileno())
            process.stdin.close()
            process.wait()  # the reaper itself is its child: Ray ends a process's own children with it
        return self._pipe


REAPER = Reaper()


def end_group(group: int, number: int) -> bool:
    """Send a signal to a process group; whether there was one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def main() -> None:
    """Read which groups run until nobody tells any more; end those that are left."""
    if os.fork():
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for word in sys.stdin.buffer:  # whole lines, each written at once
        (groups.add if word[:1] == b"+" else groups.discard)(int(word[1:]))
    left = {group for group in groups if end_group(group, signal.SIGTERM)}
    deadline = time.monotonic() + GRACE_S
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if end_group(group, 0)}
    for group in left:
        end_group(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
