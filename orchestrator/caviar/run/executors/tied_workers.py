"""Processes of a Ray of ours that cannot outlive the driver, not even while they start: they hang on a pipe of its.

Ray lets its servers die with the driver, by the kernel. Those that its raylet starts see to it by themselves, some of
them late: a worker that is still starting looks for its raylet for half a minute, and an agent wants to tell a server
that has died, too, for a minute. So these are run by `caviar_workers/lifeline.py`. The pipe is a named one, beside
Ray's sockets, and is held open by this process alone: it closes when Ray is stopped, or when this process dies.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from caviar_workers import lifeline

_PIPE = "alive"
_COMMANDS = "_site_flags", "_build_python_executable_command_memory_profileable"
"""Functions of Ray's whose words come before the file of a worker, and of a server in Python."""
_held: list[int] = []
"""This process's end of the pipe, while it has a Ray."""


@contextmanager
def tied_to_us(ray: Any, folder: str) -> Iterator[None]:
    """Let what the Ray that starts in this block runs in Python hang on this process.

    Args:
        ray: The library; where it looks otherwise than when this was tried, all starts as ever.
        folder: Where the pipe is made; nobody else may enter it.
    """
    services = getattr(ray._private, "services", None)
    if sys.platform != "linux" or not all(hasattr(services, name) for name in _COMMANDS):
        yield
        return
    pipe = os.path.join(folder, _PIPE)
    os.mkfifo(pipe, 0o600)
    _held.append(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))  # both ways: to write only, somebody would have to read
    before = {name: getattr(services, name) for name in _COMMANDS}
    for name, words in before.items():
        setattr(services, name, _followed_by(words, [lifeline.__file__, pipe]))
    try:
        yield
    finally:
        for name, words in before.items():
            setattr(services, name, words)


def _followed_by(words: Callable[..., list[str]], more: list[str]) -> Callable[..., list[str]]:
    return lambda *given, **named: [*words(*given, **named), *more]


def let_fall() -> None:
    """End the workers that hang on this process."""
    while _held:
        os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=let_fall)  # a child holds nobody
