"""What trials are told, and told again until they end: a message may be lost with the process that held it."""

from __future__ import annotations

from collections import deque

from caviar.run.engine.acts import Acts
from caviar.run.engine.ports import Ports
from caviar.run.engine.trial_table import TrialTable
from caviar_workers.messages import Message
from caviar_workers.states import Action

AGAIN_S = 10.0
"""Seconds after which a message that has had no effect is sent once more."""


class Messenger:
    """Sends messages to trials in leases; belongs to the scheduler's loop.

    Args:
        ports: Where leases run, and the time.
        trials: Who is in which lease.
        acts: How configurations change.
    """

    def __init__(self, ports: Ports, trials: TrialTable, acts: Acts) -> None:
        self._ports = ports
        self._trials = trials
        self._acts = acts
        self._sent: deque[tuple[float, Message]] = deque()
        """When to look whether a message was heeded, in this order."""

    def tell(self, trial: int, action: Action, decision: int) -> bool:
        """Send a message to a trial, for a decision; False: it is in no lease."""
        place = self._trials.where(trial)
        if place is None:
            return False
        lease, attempt = place
        changes = self._acts.changes(trial) if action == Action.EDIT else ()
        self._send(lease, Message(trial=trial, attempt=attempt, action=action, decision=decision, changes=changes))
        return True

    def repeat(self) -> None:
        """Tell those again who run on after ten seconds, and have not taken what they were told."""
        now = self._ports.clock.monotonic()
        while self._sent and self._sent[0][0] <= now:
            message = self._sent.popleft()[1]
            place = self._trials.where(message.trial)
            heeded = message.action == Action.EDIT and not self._acts.is_due(message.trial, message.decision)
            if place is not None and place[1] == message.attempt and not heeded:
                self._send(place[0], message)

    def _send(self, lease: int, message: Message) -> None:
        self._sent.append((self._ports.clock.monotonic() + AGAIN_S, message))
        self._ports.executor.tell(lease, message)
