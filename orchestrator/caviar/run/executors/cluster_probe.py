"""Asks whether a Ray cluster answers at an address, before Ray's own client does.

That one tries for a minute, prints what its C++ side thinks of it, and may end the process. So whoever listens is asked
one small question first, and what can be wrong has a sentence with what to type.
"""

from __future__ import annotations

import http.client
import logging
import os
import re
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from caviar.errors import ClusterError
from caviar.run.executors.native_output import native_output_kept

_ANSWER_S = 8.0
"""Seconds for the answer to a small question, after a connection was made; usually it takes some milliseconds. Ray has
something to say of it after 5 s, which is kept from the terminal, and after 10 s."""
_WEB_S = 1.0
_FORM = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")


def check_address(address: str) -> None:
    """See that an address has a form that can be joined: `auto` or `host:port`.

    Raises:
        ClusterError: It has not.
    """
    if address.startswith("ray://"):
        raise ClusterError(
            f"{address} is a Ray Client address, which ends a sweep when the connection drops: give --address "
            "host:port of the cluster, from one of its machines"
        )
    if "://" in address:
        raise ClusterError(
            f"{address} is not where a cluster is joined (a dashboard or a job server, perhaps): give --address "
            "host:port, as ray start --head printed it, or --address auto"
        )
    found = _FORM.fullmatch(address)
    if address != "auto" and (found is None or not 0 < int(found[2]) < 2**16):
        word = f"{address}:6379" if re.fullmatch(r"[\w.-]+", address) else "192.168.0.1:6379"
        raise ClusterError(f"a cluster's address is host:port, such as {word}, or auto, but got {address!r}")


def knock(ray: Any, address: str) -> str:
    """Ask whether a Ray cluster lets us in at an address, `auto` or `host:port`; returns it as `host:port`.

    Raises:
        ClusterError: Nobody listens, nobody answers, or one of us has a token and the other one has not.
    """
    auto = address == "auto"
    address = _listening(ray, address)
    shows = ray._raylet.get_authentication_mode() == ray._raylet.AuthenticationMode.TOKEN
    if shows and not _has_token(ray):
        raise ClusterError(f"RAY_AUTH_MODE=token is set, but this machine has no token: {_token(address)}")
    said = _asked(ray, address)
    if _is_refusal(said) and not shows and auto and not os.environ.get("RAY_AUTH_MODE") and _has_token(ray):
        with native_output_kept():
            ray._private.worker.maybe_enable_token_auth_if_token_available(warn_if_disabled=False)  # Ray's rule, too
        said = _asked(ray, address)
    if _is_refusal(said):
        if shows:
            raise ClusterError(f"the Ray cluster at {address} does not take the token in {_kept()}: {_token(address)}")
        also = "" if _has_token(ray) else f", and {_token(address).removeprefix('type ')}"
        raise ClusterError(f"the Ray cluster at {address} asks for a token: type export RAY_AUTH_MODE=token{also}")
    if said is not None and _is_web_server(address):
        raise ClusterError(
            f"a web server listens at {address} (the cluster's dashboard and job server, perhaps), and it is not where "
            "a cluster is joined: give the port that ray start --head printed (6379, unless --port said otherwise)"
        ) from said
    if said is not None:
        raise ClusterError(
            f"something listens at {address}, but it does not answer as a Ray cluster does: give the port that "
            "ray start --head printed (6379, unless --port said otherwise)"
        ) from said
    if shows and _takes_any_token(ray, address):
        raise ClusterError(
            f"the Ray cluster at {address} has no token, and its trials could not speak to a driver that wants one: "
            "type unset RAY_AUTH_MODE"
        )
    if not auto:
        _need_node(ray, address)
    return address


def _listening(ray: Any, address: str) -> str:
    """The address as `host:port`, where somebody listens."""
    auto = address == "auto"
    address = _found(ray) if auto else address
    try:
        _reach(address)
    except ClusterError as error:
        if auto:
            where = "RAY_ADDRESS" if address == os.environ.get("RAY_ADDRESS") else "the file in which Ray left it"
            raise ClusterError(
                f"auto means the Ray cluster at {address}, by {where}, but nothing listens there: give --address "
                "host:port, as ray start --head printed it"
            ) from error
        raise
    return address


def _need_node(ray: Any, address: str) -> None:
    """Raise unless this machine is a node of the cluster: Ray's client would end the process."""
    from ray.core.generated.gcs_pb2 import GcsNodeInfo  # noqa: PLC0415

    try:
        with native_output_kept():
            client = ray._raylet.GcsClient(address=address)
            nodes = client.get_all_node_info(timeout=_ANSWER_S, state_filter=GcsNodeInfo.GcsNodeState.ALIVE)
    except Exception as error:
        raise ClusterError(f"the Ray cluster at {address} does not say which nodes it has: {error}") from error
    if not any(is_here(one.node_manager_address) for one in nodes.values()):
        host = address.rpartition(":")[0]
        raise ClusterError(
            f"this machine is no node of the Ray cluster at {address}, and a sweep is run by one of its nodes: type "
            f"the same on {host}, or submit it there as a job (http://{host}:8265)"
        )


def is_here(address: str) -> bool:
    """Whether an IP address is one of this computer's own: nothing can be bound to another one's."""
    with suppress(OSError), socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.bind((address, 0))
        return True
    return False


def _reach(address: str) -> None:
    """Raise unless somebody listens at the address."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except OSError as error:
        raise ClusterError(
            f"cannot reach the Ray cluster at {address}: nothing listens there ({error.strerror or error}); "
            "see that it runs, and that host and port are those that ray start --head printed"
        ) from error


def _found(ray: Any) -> str:
    """The address that `auto` means; from RAY_ADDRESS, or of a Ray that runs on this machine."""
    given = os.environ.get("RAY_ADDRESS", "")
    if _FORM.fullmatch(given):  # as it is: Ray would put this machine's outer address in place of 127.0.0.1
        return given
    try:
        with _unsaid("ray._private.services"):  # that there are several, which the driver tells itself
            found = str(ray._private.services.canonicalize_bootstrap_address("auto"))
    except ConnectionError as error:
        raise ClusterError(
            "no Ray cluster runs on this machine: start one with ray start --head, give --address host:port, or leave "
            "--address out, and Caviar starts a Ray of its own"
        ) from error
    check_address(found)
    return found


@contextmanager
def _unsaid(logger: str) -> Iterator[None]:
    """Let a logger of Ray's say nothing but errors."""
    log = logging.getLogger(logger)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def clusters_here() -> int:
    """Ray clusters that have a process on this machine."""
    import ray  # noqa: PLC0415 — half a second

    return len(ray._private.services.find_gcs_addresses())


def _asked(ray: Any, address: str) -> Exception | None:
    """Return what the cluster's server raises when it is asked for its id; None: nothing."""
    raised: list[Exception] = [TimeoutError()]

    def ask() -> None:
        try:
            ray._raylet.GcsClient(address=address)
            raised.clear()
        except Exception as error:
            raised[0] = error

    with native_output_kept():
        asking = threading.Thread(target=ask, name="caviar-knock", daemon=True)  # Ray would try for 40 s
        asking.start()
        asking.join(_ANSWER_S)
        return raised[0] if raised else None


def _is_web_server(address: str) -> bool:
    """Whether somebody answers there by HTTP."""
    host, _, port = address.rpartition(":")
    asked = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=_WEB_S)
    try:
        asked.request("HEAD", "/")
        return bool(asked.getresponse().status)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()


def _is_refusal(said: Exception | None) -> bool:
    return type(said).__name__ == "AuthenticationError"


def _takes_any_token(ray: Any, address: str) -> bool:
    """Whether the cluster lets in who shows a wrong token, and so has none."""
    loader = ray._raylet.AuthenticationTokenLoader.instance()
    name = "RAY_AUTH_TOKEN"
    before = os.environ.get(name)
    os.environ[name] = f"{uuid.uuid4().hex}{uuid.uuid4().hex}"
    loader.reset_cache()
    try:
        return _asked(ray, address) is None
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before
        loader.reset_cache()


def _has_token(ray: Any) -> bool:
    """Whether this machine has a token; ClusterError when it is said to be in a file that has none."""
    try:
        return bool(ray._raylet.AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True))
    except ray.exceptions.AuthenticationError as error:
        path = os.environ.get("RAY_AUTH_TOKEN_PATH", "")
        raise ClusterError(
            f"RAY_AUTH_TOKEN_PATH names {path!r}, which cannot be read or is empty: name a file with the cluster's "
            "token, or type unset RAY_AUTH_TOKEN_PATH"
        ) from error


def _kept() -> str:
    """Return the path from which Ray takes this machine's token."""
    names = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
    return next((name for name in names if os.environ.get(name)), "~/.ray/auth_token")


def _token(address: str) -> str:
    host = address.rpartition(":")[0]
    return f"type export RAY_AUTH_TOKEN=TOKEN, with what ray get-auth-token prints on {host}"
