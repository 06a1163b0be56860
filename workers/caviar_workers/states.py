"""The words of the store for what becomes of trials, each defined here and nowhere else; members are plain strings."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """How an attempt, or a trial, stands."""

    PENDING = "PENDING"
    """It has not begun, or waits for another attempt."""
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    """It waits at its checkpoint until it is promoted."""
    LOST = "LOST"
    """The attempt ended without a word, or without being to blame; the trial is tried again."""
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"
    """It was told to end after it had begun."""
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    """It was told to end before it had begun."""


ENDED = (State.COMPLETED, State.STOPPED, State.FAILED, State.CANCELLED)
"""States in which a trial stays."""

WAITING = (State.PENDING, State.RUNNING, State.PAUSED)
"""States of a trial that has not come to its end."""


class Failure(StrEnum):
    """Why an attempt failed or was lost: the column `kind`."""

    ERROR = "error"
    """Train raised."""
    OOM = "oom"
    """There was not enough memory."""
    METRIC = "metric"
    """The sweep's metric was never reported."""
    TIMEOUT = "timeout"
    LOST = "lost"
    """Its process or node died."""


class Cause(StrEnum):
    """The reasons for which an attempt is made."""

    FIRST = "first"
    RETRY = "retry"
    """The one before was lost, or its driver ended."""
    PROMOTE = "promote"
    """The stop policy called its trial back after a pause."""
    ROLLBACK = "rollback"
    """Somebody sent its trial back to an earlier checkpoint."""
    CONTINUE = "continue"
    """Its user let it go on after a pause."""
    FORK = "fork"
    """It begins from a checkpoint of another trial."""
    STOP = "stop"
    """None was made: the trial was stopped while it waited for it."""


class Action(StrEnum):
    """The actions of decisions."""

    GO_ON = "go_on"
    STOP = "stop"
    PAUSE = "pause"
    PROMOTE = "promote"
    ASK = "ask"
    """A searcher gave a new trial its point."""
    WAIT = "wait"
    """There is no machine with room for a trial."""
    TIME_LIMIT = "time_limit"
    """The sweep's time is up."""
    EDIT = "edit"
    """A live parameter of a trial gets another value."""
    APPLIED = "applied"
    """A trial has taken an edit."""
    UNREAD = "unread"
    """Train goes on without having looked at a value that was edited."""
    REFUSE = "refuse"
    """What was asked of a trial is not done."""
    ROLLBACK = "rollback"
    """A trial goes on from an earlier checkpoint, on another branch."""
    FORK = "fork"
    """A new trial begins from a checkpoint of another one."""
    CONTINUE = "continue"
    """A trial that its user had paused goes on."""
    GUARD = "guard"
    """A guard noted something, and does not act, or not yet."""
    SCALE = "scale"
    """The sweep runs another number of trials at a time."""
    NOTE = "note"
    """Somebody's words about a trial."""


TOLD = (Action.STOP, Action.PAUSE)
"""What a trial is told while it runs."""

GIVEN_WAY = (Action.STOP, Action.ROLLBACK, Action.PAUSE)
"""What ends an attempt, the first of those that it was told."""

ACTS = (Action.EDIT, Action.APPLIED, Action.UNREAD, Action.ROLLBACK, Action.CONTINUE, Action.FORK, Action.NOTE)
"""What somebody does to one trial by hand, and what becomes of it; a pause is one too, where `USER` decides it."""

USER = "user"
"""Who decides what somebody asks for."""

CHANGING = (Action.EDIT, Action.ROLLBACK)
"""Those of them that change the trial's configuration."""
