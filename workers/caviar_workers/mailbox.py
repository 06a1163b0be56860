"""Where messages from the driver wait until the lease that they are for takes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from caviar_workers.messages import Lease, Message

LOOK_S = 1.0
"""Seconds between two looks of a lease whether there is a mailbox by now."""


class Mailbox:
    """Keeps messages until the lease they are for fetches them; each is fetched once.

    Threads: none of its own; whoever holds it sees to it that one call comes after another.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, list[Message]] = {}

    def put(self, lease: int, message: Message) -> None:
        """Leave a message for a lease."""
        self._waiting.setdefault(lease, []).append(message)

    def fetch(self, lease: int) -> list[Message]:
        """Fetch what was left for a lease, in order."""
        return self._waiting.pop(lease, [])


class AsyncMailbox:
    """A mailbox that answers a lease when there is something, so that none needs to ask again and again (long polling).

    A lease has one question open at most: with its next one, the one before is void.
    """

    def __init__(self) -> None:
        self._mailbox = Mailbox()
        self._questions: dict[int, asyncio.Event] = {}
        """Lease → what wakes its question."""

    async def put(self, lease: int, message: Message) -> None:
        """Leave a message for a lease; if it asks for one, it is answered."""
        self._mailbox.put(lease, message)
        if lease in self._questions:
            self._questions[lease].set()

    async def fetch(self, lease: int) -> list[Message]:
        """Fetch what was left for a lease, in order, as soon as there is something; nothing once the lease ended."""
        self._close(lease)
        found = self._mailbox.fetch(lease)
        if found:
            return found
        woken = self._questions[lease] = asyncio.Event()
        await woken.wait()
        if self._questions.get(lease) is not woken:  # it is void: nobody reads the answer
            return []
        self._close(lease)
        return self._mailbox.fetch(lease)

    async def end(self, leases: Iterable[int]) -> None:
        """Throw away what leases asked that have ended, and what was left for them."""
        for lease in leases:
            self._close(lease)
            self._mailbox.fetch(lease)

    def _close(self, lease: int) -> None:
        question = self._questions.pop(lease, None)
        if question is not None:
            question.set()


class MailReader:
    """Reads the messages of leases, one after the other, in a mailbox that another process holds.

    It never waits for an answer: Ray gives the CPUs of a task that waits to another one.

    Args:
        find: Returns a handle of the actor with the `AsyncMailbox`.
        lost: What `find` and the answers raise when there is none so far, or it died and is made anew.
    """

    def __init__(self, find: Callable[[], Any], lost: tuple[type[Exception], ...]) -> None:
        self._find = find
        self._lost = lost
        self._mailbox: Any = None

    def of(self, lease: Lease) -> Callable[[], Sequence[Message]]:
        """Return the function that takes what has come for a lease; it may be called as often as one likes."""
        answer: Any = None
        due = time.monotonic() + (0.0 if lease.has_mailbox else LOOK_S)

        def mail() -> Sequence[Message]:
            nonlocal answer, due
            found: Sequence[Message] = ()
            try:
                if answer is not None and answer.done():
                    answer, ended = None, answer
                    found = ended.result()
                if answer is None and time.monotonic() >= due:
                    answer = self._ask(lease.id)
            except self._lost:
                self._mailbox, due = None, time.monotonic() + LOOK_S
            return found

        return mail

    def _ask(self, lease: int) -> Any:
        if self._mailbox is None:
            self._mailbox = self._find()
        return self._mailbox.fetch.remote(lease).future()
