"""What was decided about one trial, as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caviar.search.searchers import asked
from caviar.search.stopping import sentence
from caviar.store.untrusted_json import numbers_of
from caviar_workers.states import ACTS, Action, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caviar.results.open_sweep import OpenSweep

_HEEDED = {Action.PAUSE: (State.PAUSED, State.STOPPED), Action.STOP: (State.STOPPED, State.CANCELLED)}
"""States of the attempt that a decision was about, if it did as it was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsDocument:
    """The decisions about one trial.

    Attributes:
        sweep: id of its sweep.
        name: name of its sweep.
        trial: its number.
        state: as in `TrialDocument`.
        metric: what the sweep's trials are judged by.
        stopping: the sweep's stop policy; empty: it has none.
        decisions: the rows of the view `decisions`, oldest first, each with all its numbers and a `sentence`.
    """

    sweep: str
    name: str
    trial: int
    state: str
    metric: str
    stopping: str
    decisions: tuple[dict[str, Any], ...]


def decisions_document(opened: OpenSweep, trial: int) -> DecisionsDocument:
    """Return what was decided about one trial, each decision in a sentence with the numbers that it rests on.

    Raises:
        NotFoundError: The sweep has no such trial.
    """
    state = opened.trial(trial)["state"]
    rows = opened.rows("SELECT * EXCLUDE (sweep) FROM decisions WHERE trial = ? ORDER BY n", [trial])
    attempts = opened.rows("SELECT attempt, state, step FROM attempts WHERE trial = ? ORDER BY attempt", [trial])
    ends: dict[int | None, dict[str, Any]] = {row["attempt"]: row for row in attempts}
    if attempts:
        ends[None] = attempts[-1]  # what was decided of a trial that was in no process concerns what came then
    return DecisionsDocument(
        sweep=opened.sweep.id,
        name=opened.plan.name,
        trial=trial,
        state=state,
        metric=opened.plan.metric,
        stopping=opened.plan.stopping,
        decisions=tuple(_explained(row, ends.get(row["attempt"])) for row in rows),
    )


def _explained(row: dict[str, Any], after: dict[str, Any] | None) -> dict[str, Any]:
    """A decision with its numbers and its sentence; `after` is what became of the attempt that it was about."""
    numbers = numbers_of(row["numbers"])
    facts = {name: row[name] for name in ("action", "step", "value", "bar")}
    heeded = row["action"] not in _HEEDED or (after is not None and after["state"] in _HEEDED[row["action"]])
    by = row["decided_by"]
    if row["action"] == Action.ASK:
        told = asked(by, numbers)
    elif row["action"] in (*ACTS, Action.REFUSE):
        told = act_sentence(row["action"], row["step"], numbers, by=by)
    else:
        told = sentence(**facts, by=by, numbers=numbers, heeded=heeded)
    if not heeded and after is not None:
        told += f"; it ran on to step {after['step']}, and is {after['state']}"
    return {**row, "numbers": numbers, "sentence": told}


def act_sentence(action: str, step: int | None, numbers: Mapping[str, Any], *, by: str = "user") -> str:
    """Say what was done to a trial by hand, or by a policy, and what became of it."""
    where = "" if step is None else f" at step {step}" if step >= 0 else " before it began"
    if action in _BY_HAND:
        return _by_hand(action, where, numbers, by)
    if action == Action.APPLIED:
        return (
            f"took edit {numbers.get('edit')}{' after step ' + str(step) if step is not None and step >= 0 else where}"
        )
    if action == Action.UNREAD:
        names = ", ".join(map(str, found)) if isinstance(found := numbers.get("names"), list) else "a parameter"
        did = "still reported the former value of" if numbers.get("stale") else "had not looked at"
        return f"{did} {names}{where}, some reports after it changed"
    return f"was not changed, for {numbers.get('why')}"


_BY_HAND = {
    Action.EDIT: "was edited",
    Action.ROLLBACK: "was sent back",
    Action.FORK: "was forked",
    Action.PAUSE: "was paused",
    Action.CONTINUE: "goes on",
    Action.NOTE: "noted",
}


def _by_hand(action: str, where: str, numbers: Mapping[str, Any], by: str) -> str:
    """Say what somebody did; the numbers are perhaps a stranger's."""
    old, new, to = (found if isinstance(found := numbers.get(key), dict) else {} for key in ("old", "set", "to"))
    what = ", ".join(f"{name} {old.get(name)} → {value}" for name, value in new.items())
    over = f" over {numbers['over']} steps" if what and numbers.get("over") else ""
    parent = f" of t{numbers['parent']}" if "parent" in numbers else ""
    back = f" to step {to.get('step')}" if action == Action.ROLLBACK else f" from step {to.get('step')}{parent}"
    why = f" ({numbers['why']})" if numbers.get("why") else ""
    facts = filter(None, (f"{what}{over}", str(numbers.get("text") or "")))
    told = ": ".join([f"{_BY_HAND[Action(action)]}{where}{back if to else ''} by {numbers.get('who') or by}", *facts])
    return f"{told}{why}"
