"""Messages from the driver to the trials of a lease: for the one that trains now, or one that comes later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from caviar_workers.live_config import live
from caviar_workers.messages import Applied, Lease, Message
from caviar_workers.schedule import Change
from caviar_workers.states import GIVEN_WAY, Action
from caviar_workers.steering import Steering
from caviar_workers.trial import Trial


class Inbox:
    """Passes messages on to the trials of one lease.

    Threads: `begin` and `configure` belong to the training thread, `hear` to the one that speaks for the lease.

    Args:
        lease: The lease.
        tell: Takes what trials took of edits.
    """

    def __init__(self, lease: Lease, tell: Callable[[Applied], None]) -> None:
        self._lease = lease
        self._tell = tell
        self._lock = threading.Lock()
        self._present: Trial | None = None
        self._told: dict[tuple[int, int], list[Message]] = {}
        """Trial and attempt → what it was told, each decision once."""

    def begin(self, trial: Trial) -> str | None:
        """Note that a trial is about to train; returns how it ends if it was told before that it should not.

        Returns:
            `cancel` where it is to stop, `pause` or `rollback`; None: it trains.
        """
        with self._lock:
            self._present = trial
            told = self._told.get((trial.number, trial.attempt), ()) if self._told else ()
        if not told:
            return None
        actions = {message.action for message in told}
        found = next((action for action in GIVEN_WAY if action in actions), None)
        return "cancel" if found == Action.STOP else found

    def configure(self, trial: Trial, first: dict[str, Any], form: Callable[[Mapping[str, Any]], Any]) -> Any:
        """Give a trial its configuration, in the form that train takes, with all edits that are known of it by now.

        Args:
            trial: The one that is about to train.
            first: The configuration that it began with, by dotted names; it is train's from now on.
            form: Makes of it what train takes.
        """
        lease = self._lease
        if not (lease.live or lease.changes or self._told):  # no edit can come
            trial.config = form(first)
            return trial.config
        with self._lock:
            changes = self._known(trial) if self._told or self._lease.changes else ()
            if changes:
                steering = Steering((trial.number, trial.attempt), first, self._tell)
                trial.steer(steering)
                first = steering.begin(changes, trial.restored_step)
                trial.skip = steering.place[1]
            trial.config = live(form)(first) if self._lease.live else form(first)
        return trial.config

    def hear(self, messages: Sequence[Message]) -> None:
        """Take messages; those for trials that have ended, and those that came before, do nothing."""
        with self._lock:
            for message in messages:
                key = message.trial, message.attempt
                told = self._told.setdefault(key, [])
                if any(message.decision == before.decision for before in told):
                    continue
                told.append(message)
                trial = self._present
                if trial is not None and key == (trial.number, trial.attempt):
                    self._pass_on(trial, message)

    def _pass_on(self, trial: Trial, message: Message) -> None:
        if message.action != Action.EDIT:
            trial.interrupt(message.action)
        elif trial.steering is not None:
            trial.steering.hear(message.decision, message.changes)
        elif trial.config is not None:  # else `configure` comes, and finds the message
            first = self._lease.config(self._lease.trials.index(trial.number))
            steering = Steering((trial.number, trial.attempt), first, self._tell)
            steering.hear(message.decision, message.changes)
            trial.steer(steering)

    def _known(self, trial: Trial) -> Sequence[Change]:
        """The changes of a trial's configuration, as its lease or the newest edit says."""
        told = self._told.get((trial.number, trial.attempt), ())
        edits = [message for message in told if message.action == Action.EDIT]
        newest = max(edits, key=lambda message: message.decision, default=None)
        return self._lease.changes.get(trial.number, ()) if newest is None else newest.changes
