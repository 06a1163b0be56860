"""Messages from the driver to the trials of a lease: for the one that trains now, or one that comes later."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from caviar_workers.messages import Message
from caviar_workers.states import Action
from caviar_workers.trial import Trial


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


class Inbox:
    """Passes messages on to the trials of one lease.

    Threads: `begin` belongs to the training thread, `hear` to the one that speaks for the lease.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._present: Trial | None = None
        self._told: dict[tuple[int, int], list[Message]] = {}
        """Trial and attempt → what it was told, each decision once."""

    def begin(self, trial: Trial) -> bool:
        """Note that a trial is about to train; return False if it was told to stop before, and should not."""
        with self._lock:
            self._present = trial
            told = self._told.get((trial.number, trial.attempt), ()) if self._told else ()
        return all(message.action != Action.STOP for message in told) if told else True

    def hear(self, messages: Sequence[Message]) -> None:
        """Take messages; those for trials that have ended, and those that came before, do nothing."""
        with self._lock:
            for message in messages:
                key = message.trial, message.attempt
                told = self._told.setdefault(key, [])
                if message in told:
                    continue
                told.append(message)
                trial = self._present
                if trial is not None and key == (trial.number, trial.attempt):
                    trial.interrupt(message.action)
