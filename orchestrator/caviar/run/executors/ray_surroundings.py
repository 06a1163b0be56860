"""What surrounds the start of Ray: its servers listen here only, hear no hang-up, and seldom look at logs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def on_loopback(ray: Any) -> Iterator[None]:
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
def deaf_to_hangups() -> Iterator[None]:
    """Let what starts in this block go on when the terminal is closed: the driver ends it, once all is in order."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_LOGS = {"LOG_NAME_UPDATE_INTERVAL_S": "60", "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD": "0"}


@contextmanager
def seldom_looking_at_logs() -> Iterator[None]:
    """Let the Ray that starts in this block look for new logs once a minute, not ten times a second; none are read."""
    ours = {name: value for name, value in _LOGS.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]
