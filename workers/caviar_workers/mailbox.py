"""Messages on their way from the driver to the trials of running leases."""

from __future__ import annotations

from caviar_workers.messages import Message


class Mailbox:
    """Keeps messages until the lease they are for fetches them; each is fetched once.

    Threads: none of its own; whoever holds it sees to it that one call comes after another.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, list[Message]] = {}

    def put(self, lease: int, message: Message) -> None:
        """Leave a message for a lease."""
        self._waiting.setdefault(lease, []).append(message)

    def take(self, lease: int) -> list[Message]:
        """Fetch what was left for a lease, in order."""
        return self._waiting.pop(lease, [])
