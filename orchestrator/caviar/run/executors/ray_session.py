"""Starts Ray on this machine, or joins a cluster, quietly and closed to the network; stops what it started.

A process has one Ray. Sessions in several threads share it, and one that we started is kept until the process ends, so
that the next sweep finds warm processes. A cluster is left with the last session, or at the end of a process that ends
quickly (`run/quick_end.py`): there Ray's client is not taken apart.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from caviar.errors import ClusterError
from caviar.run.executors import forked_workers
from caviar.run.executors.cluster_probe import check_address, knock
from caviar.run.executors.failed_start import ended_if_it_fails
from caviar.run.executors.forked_workers import Libraries, asked_for_workers
from caviar.run.executors.inherited import Inherited
from caviar.run.executors.native_output import native_output_kept
from caviar.run.executors.private_folder import WITHIN, close_token, private_folder, remove
from caviar.run.executors.private_ray import ways_to_start
from caviar.run.executors.ray_surroundings import deaf_to_hangups, on_loopback, seldom_looking_at_logs
from caviar.run.executors.servers import fallen, folders, watched
from caviar.run.executors.tied_workers import let_fall, tied_to_us
from caviar.run.quick_end import ends_quickly

_QUIET: Mapping[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
"""Of ray.init: what is wrong comes as an exception, too."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """The resources that a session asks for; None: whatever there is."""

    address: str | None
    cpus: int | None
    gpus: int | None


@dataclass(frozen=True, slots=True)
class _Started:
    """The Ray that we started, whether somebody uses it just now or not."""

    wish: _Wish
    inherited: Inherited
    process: int
    """Number of the process that it belongs to: one that was forked from it has none."""


_lock = threading.RLock()
_sessions: list[_Wish] = []
"""Of those who use the Ray that was started or joined here just now."""
_started: list[_Started] = []
"""The one that we started; empty: there is none."""
_early: list[Future[None]] = []
"""Starts that nobody has waited for."""
_ended = threading.Event()
"""Set when Ray has ended: who waits for it may end, too."""


class RaySession:
    """A connection to Ray for the length of a `with` block.

    Threads: any number of sessions may be open at a time, and share one Ray. One that we started stays when they are
    closed, for the next session with the same wishes and inherited; `shutdown` ends it, as does the process's end.
    A cluster that was joined is left with the last session. A connection that the process had before is used, and
    stays.

    Args:
        address: None: start Ray on this machine, unless this process is connected already. `auto` or `host:port`:
            join that cluster.
        cpus: CPUs of the Ray that is started; None: all cores.
        gpus: GPUs of the Ray that is started; None: those found. Any number may be pretended, for tests.
        keep: Whether Ray stays; without it the processes that trained end, and free what they hold.
        forked: Workers of a Ray that is started come, by fork, from one process that has imported these libraries;
            None: from now on none do.

    Raises:
        ClusterError: On entering: Ray cannot be started or reached, or this process is connected to another one.
    """

    def __init__(
        self,
        *,
        address: str | None = None,
        cpus: int | None = None,
        gpus: int | None = None,
        keep: bool = True,
        forked: Libraries | None = None,
    ) -> None:
        if address is not None:
            check_address(address)
        self._wish = _Wish(address, cpus, gpus)
        self._keep = keep
        self._forked = forked

    def __enter__(self) -> RaySession:
        logging.getLogger("ray").setLevel(logging.ERROR)  # before ray.init, which sets it for later
        logging.getLogger("ray.widgets").setLevel(logging.ERROR)  # in a notebook it asks for a package nobody needs
        import ray  # noqa: PLC0415 — only when a sweep runs: it takes a second

        with _lock:
            if self._forked is None:
                forked_workers.end()
            if _started and not _sessions and not _will_do(_started[0], self._wish):
                _shut_down(ray)
            if ray.is_initialized():
                _check_shared(ray, self._wish)
                if _sessions or _started:
                    _sessions.append(self._wish)
                return self
            _sessions.clear()  # somebody else ended what was ours
            _started.clear()
            if threading.current_thread() is threading.main_thread():
                _connect(ray, self._wish, self._forked)
            else:
                _in_a_lasting_thread(_connect, ray, self._wish, self._forked).result()
            _sessions.append(self._wish)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _lock:
            if not _sessions:
                return
            _sessions.pop()
            if _sessions or (_started and self._keep and kind is None):
                return
            import ray  # noqa: PLC0415

            if ends_quickly() and not _started:
                atexit.unregister(ray.shutdown)
            else:
                _shut_down(ray)

    def resources(self) -> Mapping[str, float]:
        """What the cluster has, by Ray's names (`CPU`, `GPU`)."""
        import ray  # noqa: PLC0415

        return dict(watched(ray.cluster_resources))


def start_early(workers: int, forked: Libraries | None = None) -> None:
    """Start Ray while this thread does something else; the next session takes it over, if it will do.

    What goes wrong is not told: the session tries again. Ray is imported here, for two threads that import at the same
    time could find modules half made.

    Args:
        workers: Processes for trials that are to be there when it comes, at most.
        forked: As of `RaySession`.
    """
    if not connected():
        if forked is not None:
            forked_workers.begin(forked)  # it imports meanwhile
        import ray  # noqa: PLC0415

        _early.append(_in_a_lasting_thread(_start_early, ray, workers, Inherited.now()))
        _end_with_process()


def _in_a_lasting_thread(call: Callable[..., None], *given: Any) -> Future[None]:
    """Call a function that starts Ray in a thread that lives as long as Ray does.

    The kernel kills Ray's servers when the thread that started them ends. This one ends with the process, after its
    exit functions.
    """
    done: Future[None] = Future()

    def run() -> None:
        try:
            call(*given)
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(None)
            _ended.wait()

    _ended.clear()
    threading.Thread(target=run, name="caviar-ray", daemon=True).start()
    return done


def _start_early(ray: Any, workers: int, inherited: Inherited) -> None:
    with _lock, suppress(Exception):
        if not ray.is_initialized():
            _start(ray, _Wish(None, None, None), inherited, beside=True)
            nothing = ray.remote(num_cpus=1, max_retries=0)(_nothing)
            for _ in range(min(workers, int(watched(ray.cluster_resources).get("CPU", 0)))):
                nothing.remote()


def _nothing() -> None:
    """A process that has done this has imported Ray."""


def shutdown() -> None:
    """Stop the Ray that this process keeps for its next sweep; nothing happens if it keeps none.

    Raises:
        ClusterError: A sweep of this process runs on it.
    """
    with _lock:
        if not _started:
            return
        if _sessions:
            raise ClusterError("a sweep of this process runs on the Ray that is to be stopped: wait for its end")
        _shut_down(sys.modules["ray"])


def _end_with_process() -> None:
    """See that what we started is stopped at the process's end: before Ray's own exit function, registered earlier."""
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


def _at_exit() -> None:
    wait(_early)
    if _started and _started[0].process == os.getpid():
        _shut_down(sys.modules["ray"])
    forked_workers.end()


def _will_do(started: _Started, wish: _Wish) -> bool:
    """Whether a Ray of ours is what a session wants, and lives."""
    return started.wish == wish and started.inherited == Inherited.now() and not fallen()


def joined() -> str:
    """The address of the cluster that this process is connected to."""
    import ray  # noqa: PLC0415 — it is here already

    return str(ray.get_runtime_context().gcs_address)


def connected() -> bool:
    """Whether this process is connected to a Ray already; imports none."""
    asked = getattr(sys.modules.get("ray"), "is_initialized", None)  # none yet, while another thread imports Ray
    return asked is not None and bool(asked())


def has_joined() -> bool:
    """Whether a session that is open has joined a cluster."""
    return any(one.address is not None for one in _sessions)


def _shut_down(ray: Any) -> None:
    """Stop Ray, or leave it; of one that we started nothing stays."""
    try:
        if fallen():  # Ray would wait for it, and then end this process with no word of ours
            atexit.unregister(ray.shutdown)
            ray._private.worker._global_node.kill_all_processes(check_alive=False, allow_graceful=False)
        else:
            ray.shutdown()
    finally:
        _started.clear()
        _ended.set()
        let_fall()
        forked_workers.end()
        while folders:
            remove(folders.pop())


def _connect(ray: Any, wish: _Wish, libraries: Libraries | None) -> None:
    """Start Ray, or join the cluster."""
    if wish.address is None:
        if libraries is not None:
            forked_workers.begin(libraries)
        _start(ray, wish, Inherited.now())
    else:
        _join(ray, knock(ray, wish.address))


def _start(ray: Any, wish: _Wish, inherited: Inherited, *, beside: bool = False) -> None:
    """Start Ray here; once more, if it fails: on a busy machine it gives up on servers that are only slow.

    Args:
        ray: The library.
        wish: What it is to have.
        inherited: Those in which it starts.
        beside: Others use the terminal meanwhile, so what Ray's own code prints there cannot be told apart.
    """
    options: dict[str, Any] = {"address": "local", "include_dashboard": False, **_QUIET}
    options |= {"num_cpus": wish.cpus} if wish.cpus is not None else {}
    options |= {"num_gpus": wish.gpus} if wish.gpus is not None else {}
    failure: Exception | None = None
    ways = ways_to_start(ray)
    with nullcontext() if beside else native_output_kept() as kept_output:
        for servers in ways:
            try:
                folders.append(private_folder())
                close_token()
                place = {"_temp_dir": os.path.join(folders[-1], WITHIN)}
                with (
                    on_loopback(ray),
                    seldom_looking_at_logs(),
                    deaf_to_hangups(),
                    servers(ray) as more,
                    tied_to_us(ray, folders[-1]),
                    asked_for_workers(ray, servers),
                    ended_if_it_fails(ray),
                ):
                    ray.init(**options | place | more)
            except BaseException as error:
                with suppress(Exception):
                    _shut_down(ray)  # what it has begun
                if not isinstance(error, Exception):
                    raise
                failure = error
            else:
                _ended.clear()  # which a start that failed has set: the servers live as long as this thread
                _started.append(_Started(wish, inherited, os.getpid()))
                _end_with_process()
                return
    log = kept_output.log() if kept_output else ""
    said = f"; all that it said is in {log}" if log else ""
    raise ClusterError(
        f"cannot start Ray here, twice: {_why(failure)}{said}; see that the machine has memory and disk to spare, and "
        "type the same again"
    ) from failure


def _join(ray: Any, address: str) -> None:
    """Connect to a cluster that answers."""
    try:
        with on_loopback(ray) if _is_local(address) else nullcontext(), seldom_looking_at_logs():
            ray.init(address=address, **_QUIET)
    except Exception as error:
        raise ClusterError(f"cannot join the Ray cluster at {address}: {_why(error)}") from error


def _check_shared(ray: Any, wish: _Wish) -> None:
    """See that the Ray that this process is connected to will do for another session; ClusterError if not."""
    here = str(ray.get_runtime_context().gcs_address)
    if wish.address not in (None, "auto") and not _same_place(str(wish.address), here):
        raise ClusterError(
            f"this process is connected to the Ray at {here} already, and a process has one: run the sweep for "
            f"{wish.address} in a process of its own"
        )
    if wish.address is None and _sessions and not _started:
        raise ClusterError(
            f"another sweep of this process runs on the Ray cluster at {here}, and a process has one Ray: give this "
            "one the same address, or a process of its own"
        )
    resources = watched(ray.cluster_resources) if (wish.cpus, wish.gpus) != (None, None) else {}
    for name, wanted in (("CPU", wish.cpus), ("GPU", wish.gpus)):
        if wanted is not None and wanted != resources.get(name, 0):
            raise ClusterError(
                f"this process is connected to a Ray with {resources.get(name, 0):g} {name}, and one with {wanted} was "
                "asked for: a process has one Ray, so give this sweep a process of its own"
            )


def _same_place(one: str, other: str) -> bool:
    """Whether two `host:port` mean the same server; a form that only Ray knows may."""
    if one == other or not one.rpartition(":")[2].isdecimal():
        return True
    places = []
    for address in (one, other):
        host, _, port = address.rpartition(":")
        try:
            places.append((socket.gethostbyname(host.strip("[]")), port))
        except OSError:
            places.append((host, port))
    return places[0] == places[1]


def _is_local(address: str) -> bool:
    """Whether the Ray meant is one on 127.0.0.1: one like ours, joined by that address."""
    return address.rpartition(":")[0] in {"127.0.0.1", "localhost"}


def _why(error: Exception | None) -> str:
    """Return what Ray said, in one line."""
    return f"{' '.join(str(error).split()):.300}".rstrip(".") or type(error).__name__
