"""Changes the configuration of a trial while it trains: the object that train was given, after a report."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from caviar_workers.live_config import LiveConfig, is_unread, watch
from caviar_workers.messages import Applied
from caviar_workers.schedule import Change, config_at, in_order, settled_at

NOTHING: Mapping[str, Any] = {}
PATIENCE = 3
"""Reports after which train should have looked at a value that changed."""


class Steering:
    """The changes of one attempt's configuration.

    Threads: `hear` belongs to the thread that speaks for the lease, all else to the one that trains.

    Args:
        trial: Number and attempt.
        first: The configuration that the trial began with, by dotted names.
        tell: Takes what took effect.
    """

    def __init__(self, trial: tuple[int, int], first: Mapping[str, Any], tell: Callable[[Applied], None]) -> None:
        self._trial = trial
        self._first = first
        self._tell = tell
        self._heard: tuple[int, Sequence[Change]] = -1, ()
        self._seen: tuple[int, Sequence[Change]] = self._heard
        self._changes: Sequence[Change] = ()
        self._values: Mapping[str, Any] = dict(first)
        """The configuration that holds now, by dotted names."""
        self._at = -1
        self._unseen: dict[str, tuple[LiveConfig, str, LiveConfig]] = {}
        """Parameter → where its new value is, in the configuration and in what was said to have changed."""
        self._reports = 0
        """Reports since something changed."""
        self._next = math.inf
        """The step from which on something changes again, of what is known."""

    def begin(self, changes: Sequence[Change], start: int) -> dict[str, Any]:
        """Have what is known when the attempt begins; returns the configuration with which it begins.

        Args:
            changes: Of the trial's configuration.
            start: The step of the checkpoint that it goes on from; −1: there is none.
        """
        self._heard = self._seen = max(one.decision for one in changes), changes
        self._changes = changes
        self._go_to(start)
        return dict(self._values)

    def hear(self, decision: int, changes: Sequence[Change]) -> None:
        """Take all changes that are known at a decision; what is older than the newest does nothing."""
        if decision > self._heard[0]:
            self._heard = decision, changes

    def turn(self, step: int, config: Any) -> Mapping[str, Any]:
        """Change the configuration after a report of this step; returns parameter → new value of what changed."""
        heard, before, self._at = self._heard, self._at, step
        if heard is self._seen and before <= step < self._next:  # it is before where train did not load its checkpoint
            return NOTHING
        if heard is not self._seen:
            self._seen = heard
            taken = {one.decision: one for one in self._changes if one.settled}
            self._changes = in_order(taken.get(one.decision, one) for one in heard[1])
        earlier = self._values
        if self._unseen:
            self._look(step)
        self._go_to(step)
        changed = {name: value for name, value in self._values.items() if earlier.get(name, NOTHING) != value}
        places = {name: put(config, name, value) for name, value in changed.items()}
        return self._watched(changed, places, step)

    def _watched(self, changed: dict[str, Any], places: Mapping[str, tuple[Any, str]], step: int) -> Mapping[str, Any]:
        """What changed, watched: who looks at it here, or in the configuration, has seen it."""
        if not changed:
            return NOTHING
        found = LiveConfig(changed)
        for name, (room, key) in places.items():
            if isinstance(room, LiveConfig):
                watch(room, key)
                watch(found, name)
                self._unseen[name] = (room, key, found)
        self._reports = 0
        self._next = min(self._next, step + 1)
        return found

    def _look(self, step: int) -> None:
        """Tell which values train does not look at, though it has reported a few times since they changed."""
        self._reports += 1
        for name, (room, key, changed) in list(self._unseen.items()):
            if not (is_unread(room, key) and is_unread(changed, name)):
                del self._unseen[name]
        if self._unseen and self._reports >= PATIENCE:
            trial, attempt = self._trial
            names = tuple(self._unseen)
            self._tell(Applied(trial=trial, attempt=attempt, decision=self._heard[0], step=step, unread=names))
            sys.stderr.write(
                f"caviar: train has not looked at {', '.join(names)} since it changed, {self._reports} reports ago: "
                f"read config[{names[0]!r}] in the loop\n"
            )
            self._unseen.clear()

    def _go_to(self, step: int) -> None:
        """Let hold what is to hold after a step."""
        self._at = step
        self._settle(step)
        self._values = config_at(self._first, self._changes, step + 1)
        ahead = (max(one.after, step + 1) for one in self._changes if one.through > step + 1)
        self._next = step + 1 if self._unseen else min(ahead, default=math.inf)

    def _settle(self, step: int) -> None:
        """Let what is due take effect after a step, and tell so."""
        due = [one.decision for one in self._changes if not one.settled and one.after <= step]
        if due:
            self._changes = settled_at(self._changes, step)
            trial, attempt = self._trial
            for decision in due:
                self._tell(Applied(trial=trial, attempt=attempt, decision=decision, step=step))


def put(config: Any, name: str, value: Any) -> tuple[Any, str]:
    """Set a value, by its dotted name, in a configuration as train got it: dicts within dicts, or objects.

    Returns:
        Where it is, and its key there.
    """
    *rooms, last = name.split(".") if all(name.split(".")) else [name]
    for room in rooms:
        config = dict.__getitem__(config, room) if isinstance(config, dict) else getattr(config, room)
    if isinstance(config, dict):
        config[last] = value
        return config, last
    try:
        setattr(config, last, value)
    except (AttributeError, TypeError, ValueError):  # it is frozen: against train, and not against us
        object.__setattr__(config, last, value)
    return config, last
