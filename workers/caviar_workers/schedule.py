"""The configuration of a trial at each step: its first one, and the edits of the branch that lives.

One fold for all who ask: a trial that trains, one that is tried again, a driver that resumes, a reader years later. An
edit is a decision, with absolute values; another decision says after which step it took effect. The row of that step
was trained before it. An edit that no trial has taken yet takes effect at the first report from the step on at which
it is due. A rollback to a step goes on with what that step was trained with, and forgets what came after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, isfinite, log
from typing import Any, TypeVar

from caviar_workers.states import Action

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Some new values in a trial's configuration."""

    decision: int
    """Number of the decision that makes it; of two at one step the later one counts."""
    after: int
    """The step after which it holds, −1 for all; until a trial has taken it, the one from which on it is due."""
    values: Mapping[str, Any]
    """Parameter → its new value."""
    over: int = 0
    """Steps that it takes to get there, the last of them with the whole new value; 0: it is there at once."""
    scales: Mapping[str, str] = field(default_factory=dict)
    """Parameter → the scale on which it goes there, and `int` where it is whole."""
    settled: bool = False
    """Whether a trial has taken it."""
    restart: bool = False
    """It is taken at a checkpoint, from which train then begins again."""
    branch: int | None = None
    """Of a rollback: how many there were, with it."""
    skip: int = 0
    """Of a rollback: the steps whose data are left out on the branch that it begins."""

    @property
    def through(self) -> int:
        """The last step at which it changes something."""
        return self.after + max(1, self.over)


def config_at(first: Mapping[str, Any], changes: Sequence[Change], step: int) -> dict[str, Any]:
    """The configuration with which a step is trained.

    Args:
        first: The one that the trial began with.
        changes: As `schedule_of` has them, in their order.
        step: From 0. What train gets after its report of step s is that of step s + 1.
    """
    found = dict(first)
    for place, change in enumerate(changes):
        if change.after < step:
            for name, value in change.values.items():
                found[name] = value if change.through <= step else _on_the_way(name, first, changes[: place + 1], step)
    return found


def _on_the_way(name: str, first: Mapping[str, Any], changes: Sequence[Change], step: int) -> Any:
    """The value of a parameter while the last of some changes leads it to another one."""
    last = changes[-1]
    start = config_at(first, changes[:-1], last.after + 1).get(name)
    end, scale = last.values[name], last.scales.get(name, "linear")
    return between(start, end, (step - last.after) / last.over, scale) if leads(start, end, scale) else end


def leads(start: Any, end: Any, scale: str) -> bool:
    """Whether there is a way between two values on a scale; there may be none in the store of a stranger."""
    try:
        return isfinite(between(start, end, 0.5, scale))
    except (TypeError, ValueError, OverflowError):
        return False


def between(start: Any, end: Any, share: float, scale: str) -> Any:
    """A number between two others, at a share in [0, 1] of the way on a scale (linear, log, reverse_log; int)."""
    if scale == "int":
        return round(start + (end - start) * share)
    if scale == "log":
        return exp(log(start) + (log(end) - log(start)) * share)
    if scale == "reverse_log":
        return 1.0 - between(1.0 - start, 1.0 - end, share, "log")
    return start + (end - start) * share


def schedule_of(decisions: Iterable[Mapping[str, Any]]) -> tuple[Change, ...]:
    """The changes of one trial's configuration on the branch that lives, in the order of their steps.

    Args:
        decisions: All about the trial, in their order: `n`, `action`, `step`, and `numbers` as a mapping.
    """
    changes: dict[int, Change] = {}
    branch = 0
    for one in decisions:
        n, step, numbers = one["n"], one["step"], one["numbers"]
        if one["action"] == Action.EDIT:
            due = _whole(numbers.get("at_step"), None)
            if due is None:  # not before those that were taken when it was made, though their rows may have been lost
                due = max([-1 if step is None else step, *(one.after for one in changes.values() if one.settled)])
            changes[n] = _change(n, numbers, due)
        elif one["action"] == Action.APPLIED:
            known = changes.get(_whole(numbers.get("edit"), -1))
            if known is not None and not known.settled and step is not None:
                changes[known.decision] = replace(known, after=step, settled=True)
        elif one["action"] == Action.ROLLBACK:  # what it goes on with is what that step was trained with
            to = _whole(_mapping(numbers.get("to")).get("step"), -1)
            branch += 1
            changes = {kept.decision: kept for kept in changes.values() if kept.settled and kept.after < to}
            left_out = max(0, step - to) if numbers.get("skip_data") is True and step is not None else 0
            skip = place_of(in_order(changes.values()), to)[1] + left_out
            back = _change(n, numbers, to)
            changes[n] = replace(back, settled=True, restart=True, branch=branch, skip=skip)
    return in_order(changes.values())


def _change(n: int, numbers: Mapping[str, Any], due: int) -> Change:
    """The change that a decision makes; what is not of its form, in the store of a stranger, makes none."""
    values = {name: value for name, value in _mapping(numbers.get("set")).items() if _is_value(value)}
    scales = {name: scale for name, scale in _mapping(numbers.get("scales")).items() if isinstance(scale, str)}
    over = max(0, _whole(numbers.get("over"), 0))
    return Change(decision=n, after=due, values=values, over=over, scales=scales, restart=numbers.get("now") is True)


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _whole(found: Any, usual: T) -> int | T:
    return found if type(found) is int and abs(found) < 2**63 else usual


def _is_value(found: object) -> bool:
    return not isinstance(found, float) or isfinite(found)


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes in the order in which they hold."""
    return tuple(sorted(changes, key=lambda one: (one.after, one.decision)))


def place_of(changes: Sequence[Change], step: int) -> tuple[int, int]:
    """The branch on which the step after this one is trained, and how many steps' data are left out there."""
    backs = [one for one in changes if one.branch is not None and one.after <= step]
    return (backs[-1].branch or 0, backs[-1].skip) if backs else (0, 0)


def settled_at(changes: Sequence[Change], step: int) -> tuple[Change, ...]:
    """The same changes, where those that are due at a step have taken effect after it."""
    return in_order(
        one if one.settled or one.after > step else replace(one, after=step, settled=True) for one in changes
    )
