"""Starts Ray on this machine, or joins a cluster, quietly and closed to the network; stops what it started."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import Any

from caviar.errors import ClusterError
from caviar.execute.private_ray import two_servers


class RaySession:
    """A connection to Ray for the length of a `with` block.

    Args:
        address: None: start Ray on this machine, unless this process is connected already. `auto` or `host:port`:
            join that cluster.
        cpus: CPUs of the Ray that is started; None: all cores.
        gpus: GPUs of the Ray that is started; None: those found. Any number may be pretended, for tests.

    Raises:
        ClusterError: On entering: Ray cannot be started or reached.
    """

    def __init__(self, *, address: str | None = None, cpus: int | None = None, gpus: int | None = None) -> None:
        if address is not None and address.startswith("ray://"):
            raise ClusterError(
                f"{address} is a Ray Client address, which ends a sweep when the connection drops: give --address "
                "host:port of the cluster, from one of its machines"
            )
        self._address = address
        self._cpus = cpus
        self._gpus = gpus
        self._ours = False

    def __enter__(self) -> RaySession:
        logging.getLogger("ray.widgets").setLevel(logging.ERROR)  # in a notebook it asks for a package nobody needs
        import ray  # noqa: PLC0415 — only when a sweep runs: it takes a second

        if ray.is_initialized():
            return self
        options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        if self._address is None:
            options |= {"address": "local", "include_dashboard": False}
            options |= {"num_cpus": self._cpus} if self._cpus is not None else {}
            options |= {"num_gpus": self._gpus} if self._gpus is not None else {}
        else:
            _knock(self._address)
            options["address"] = self._address
        ours = two_servers(ray) if self._address is None else nullcontext(options)
        try:
            with (
                _on_loopback(ray) if _is_local(self._address) else nullcontext(),
                _seldom_looking_at_logs(),
                ours as more,
            ):
                ray.init(**options | more)
        except Exception as error:
            what = (
                "cannot start Ray here" if self._address is None else f"cannot reach the Ray cluster at {self._address}"
            )
            raise ClusterError(f"{what}: {_why(error)}") from error
        self._ours = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ours:
            import ray  # noqa: PLC0415

            ray.shutdown()
            self._ours = False

    def resources(self) -> Mapping[str, float]:
        """What the cluster has, by Ray's names (`CPU`, `GPU`)."""
        import ray  # noqa: PLC0415

        return dict(ray.cluster_resources())


def _is_local(address: str | None) -> bool:
    """Whether the Ray meant is one on 127.0.0.1: ours, or one like it that is joined by that address."""
    return address is None or address.rpartition(":")[0] in {"127.0.0.1", "localhost"}


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


def _knock(address: str) -> None:
    """Ask whether anybody listens at `host:port`: Ray itself would try for a minute and then end the process."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return  # "auto", or a form that Ray knows
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"cannot reach the Ray cluster at {address}: {error}; see that `ray status` works there"
        ) from error


def _why(error: Exception) -> str:
    if type(error.__cause__).__name__ == "AuthenticationError":
        return (
            "it asks for a token: type `export RAY_AUTH_MODE=token`, and have the cluster's token in ~/.ray/auth_token "
            "or RAY_AUTH_TOKEN"
        )
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
