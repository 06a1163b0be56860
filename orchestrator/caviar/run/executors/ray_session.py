"""Starts Ray on this machine, or joins a cluster, quietly and closed to the network; stops what it started.

A process has one Ray. Sessions in several threads share it, and the last one that leaves stops it.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from caviar.errors import ClusterError
from caviar.run.executors.cluster_probe import check_address, knock
from caviar.run.executors.native_output import native_output_kept
from caviar.run.executors.private_ray import WITHIN, all_servers, close_token, private_folder, remove, two_servers

_MANY = 1e6
_MOST_KINDS = 3
"""Of machines that are told apart, where none has room."""
_GPUS = ("nvidia0", "nvidiactl", "nvidia-caps", "dxg", "kfd", "dri", "accel")
"""What is in /dev where a GPU, of whichever make, may be: on Linux, none of them is a proof that there is none."""


def most_of_this_machine(devices: Path = Path("/dev")) -> dict[str, float]:
    """Return what Ray finds here at most, by its names; a number of GPUs that only Ray could tell is taken as large."""
    none = sys.platform == "darwin" or not any((devices / name).exists() for name in _GPUS)
    return {"CPU": float(os.cpu_count() or 1), "GPU": 0.0 if none else _MANY}


def slots_of(resources: Mapping[str, float], demand: Mapping[str, float]) -> int:
    """How many times `demand` fits into `resources`, each by Ray's names (`CPU`, `GPU`)."""
    fits = [int(resources.get(name, 0.0) / amount + 1e-9) for name, amount in demand.items() if amount > 0]
    return min(fits, default=0)


def lack(demand: Mapping[str, float], machines: Sequence[Mapping[str, float]], where: str) -> str:
    """Say what a trial needs and what there is, if no machine has room for it; empty: one has.

    Args:
        demand: What a trial needs, by Ray's names.
        machines: What each of them has.
        where: What they are together: `machine` or `cluster`.
    """
    if any(slots_of(one, demand) for one in machines):
        return ""
    needed = [name for name, amount in demand.items() if amount > 0]
    kinds = sorted({tuple(one.get(name, 0.0) for name in needed) for one in machines}, reverse=True)
    has = [_listed(zip(needed, kind, strict=True)) for kind in kinds]
    there = f"this {where} has {has[0] if has else 'no machine'}"
    if len(machines) > 1:
        there = f"the machines of this {where} have {', or '.join(has[:_MOST_KINDS])} each"
    return f"a trial needs {_listed((name, demand[name]) for name in needed)}, but {there}"


def _listed(amounts: Iterable[tuple[str, float]]) -> str:
    return " and ".join(f"{amount:g} {name}" for name, amount in amounts)


_QUIET: Mapping[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
"""Of ray.init: what is wrong comes as an exception, too."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """The resources that a session asks for; None: whatever there is."""

    address: str | None
    cpus: int | None
    gpus: int | None


_lock = threading.RLock()
_sessions: list[_Wish] = []
"""Of those who use the Ray that was started or joined here, the first of whom did so; empty: there is none of ours."""
_folders: list[str] = []
"""Of the Ray that we started."""
_SERVERS = ("gcs_server", "raylet")
"""Ray's own words for them."""
_lasting = ThreadPoolExecutor(1, thread_name_prefix="caviar-ray")
"""Starts Ray for threads: its servers are killed by the kernel when the thread that started them ends."""


class RaySession:
    """A connection to Ray for the length of a `with` block.

    Threads: any number of sessions may be open at a time; the Ray that the first one started or joined ends with the
    last one. A connection that the process had before is used, and stays.

    Args:
        address: None: start Ray on this machine, unless this process is connected already. `auto` or `host:port`:
            join that cluster.
        cpus: CPUs of the Ray that is started; None: all cores.
        gpus: GPUs of the Ray that is started; None: those found. Any number may be pretended, for tests.

    Raises:
        ClusterError: On entering: Ray cannot be started or reached, or this process is connected to another one.
    """

    def __init__(self, *, address: str | None = None, cpus: int | None = None, gpus: int | None = None) -> None:
        if address is not None:
            check_address(address)
        self._wish = _Wish(address, cpus, gpus)

    def __enter__(self) -> RaySession:
        logging.getLogger("ray").setLevel(logging.ERROR)  # before ray.init, which sets it for later
        logging.getLogger("ray.widgets").setLevel(logging.ERROR)  # in a notebook it asks for a package nobody needs
        import ray  # noqa: PLC0415 — only when a sweep runs: it takes a second

        with _lock:
            if ray.is_initialized():
                _check_shared(ray, self._wish)
                if _sessions:
                    _sessions.append(self._wish)
                return self
            _sessions.clear()  # somebody else ended what was ours
            if threading.current_thread() is threading.main_thread():
                _connect(ray, self._wish)
            else:
                _lasting.submit(_connect, ray, self._wish).result()
            _sessions.append(self._wish)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _lock:
            if not _sessions:
                return
            _sessions.pop()
            if not _sessions:
                import ray  # noqa: PLC0415

                _shut_down(ray)

    def resources(self) -> Mapping[str, float]:
        """What the cluster has, by Ray's names (`CPU`, `GPU`)."""
        import ray  # noqa: PLC0415

        return dict(ray.cluster_resources())

    def machines(self) -> list[Mapping[str, float]]:
        """Return what each machine of the cluster has, by Ray's names."""
        return machines()


def machines() -> list[Mapping[str, float]]:
    """Return what each machine has of the cluster that this process is connected to, by Ray's names."""
    import ray  # noqa: PLC0415

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def connected() -> bool:
    """Whether this process is connected to a Ray already; imports none."""
    asked = getattr(sys.modules.get("ray"), "is_initialized", None)  # none yet, while another thread imports Ray
    return asked is not None and bool(asked())


def fallen() -> str:
    """The server of a Ray that we started which has died; empty: none has. Asked from the thread that started it."""
    if not _folders:
        return ""
    with suppress(Exception):  # private names of Ray's: where they are others, its own words must do
        node = sys.modules["ray"]._private.worker._global_node
        return next((name for name, _ in node.dead_processes() if name in _SERVERS), "")
    return ""


def _shut_down(ray: Any) -> None:
    """Stop Ray, or leave it; of one that we started nothing stays."""
    try:
        if fallen():  # Ray would wait for it, and then end this process with no word of ours
            atexit.unregister(ray.shutdown)
            ray._private.worker._global_node.kill_all_processes(check_alive=False, allow_graceful=False)
        else:
            ray.shutdown()
    finally:
        while _folders:
            remove(_folders.pop())


def _connect(ray: Any, wish: _Wish) -> None:
    """Start Ray, or join the cluster."""
    if wish.address is None:
        _start(ray, wish)
    else:
        _join(ray, knock(ray, wish.address))


def _start(ray: Any, wish: _Wish) -> None:
    """Start Ray here; once more, if it fails: on a busy machine it gives up on servers that are only slow."""
    options: dict[str, Any] = {"address": "local", "include_dashboard": False, **_QUIET}
    options |= {"num_cpus": wish.cpus} if wish.cpus is not None else {}
    options |= {"num_gpus": wish.gpus} if wish.gpus is not None else {}
    failure: Exception | None = None
    with native_output_kept() as kept_output:
        for servers in (two_servers, all_servers):  # in case it is the two that cannot do without the others
            try:
                _folders.append(private_folder())
                close_token()
                place = {"_temp_dir": os.path.join(_folders[-1], WITHIN)}
                with _on_loopback(ray), _seldom_looking_at_logs(), _deaf_to_hangups(), servers(ray) as more:
                    ray.init(**options | place | more)
            except BaseException as error:
                with suppress(Exception):
                    _shut_down(ray)  # what it has begun
                if not isinstance(error, Exception):
                    raise
                failure = error
            else:
                return
    log = kept_output.log()
    said = f"; all that it said is in {log}" if log else ""
    raise ClusterError(
        f"cannot start Ray here, twice: {_why(failure)}{said}; see that the machine has memory and disk to spare, and "
        "type the same again"
    ) from failure


def _join(ray: Any, address: str) -> None:
    """Connect to a cluster that answers."""
    try:
        with _on_loopback(ray) if _is_local(address) else nullcontext(), _seldom_looking_at_logs():
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
    if wish.address is None and _sessions and _sessions[0].address is not None:
        raise ClusterError(
            f"another sweep of this process runs on the Ray cluster at {here}, and a process has one Ray: give this "
            "one the same address, or a process of its own"
        )
    resources = ray.cluster_resources() if (wish.cpus, wish.gpus) != (None, None) else {}
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


@contextmanager
def _on_loopback(ray: Any) -> Iterator[None]:
    """Let the Ray that starts in this block listen on 127.0.0.1 only, or be joined there.

    Its servers bind to the node's address, and `_node_ip_address="127.0.0.1"` is turned back into the outer one; only
    this constant, made for laptops, stops that. A test holds that nothing listens elsewhere.
    """
    constants = ray._private.ray_constants
    before = constants.ENABLE_RAY_CLUSTER
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def _deaf_to_hangups() -> Iterator[None]:
    """Let what starts in this block go on when the terminal is closed: the driver ends it, once all is in order."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_LOGS = {"LOG_NAME_UPDATE_INTERVAL_S": "60", "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD": "0"}


@contextmanager
def _seldom_looking_at_logs() -> Iterator[None]:
    """Let the Ray that starts in this block look for new logs once a minute, not ten times a second; none are read."""
    ours = {name: value for name, value in _LOGS.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


def _why(error: Exception | None) -> str:
    """Return what Ray said, in one line."""
    return f"{' '.join(str(error).split()):.300}".rstrip(".") or type(error).__name__
