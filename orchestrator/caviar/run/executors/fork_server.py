"""The warm process that workers are forked from: it has imported Ray, our own code, and the user's libraries.

It is run as a file by itself, by the process that starts Ray (`forked_workers.py`), and ends with it. It runs nothing
of the user's: each worker imports the experiment itself, in the thread that trains, as ever. What Ray would have handed
down to a worker comes with the request for it (`fork_request.py`).

A process may be forked where no other thread of it can hold a lock, so none may run, nor may a library compute with
several threads. If that, or anything else, is not as it has to be, the server says why and ends, and workers start as
ever.
"""

from __future__ import annotations

import contextvars
import ctypes
import decimal
import importlib
import json
import marshal
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NoReturn

PATIENCE_S = 5.0
_SET_PARENT_DEATH_SIGNAL = 1
_HARMLESS = ("jemalloc_bg_thd",)
"""Threads that see by themselves to it that their process can be forked."""
_WORKER = "ray._private.workers.default_worker"
_OWN = ("caviar_workers.lease", "caviar_workers.project", "caviar_workers.data", "caviar_workers.inbox")
_TIED = "lifeline.py"
_PLAIN = {"--worker-type=WORKER", "--runtime-env-hash=0"}
_OOM_SCORE = "RAY_worker_oom_score_adjustment"
_READ_ONCE = b"RAY_", b"LD_"
"""How environment variables begin that are read when Ray is imported, or when a process begins."""


@dataclass(frozen=True, slots=True)
class Request:
    """A worker that Ray wants."""

    command: list[str]
    """A file and its arguments: `lifeline.py`, which runs Ray's file of workers, or that itself."""
    environment: dict[bytes, bytes]
    folder: str
    umask: int
    group: int
    """Of processes; 0: one of its own."""
    blocked: list[int]
    """Signals."""
    streams: list[int]
    """Descriptors for stdin, stdout and stderr."""
    asker: socket.socket

    @property
    def plain(self) -> bool:
        """Whether it is a process for tasks, without a `runtime_env` of its own."""
        kind = "--worker-type=", "--runtime-env-hash=", "--serialized-runtime-env-context="
        return {word for word in self.command if word.startswith(kind)} <= _PLAIN

    @property
    def file(self) -> str:
        """Ray's file of workers."""
        tied = os.path.basename(self.command[0]) == _TIED
        return self.command[2 if tied else 0]

    @property
    def read_once(self) -> dict[bytes, bytes]:
        """Of the environment, what is too late to change."""
        return {name: value for name, value in self.environment.items() if name.startswith(_READ_ONCE)}

    def close(self) -> None:
        """Forget it: the asker sees to itself, if nobody else holds the connection."""
        self.asker.close()
        for number in self.streams:
            os.close(number)


class UnsafeError(Exception):
    """Nobody may be forked from this process."""


def main() -> None:
    """Import, fork workers until the end, and in a worker be it."""
    del sys.path[0]  # this file's folder
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    _end_with(given["parent"])  # before anything takes long
    door = socket.socket(fileno=os.dup(0))
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    try:
        _import_libraries(given["source"], Path(given["folder"]), given["path"])
        request = _serve(door)
    except UnsafeError as error:
        os.write(1, str(error).encode())  # before whoever waits sees that this process ends
        return
    _be(request)


def _end_with(parent: int) -> None:
    """Die when the thread that has started this process ends."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it has died before
        sys.exit()


def _import_libraries(source: str, folder: Path, path: list[str]) -> None:
    """Import what workers import, as far as that is libraries; the experiment comes later, and is each worker's."""
    before = list(sys.path)
    sys.path += [place for place in path if place not in before]
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # as for every trial that asks for no GPU
    from caviar.spec.leading_imports import leading_imports  # noqa: PLC0415 — now that the path leads to it

    for name in _OWN:
        importlib.import_module(name)
    for statement in leading_imports(source, folder, path):
        try:
            exec(statement, {})
        except BaseException as error:
            raise UnsafeError(f"{statement!r} raised {type(error).__name__}") from error
    sys.path[:] = before
    _check_safe()  # rather than when somebody waits


def _import_ray(request: Request) -> None:
    """Import Ray as a worker does, with the environment that it reads then."""
    if {name: value for name, value in os.environb.items() if name.startswith(b"LD_")} != {
        name: value for name, value in request.environment.items() if name.startswith(b"LD_")
    }:
        raise UnsafeError("workers begin with other libraries (LD_PRELOAD and the like)")
    _set_environment(request)
    sys.path.insert(0, os.path.dirname(request.file))  # as if that file were run
    importlib.import_module(_WORKER)
    del sys.modules[_WORKER]  # of a worker it is the main module


def _check_safe() -> None:
    """Raise UnsafeError if a process that is forked from this one might differ from one that begins afresh."""
    from threadpoolctl import threadpool_info  # noqa: PLC0415

    threads = [Path(f"/proc/self/task/{task}/comm").read_text().strip() for task in os.listdir("/proc/self/task")]
    others = sorted(name for name in threads if name not in _HARMLESS)
    if len(others) > 1:
        raise UnsafeError(f"the libraries run threads ({', '.join(others)})")
    if pools := sorted(one["prefix"] for one in threadpool_info() if one["num_threads"] != 1):
        raise UnsafeError(f"the libraries compute with several threads ({', '.join(pools)})")
    if "/libcuda.so" in Path("/proc/self/maps").read_text():
        raise UnsafeError("the libraries have loaded CUDA's driver")
    # Trials run in a thread of their own, which would not have what is this one's. Who asks for decimals' gets some.
    context = {var.name: repr(value) for var, value in contextvars.copy_context().items()}
    if changed := sorted(context.items() - {("decimal_context", repr(decimal.Context()))}):
        raise UnsafeError(f"the libraries have set {changed[0][0]} of their thread's context")


def _serve(door: socket.socket) -> Request:
    """Fork a worker for each request; returns in the worker."""
    first: Request | None = None
    while True:
        asker, _ = door.accept()
        try:
            request = _received(asker)
        except (OSError, EOFError, ValueError, TypeError):
            asker.close()
            continue
        if first is None:
            _import_ray(request)
            _check_safe()
            signal.signal(signal.SIGCHLD, _reap)
            first = request
        if request.plain and request.read_once == first.read_once and not os.fork():
            door.close()
            return request
        request.close()


def _reap(*_: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _received(asker: socket.socket) -> Request:
    asker.settimeout(PATIENCE_S)
    head, streams, _, _ = socket.recv_fds(asker, 8, 3)
    size, data = int.from_bytes(head, "big"), b""
    while len(data) < size:
        if not (part := asker.recv(size - len(data))):
            raise EOFError
        data += part
    return Request(**marshal.loads(data), streams=streams, asker=asker)


def _be(request: Request) -> NoReturn:
    """Be the worker: take what Ray hands down to one that it starts, and run its file."""
    from caviar.run.executors.fork_request import GO  # noqa: PLC0415
    from caviar_workers.process import begin_forked  # noqa: PLC0415

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request.asker.settimeout(None)  # it answers, however late, or ends
    try:
        request.asker.sendall(GO)
        if request.asker.recv(1) != GO:  # it has lost patience, and begins itself
            os._exit(0)
    except OSError:
        os._exit(0)
    with suppress(OSError):  # one that is gone
        os.setpgid(0, request.group)
    _set_environment(request)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(os.environ.get(_OOM_SCORE, "1000"))
    os.umask(request.umask)
    with suppress(OSError):
        os.chdir(request.folder)
    for number, descriptor in enumerate(request.streams):
        os.dup2(descriptor, number)
    request.close()
    signal.pthread_sigmask(signal.SIG_SETMASK, request.blocked)
    begin_forked()
    file, *arguments = request.command
    sys.argv = [file, *arguments]
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__file__ = file
    exec(compile(Path(file).read_bytes(), file, "exec"), main.__dict__)
    sys.exit()


def _set_environment(request: Request) -> None:
    os.environb.clear()
    os.environb.update(request.environment)


if __name__ == "__main__":
    main()
