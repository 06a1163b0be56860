"""Workers of a Ray of ours that come from one warm process by fork: in a tenth of the time that a new process takes.

Each worker imports Ray and the user's libraries for seconds. Here one process does so, while the driver does
(`fork_server.py`), and Ray's raylet, in place of a worker, runs a program of 20 ms that asks it for one
(`fork_request.py`). Whatever goes wrong, workers start as ever.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from caviar.errors import ClusterError
from caviar.run.executors.private_folder import private_folder, remove
from caviar.run.executors.private_ray import Start, two_servers

log = logging.getLogger(__name__)
Libraries = tuple[str, str]
"""The text of a file whose libraries are imported ahead of it, and the folder that it lies in."""


class ForkServer:
    """The warm process; it ends with the thread that makes it, or before.

    Args:
        libraries: What it imports beside Ray and our own code.
    """

    def __init__(self, libraries: Libraries) -> None:
        self._folder, self.process = private_folder(), os.getpid()
        self.address = os.path.join(self._folder, "forks")
        source, folder = libraries
        given = {"source": source, "folder": folder, "path": sys.path, "parent": os.getpid()}
        file = Path(self._folder, "libraries")  # where only the user sees it, as everybody does a command line
        file.write_text(json.dumps(given), "utf-8")
        flags = [flag for flag, on in (("-S", sys.flags.no_site), ("-s", sys.flags.no_user_site)) if on]  # as Ray does
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(self.address)
            os.chmod(self.address, 0o600)
            door.listen()
            self._process = subprocess.Popen(
                [sys.executable, *flags, _beside("fork_server.py"), file],
                stdin=door.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                process_group=0,
                text=True,
            )

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    def end(self) -> None:
        """End it; workers that were forked from it live on."""
        ended = self._process.poll()
        self._process.kill()
        said = ""
        with suppress(subprocess.TimeoutExpired):  # a library may have started what holds its streams
            said, _ = self._process.communicate(timeout=1)
        if said or ended is not None:
            _as_ever(said or f"the process that they come from has ended with {ended}")
        remove(self._folder)


def _beside(name: str) -> str:
    """The path of a file here that other processes run: to import it would import what they need."""
    return os.path.join(os.path.dirname(__file__), name)


_servers: list[ForkServer] = []
"""The one of this process, if there is one."""


def begin(libraries: Libraries) -> None:
    """Have a fork server, where there can be one, for the next Ray that is started; it ends with this thread."""
    try:
        if sys.platform != "linux":
            _as_ever("this is not Linux")
        elif not _servers:
            _servers.append(ForkServer(libraries))
    except (OSError, ClusterError) as error:
        _as_ever(str(error))


def end() -> None:
    """End it, if there is one; workers that were forked from it live on."""
    while _servers:
        server = _servers.pop()
        if server.process == os.getpid():  # else it is our parent's
            server.end()


@contextmanager
def asked_for_workers(ray: Any, start: Start) -> Iterator[None]:
    """Let the Ray that starts in this block ask the fork server for its workers, if there is one."""
    if _servers and (why := _why_not(ray._private.services, start)):
        _as_ever(why)
        end()
    if not _servers:
        yield
        return
    services = ray._private.services
    flags, ours = services._site_flags, ["-I", "-S", _beside("fork_request.py"), _servers[0].address]
    services._site_flags = lambda: [*ours, *flags()]  # the words before the worker's own file
    try:
        yield
    finally:
        services._site_flags = flags


def _why_not(services: Any, start: Start) -> str:
    """Why the workers of a Ray that is started in this way cannot be forked; empty: they can."""
    if start is not two_servers:
        return "Ray starts with all its servers"
    return "" if hasattr(services, "_site_flags") else "this Ray has no _site_flags"


def _as_ever(why: str) -> None:
    log.info("workers start as ever, not by fork: %s", why)
