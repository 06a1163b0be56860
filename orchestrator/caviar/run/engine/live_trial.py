"""What is remembered of one trial that lives, beyond its row; and what a dead lease leaves of some."""

from __future__ import annotations

from dataclasses import dataclass

from caviar.run.engine.running_lease import KilledFor, RunningLease
from caviar.run.engine.work import Work
from caviar_workers.states import Action


@dataclass(slots=True)
class LiveTrial:
    """One trial until it ends, as far as something of it is remembered."""

    asked: Action | None = None
    """What was decided of it: to stop, until it ends, or to pause, until it is promoted."""
    decision: int = -1
    """Number of that decision."""
    promoted: bool = False
    """It was promoted before it had paused."""
    charged_deaths: int = 0
    """Deaths of processes that it was alone in."""
    node_deaths: int = 0
    """Deaths of nodes while it was alone in its lease."""
    oom_before: bool = False
    """It ran out of memory once."""
    saved: tuple[int, int] | None = None
    """Attempt and step of its newest checkpoint, where somebody may be forked from it."""
    held: bool = False
    """Its user has paused it: nothing but its user lets it go on."""
    continued: bool = False
    """Its user let it go on before it had paused."""
    goes_back: bool = False
    """It was rolled back, and no attempt has gone on yet: however the present one ends, another one follows."""


NOTHING_KNOWN = LiveTrial()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Executions that did not end, of trials of a dead lease that fare alike."""

    lost: Work
    """They are to be recorded as LOST, or FAILED if given up."""
    lease: RunningLease
    given_up: bool = False
    """The trial has used up its attempts, or its process was killed for its sake."""
    killed_for: KilledFor = ""
    """In the latter case, why."""
