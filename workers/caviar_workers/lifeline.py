"""Ends a worker that has no lease yet when the driver ends, at whatever it does: what Ray's raylet runs for a worker.

    python lifeline.py PIPE default_worker.py ARGUMENTS

Ray's workers look every second whether their raylet lives, but only once they are up; one that is still starting
looks for it for half a minute. So until its first lease, a worker hangs on a named pipe that the driver holds open:
when nobody does any more, the kernel kills it. With its first lease it lets go, for Ray ends a worker's children with
it, and the kernel would not. It is run as a file by itself, for that takes the least time, and then runs Ray's.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from contextlib import suppress
from types import ModuleType

_NAME = "caviar_workers.lifeline"
_held: list[int] = []
"""The descriptor of the pipe, as long as this process hangs on it."""


def tie(pipe: str) -> None:
    """Have the kernel kill this process when nobody holds the pipe open to write; end now, if nobody does.

    Args:
        pipe: Its path. It is opened anew: who is to be killed is a matter of the open file, and each process has its
            own. Nobody writes to it.
    """
    try:
        end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:  # it goes with Ray's own sockets
        os._exit(0)
    fcntl.fcntl(end, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(end, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) | os.O_ASYNC)
    with suppress(BlockingIOError):  # somebody does
        if not os.read(end, 1):
            os._exit(0)
    _held.append(end)


def let_go() -> None:
    """Live as long as Ray lets this process."""
    while _held:
        os.close(_held.pop())


def main() -> None:
    """Hang on the pipe, and be Ray's worker."""
    # Who imports this finds what is held, and a process that is forked may have done so before.
    here = sys.modules.setdefault(_NAME, sys.modules["__main__"])
    pipe, file, *arguments = sys.argv[1:]
    here.tie(pipe)
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        sys.path[0] = os.path.dirname(file)  # as if that file were run
    sys.argv = [file, *arguments]
    worker = sys.modules["__main__"] = ModuleType("__main__")
    worker.__file__ = file
    with open(file, "rb") as source:
        code = compile(source.read(), file, "exec")
    exec(code, worker.__dict__)


if __name__ == "__main__":
    main()
