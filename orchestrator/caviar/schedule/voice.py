"""What trials were told, and told again until they end: a message may be lost with the process that held it."""

from __future__ import annotations

from caviar.execute.executor import Executor
from caviar.schedule.ledger import Ledger
from caviar_workers.messages import Message

AGAIN_S = 10.0
"""Seconds after which a message that has had no effect is sent once more."""


class Voice:
    """Speaks to trials that run; belongs to the scheduler's loop."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._said: dict[int, tuple[float, Message]] = {}

    def tell(self, lease: int, message: Message, now: float) -> None:
        """Send a message to a trial of a lease."""
        self._said[message.trial] = now, message
        self._executor.tell(lease, message)

    def repeat(self, ledger: Ledger, now: float) -> None:
        """Tell those again who run on after ten seconds."""
        for when, message in list(self._said.values()):
            if now - when < AGAIN_S:
                continue
            place = ledger.where(message.trial)
            if place is None or place[1] != message.attempt:
                del self._said[message.trial]
            else:
                self.tell(place[0], message, now)
