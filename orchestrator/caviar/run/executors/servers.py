"""The servers of the Ray that this process started: whether they live, and calls that would wait for a dead one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

from caviar.errors import ClusterError

_SERVERS = ("gcs_server", "raylet")
"""Ray's own words for them."""
_LOOK_S = 0.5
T = TypeVar("T")
folders: list[str] = []
"""Of the Ray that this process started; empty: there is none."""


def fallen() -> str:
    """The server of a Ray that we started which has died; empty: none has. Asked from the thread that started it."""
    if not folders:
        return ""
    with suppress(Exception):  # private names of Ray's: where they are others, its own words must do
        node = sys.modules["ray"]._private.worker._global_node
        return next((name for name, _ in node.dead_processes() if name in _SERVERS), "")
    return ""


def has_died(server: str) -> ClusterError:
    """What a sweep ends with when a server has."""
    return ClusterError(
        f"Ray's {server} has died, perhaps killed for want of memory: all that was reported is saved, and "
        "caviar resume goes on"
    )


def watched(call: Callable[[], T]) -> T:
    """Return what a call of Ray gives, or raise what it raises.

    Ray would wait a minute for a server that has died, and then end this process with no word of ours.

    Raises:
        ClusterError: A server of a Ray that we started has died meanwhile.
    """
    given: Future[T] = Future()

    def ask() -> None:
        try:
            given.set_result(call())
        except BaseException as error:
            given.set_exception(error)

    threading.Thread(target=ask, name="caviar-asks-ray", daemon=True).start()
    while not given.done():
        with suppress(TimeoutError):
            given.exception(_LOOK_S)
        if not given.done() and (server := fallen()):
            raise has_died(server)
    return given.result()
