"""What somebody does to trials by hand while they train: their configurations' changes, as the decisions tell.

A trial of which nothing was asked costs nothing here. What is known of the others is a fold of their decisions
(`caviar_workers.schedule`), so that a driver that resumes a sweep knows it as the first one did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from caviar.errors import SpecError
from caviar.run.engine.decision_log import Decision
from caviar.run.engine.forks import Fork, forks_of
from caviar.space import Space, editable_range
from caviar.space.option import option_from_json
from caviar.store.checkpoints import Cut, cuts_of
from caviar.store.untrusted_json import numbers_of
from caviar_workers.messages import Applied
from caviar_workers.schedule import Change, schedule_of
from caviar_workers.states import ACTS, CHANGING, USER, Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What is asked of one trial."""

    decision: Decision
    """What is to be published, if it can be done."""
    token: str
    """By which who asked finds the answer."""
    seen: int = -1
    """The newest change of the trial that was looked at when this was asked: if another one came since, its old values
    may be others. −1: none."""


class Acts:
    """The acts of a sweep's trials; belongs to the scheduler's loop.

    Args:
        taken: Whether any can be asked for.
    """

    def __init__(self, *, taken: bool = True) -> None:
        self.taken = taken
        self._decisions: dict[int, list[dict[str, Any]]] = {}
        """Trial → what was decided by hand, and what became of it."""
        self._changes: dict[int, tuple[Change, ...]] = {}
        self.forks: dict[int, Fork] = {}
        """Trials that were forked from others."""

    @property
    def changed(self) -> Collection[int]:
        """Trials that were edited, rolled back, or forked by hand."""
        forked = [trial for trial, fork in self.forks.items() if fork.by == USER]
        return [*(trial for trial in self._decisions if self.newest(trial) >= 0), *forked]

    def enter(self, n: int, decision: Decision) -> None:
        """Take in a decision that was published."""
        if decision.trial is not None and decision.action in ACTS:
            facts = {name: getattr(decision, name) for name in ("action", "attempt", "step", "numbers")}
            self._enter({"n": n, "trial": decision.trial, "decided_by": decision.by, **facts})

    def restore(self, decisions: Iterable[Mapping[str, Any]]) -> None:
        """Take up what earlier drivers stored: rows of the table `decisions`, in their order."""
        for row in decisions:
            if row["trial"] is not None and row["action"] in ACTS:
                self._enter({**row, "numbers": numbers_of(row["numbers"])})

    def of_work(self, trials: Collection[int]) -> dict[str, Any]:
        """Return what a `Work` of some trials knows of them: their changes, and their branches."""
        known = [trial for trial in trials if trial in self._decisions] if self._decisions else []
        if not known:
            return {}
        changes = {trial: found for trial in known if (found := self.changes(trial))}
        return {"changes": changes, "branches": {trial: len(self.cuts(trial)) for trial in known if self.cuts(trial)}}

    def cuts(self, trial: int) -> tuple[Cut, ...]:
        """Return where a trial was rolled back to, in order."""
        return cuts_of(self._decisions.get(trial, ()))

    @property
    def all_cuts(self) -> dict[int, tuple[Cut, ...]]:
        """Return where trials were rolled back to, of those that were."""
        return {trial: found for trial in self._decisions if (found := self.cuts(trial))}

    def changes(self, trial: int) -> tuple[Change, ...]:
        """Return how a trial's configuration changes, on the branch that lives."""
        return self._changes.get(trial, ())

    def newest(self, trial: int) -> int:
        """Return the number of the newest decision that changes a trial's configuration; −1: none does."""
        known = self._decisions.get(trial, ())
        return max((one["n"] for one in known if one["action"] in CHANGING), default=-1)

    def is_due(self, trial: int, decision: int) -> bool:
        """Return whether an edit still waits for its trial to take it."""
        return any(one.decision == decision and not one.settled for one in self.changes(trial))

    def _enter(self, row: Mapping[str, Any]) -> None:
        trial = row["trial"]
        if row["action"] == Action.FORK:
            self.forks |= forks_of([row])
        known = self._decisions.setdefault(trial, [])
        facts = {name: row[name] for name in ("n", "action", "attempt", "step")}
        known.append({**facts, "numbers": _plain(row["numbers"])})
        self._changes[trial] = schedule_of(known)


def _plain(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """What an act says, with values as train gets them."""
    values = numbers.get("set")
    found = values if isinstance(values, Mapping) else {}
    return {**numbers, "set": {name: option_from_json(value) for name, value in found.items()}}


def taken(found: Applied) -> Decision:
    """The decision that says that a trial has taken an edit, or that its train does not look at it."""
    if names := found.unread or found.stale:
        numbers = {"edit": found.decision, "names": list(names)} | ({"stale": True} if found.stale else {})
        facts = {"trial": found.trial, "attempt": found.attempt, "step": found.step}
        return Decision(action=Action.UNREAD, by="trial", numbers=numbers, **facts)
    return Decision(
        action=Action.APPLIED,
        by="trial",
        trial=found.trial,
        attempt=found.attempt,
        step=found.step,
        numbers={"edit": found.decision},
    )


def refused(act: Act, why: str, *, again: bool = False) -> Decision:
    """The decision that says that what was asked of a trial is not done.

    Args:
        act: It.
        why: A sentence.
        again: Whether it can be asked for once more, with a fresh look.
    """
    numbers = {"token": act.token, "asked": act.decision.action, "why": why, "again": again}
    return Decision(action=Action.REFUSE, by="driver", trial=act.decision.trial, numbers=numbers)


def breaks_a_rule(space: Space, numbers: Mapping[str, Any], *, live: bool = True) -> str:
    """Why new values are none that parameters of a space may get; empty: they may.

    Args:
        space: The sweep's.
        numbers: What the act says.
        live: The trial trains on: only live parameters may change, and one of them does.
    """
    values, over = numbers.get("set", None if live else {}), numbers.get("over", 0)
    if not isinstance(values, Mapping) or (live and not values) or type(over) is not int or over < 0:
        return "it is none that this version knows"
    try:
        for name, value in values.items():
            found = editable_range(space[name], restarts=not live or numbers.get("now") is True)
            if found is None:
                return f"{name} is not live"
            found.plain(option_from_json(value))
    except (KeyError, SpecError) as error:
        return str(error)
    return ""
