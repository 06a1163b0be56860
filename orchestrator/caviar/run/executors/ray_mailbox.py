"""The mailbox of a driver's leases as an actor, which answers a lease when there is something for it."""

from __future__ import annotations

import time
import uuid
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from caviar_workers.mailbox import AsyncMailbox
from caviar_workers.messages import Message

NAMESPACE = "caviar"
_MOST_QUESTIONS = 100_000
"""Leases that may have a question open at the same time."""
_TELL_S = 1.0
"""Seconds between two words to the mailbox on which leases have ended."""


class RayMailbox:
    """A mailbox, as soon as one is needed.

    Threads: `ended` and `tell_ended` belong to the thread that drains, all else to the scheduler's.

    Attributes:
        address: Its name in Ray.
    """

    def __init__(self) -> None:
        self.address = f"mailbox-{uuid.uuid4().hex}"
        self._actor: Any = None
        self._ended: list[int] = []
        self._due = 0.0

    def make(self) -> None:
        """Start the mailbox on this machine, unless there is one."""
        if self._actor is None:
            here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
            actor = ray.remote(num_cpus=0, max_restarts=-1, max_concurrency=_MOST_QUESTIONS)(AsyncMailbox)
            actor = actor.options(name=self.address, namespace=NAMESPACE, scheduling_strategy=here)
            self._actor = actor.remote()

    def put(self, lease: int, message: Message) -> None:
        """Leave a message for a lease."""
        self.make()
        # What is said while it is made anew arrives then. Who asks does so again; of retries Ray would tell the user.
        self._actor.put.options(max_task_retries=-1).remote(lease, message)

    def ended(self, lease: int) -> None:
        """Take note that a lease has ended."""
        if self._actor is not None:
            self._ended.append(lease)

    def tell_ended(self) -> None:
        """Let the mailbox forget the leases that have ended, now and then."""
        if self._ended and time.monotonic() >= self._due:
            self._due = time.monotonic() + _TELL_S
            ended, self._ended = self._ended, []
            self._actor.end.remote(ended)

    def close(self) -> None:
        """End its process."""
        if self._actor is not None:
            ray.kill(self._actor)
