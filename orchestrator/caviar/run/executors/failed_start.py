"""A start of Ray that fails: Ray forgets the servers that it has begun, and they would run beside those of the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def ended_if_it_fails(ray: Any) -> Iterator[None]:
    """End the servers that Ray begins in this block, if it raises."""
    name = "start_head_processes"
    try:
        node = ray._private.node.Node
        begin = getattr(node, name)
    except AttributeError:  # another version
        yield
        return
    begun: list[Any] = []

    def noted(one: Any) -> None:
        begun.append(one)
        begin(one)

    setattr(node, name, noted)
    try:
        yield
    except BaseException:
        for one in begun:
            with suppress(Exception):
                one.kill_all_processes(check_alive=False, allow_graceful=False)
        raise
    finally:
        setattr(node, name, begin)
