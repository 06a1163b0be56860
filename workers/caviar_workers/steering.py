"""Changes the configuration of a trial while it trains: the object that train was given, after a report.

What train looks at only when it begins changes at a checkpoint: from there it begins again, in the same attempt.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from caviar_workers.config_form import own_name
from caviar_workers.live_config import LiveConfig, is_unread, watch
from caviar_workers.messages import Applied
from caviar_workers.schedule import Change, config_at, in_order, place_of, settled_at

NOTHING: Mapping[str, Any] = {}
PATIENCE = 3
"""Reports after which train should have looked at a value that changed, and report it where it reports it."""


class Steering:
    """The changes of one attempt's configuration.

    Threads: `hear` belongs to the thread that speaks for the lease, all else to the one that trains.

    Args:
        trial: Number and attempt.
        first: The configuration that the trial began with, by dotted names.
        tell: Takes what took effect.

    Attributes:
        once: Train looks at its configuration when it begins, and never again.
    """

    def __init__(self, trial: tuple[int, int], first: Mapping[str, Any], tell: Callable[[Applied], None]) -> None:
        self.once = False
        self._trial = trial
        self._first = first
        self._tell = tell
        self._heard: tuple[int, Sequence[Change]] = -1, ()
        self._seen: tuple[int, Sequence[Change]] = self._heard
        self._changes: Sequence[Change] = ()
        self._values: Mapping[str, Any] = dict(first)
        """The configuration that holds now, by dotted names."""
        self._begun = -1
        """The step of the checkpoint from which train has begun; −1: none."""
        self._at = -1
        self._unseen: dict[str, tuple[LiveConfig, str, LiveConfig]] = {}
        """Parameter → where its new value is, in the configuration and in what was said to have changed."""
        self._former: dict[str, list[Any]] = {}
        """Parameter → values that it had before, until it is known that train has left them behind."""
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
        return self.begin_again(start)

    def begin_again(self, step: int) -> dict[str, Any]:
        """Have all take effect that waited for train to begin; returns the configuration with which it does.

        Args:
            step: Of the checkpoint from which it begins; −1: there is none.
        """
        self._take_in()
        self._begun = step
        self._unseen.clear()
        self._go_to(step, begins=True)
        changed = [name for name, value in self._first.items() if self._values.get(name) != value]
        for one in (self._first, *(change.values for change in self._changes)):
            self._doubt({name: one[name] for name in changed if name in one})
        return dict(self._values)

    def hear(self, decision: int, changes: Sequence[Change]) -> None:
        """Take all changes that are known at a decision; what is older than the newest does nothing."""
        if decision > self._heard[0]:
            self._heard = decision, changes

    @property
    def place(self) -> tuple[int, int]:
        """The branch on which the trial trains, and how many steps' data are left out there."""
        return place_of(self._changes, self._begun)

    def waits(self, step: int) -> bool:
        """Return whether a change waits for a checkpoint of this step or a later one."""
        return any(self._is_ahead(one, step) for one in self._heard[1])

    def begins_again(self, step: int) -> bool:
        """Return whether train is to begin again from a checkpoint of this step."""
        self._take_in()
        if any(self._is_ahead(one, step) for one in self._changes):
            return True
        return self.once and config_at(self._first, self._changes, step + 1) != self._values  # it is within a ramp

    def _is_ahead(self, one: Change, step: int) -> bool:
        """Whether a change is due at a step, for which train has to begin again."""
        return self._restarts(one) and one.after <= step and not (one.settled and one.after <= self._begun)

    def _restarts(self, one: Change) -> bool:
        return self.once or one.restart

    def turn(self, step: int, config: Any, metrics: Mapping[str, float] = NOTHING) -> Mapping[str, Any]:
        """Change the configuration after a report; returns parameter → new value of what changed.

        Args:
            step: That was reported.
            config: What train has.
            metrics: That were reported.
        """
        heard, before, self._at = self._heard, self._at, step
        if heard is self._seen and before <= step < self._next:  # it is before where train did not load its checkpoint
            return NOTHING
        self._take_in()
        earlier = self._values
        if self._unseen or self._former:
            self._look(step, metrics)
        self._go_to(step)
        changed = {name: value for name, value in self._values.items() if earlier.get(name, NOTHING) != value}
        places = {name: put(config, name, value) for name, value in changed.items()}
        return self._watched(changed, {name: earlier.get(name) for name in changed}, places)

    def _take_in(self) -> None:
        """Have what was heard since."""
        if self._heard is not self._seen:
            self._seen = self._heard
            taken = {one.decision: one for one in self._changes if one.settled}
            self._changes = in_order(taken.get(one.decision, one) for one in self._seen[1])

    def _watched(
        self, changed: dict[str, Any], former: Mapping[str, Any], places: Mapping[str, tuple[Any, str]]
    ) -> Mapping[str, Any]:
        """What changed, watched: who looks at it here, or in the configuration, has seen it."""
        if not changed:
            return NOTHING
        found = LiveConfig(changed)
        for name, (room, key) in places.items():
            if isinstance(room, LiveConfig):
                watch(room, key)
                watch(found, name)
                self._unseen[name] = (room, key, found)
        self._doubt(former)
        return found

    def _doubt(self, former: Mapping[str, Any]) -> None:
        """Look out for parameters that are reported as they were before: their former values."""
        for name, value in former.items():
            self._former.setdefault(name, []).append(value)
        self._reports = 0
        if former:
            self._next = min(self._next, self._at + 1)

    def _look(self, step: int, metrics: Mapping[str, float]) -> None:
        """Tell which values train does not look at, or has overwritten, though it has reported a few times since."""
        self._reports += 1
        for name, (room, key, changed) in list(self._unseen.items()):
            if not (is_unread(room, key) and is_unread(changed, name)):
                del self._unseen[name]
        if self._reports < PATIENCE:
            return
        if self._unseen:
            self._warn(
                step,
                unread=tuple(self._unseen),
                said=f"train has not looked at {', '.join(self._unseen)} since it changed, {self._reports} reports "
                f"ago: read config[{next(iter(self._unseen))!r}] in the loop",
            )
        stale = [name for name in self._former if name not in self._unseen and self._is_as_before(name, metrics)]
        if stale:
            self._warn(
                step,
                stale=tuple(stale),
                said=f"train reports {', '.join(stale)} as before it changed, {self._reports} reports ago: perhaps a "
                "state that was loaded, as of an optimizer, has overwritten it; set it from config after that",
            )
        self._unseen.clear()
        self._former.clear()

    def _is_as_before(self, name: str, metrics: Mapping[str, float]) -> bool:
        """Whether a metric of the parameter's name has a value that the parameter had before, and not the present."""
        reported = metrics.get(name, metrics.get(name.rpartition(".")[2]))
        return reported is not None and reported != self._values.get(name) and reported in self._former[name]

    def _warn(self, step: int, *, said: str, unread: tuple[str, ...] = (), stale: tuple[str, ...] = ()) -> None:
        trial, attempt = self._trial
        newest = max((one.decision for one in self._changes), default=self._heard[0])
        self._tell(Applied(trial=trial, attempt=attempt, decision=newest, step=step, unread=unread, stale=stale))
        sys.stderr.write(f"caviar: {said}\n")

    def _go_to(self, step: int, *, begins: bool = False) -> None:
        """Let hold what is to hold after a step; `begins`: train begins there."""
        self._at = step
        self._settle(step, begins=begins)
        self._values = config_at(self._first, [*self._holding()], step + 1)
        ahead = (
            max(one.after, step + 1) for one in self._changes if not self._restarts(one) and one.through > step + 1
        )
        self._next = step + 1 if self._unseen or self._former else min(ahead, default=math.inf)

    def _holding(self) -> Iterator[Change]:
        """All changes but those for which train has to begin again."""
        return (one for one in self._changes if not self._restarts(one) or (one.settled and one.after <= self._begun))

    def _settle(self, step: int, *, begins: bool) -> None:
        """Let what is due take effect after a step, and tell so."""
        due = [
            one
            for one in self._changes
            if not one.settled and one.after <= step and (begins or not self._restarts(one))
        ]
        if due:
            settled = {one.decision: one for one in settled_at(due, step)}
            self._changes = in_order(settled.get(one.decision, one) for one in self._changes)
            trial, attempt = self._trial
            for one in due:
                self._tell(Applied(trial=trial, attempt=attempt, decision=one.decision, step=step))


def put(config: Any, name: str, value: Any) -> tuple[Any, str]:
    """Set a value, by its dotted name, in a configuration as train got it: dicts within dicts, or objects.

    Returns:
        Where it is, and its key there.
    """
    name = own_name(name)
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
