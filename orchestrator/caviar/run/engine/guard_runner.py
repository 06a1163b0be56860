"""Where guards meet the sweep: rows in, and acts out, which are decided and done as those of a person are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from caviar.errors import SpecError
from caviar.results.edits import new_value
from caviar.run.engine.decision_log import Decision
from caviar.search.stopping import GuardWatch
from caviar.space import Choice, editable_range
from caviar.space.option import option_to_json
from caviar.store.untrusted_json import numbers_of
from caviar_workers.schedule import config_at
from caviar_workers.states import Action, State

if TYPE_CHECKING:
    from caviar.run.engine.acts import Acts
    from caviar.run.engine.ports import Checkpoints
    from caviar.run.engine.trial_table import TrialTable
    from caviar.run.engine.work import Pinned
    from caviar.search.stopping import Alarm, Guard
    from caviar.space import Space
    from caviar.spec.plan import Plan
    from caviar.store.checkpoints import Cut

BY_ITSELF = (State.COMPLETED, State.FAILED)
"""States in which a trial is whose train has returned or raised; one that was stopped stays so."""

RollBack = Callable[[Decision, "Pinned"], None]


class GuardRunner:
    """Belongs to the scheduler's loop.

    Args:
        plan: The sweep; without guards nothing is done.
        acts: What was done to trials so far.
        trials: Where its trials are.
    """

    def __init__(self, plan: Plan, acts: Acts, trials: TrialTable) -> None:
        self._plan = plan
        self._acts = acts
        self._trials = trials
        self._watches = [GuardWatch(guard, plan.mode) for guard in plan.guards]
        self._seeking: dict[int, tuple[GuardWatch, Alarm, Future[tuple[Cut, Pinned] | None]]] = {}
        """Trial → where it may go back to, while that is looked up."""

    @property
    def waiting(self) -> int:
        """Trials of which it is looked up where they may go back to."""
        return len(self._seeking)

    def hear(self, curves: pa.Table | None, attempts: pa.Table | None = None) -> None:
        """Take in rows that came, and attempts that ended."""
        if not self._watches:
            return
        for watch in self._watches:
            name = watch.guard.metric(self._plan.metric)
            if curves is not None and name in curves.column_names:
                rows = curves.filter(pc.is_valid(curves[name]))
                columns = [rows[key].to_pylist() for key in ("trial", "attempt", "_start", "step", name)]
                self._note(watch, zip(*columns, strict=True))
        if attempts is not None:
            pairs = zip(attempts["trial"].to_pylist(), attempts["state"].to_pylist(), strict=True)
            self._end(trial for trial, state in pairs if state in BY_ITSELF)

    def restore(
        self,
        rows: Callable[[str], Iterable[tuple[Any, ...]]],
        decisions: Iterable[Mapping[str, Any]],
        ended: Iterable[int] = (),
    ) -> None:
        """Take up what earlier drivers left.

        Args:
            rows: Metric → the rows that count, as (trial, attempt, start, step, value), each trial's in their order.
            decisions: Those that guards made, in their order.
            ended: Trials whose train has returned or raised.
        """
        by_name = {watch.guard.name: watch for watch in self._watches}
        made = [one for one in decisions if one["decided_by"] in by_name and one["trial"] is not None]
        for one in made:
            numbers, watch = numbers_of(one["numbers"]), by_name[one["decided_by"]]
            if one["action"] == Action.GUARD:
                watch.give_up(one["trial"])
            elif type(wrong := numbers.get("wrong")) is int:
                to = numbers.get("to")
                watch.acted(one["trial"], to.get("step") if isinstance(to, dict) else None, wrong)
        for watch in self._watches:
            self._note(watch, rows(watch.guard.metric(self._plan.metric)))
        self._end(ended)

    def act(
        self,
        checkpoints: Checkpoints | None,
        lives: Callable[[int], bool],
        decide: Callable[[Sequence[Decision]], None],
        roll_back: RollBack,
    ) -> None:
        """Act where it is time to.

        Args:
            checkpoints: Who keeps them.
            lives: Whether a trial can be told something.
            decide: Publishes decisions, and does what they say.
            roll_back: Sends a trial back.

        Raises:
            StoreError: It cannot be published.
        """
        for trial, (watch, alarm, future) in list(self._seeking.items()):
            if future.done():
                del self._seeking[trial]
                if (found := future.result()) is None:
                    self._give_up(watch, alarm, "there is no checkpoint to go back to", decide)
                elif lives(trial) is not alarm.ended:
                    self._go_back(watch, alarm, *found, decide, roll_back)
        for watch in self._watches:
            for alarm in watch.alarms():
                if alarm.trial in self._seeking or lives(alarm.trial) is alarm.ended:
                    continue
                if alarm.enough:
                    self._give_up(watch, alarm, f"it has acted {watch.guard.at_most} times", decide)
                elif watch.guard.back and checkpoints is not None:
                    self._seeking[alarm.trial] = (watch, alarm, checkpoints.find_back(alarm.trial, alarm.before))
                else:
                    self._edit(watch, alarm, decide)

    def _end(self, trials: Iterable[int]) -> None:
        for trial in trials:
            for watch in self._watches:
                watch.end(trial)

    def _note(self, watch: GuardWatch, rows: Iterable[tuple[Any, ...]]) -> None:
        for trial, attempt, start, step, value in rows:
            if all(attempt > cut.attempt or step <= cut.step for cut in self._acts.cuts(trial)):
                watch.note(trial, attempt, start, step, value)

    def _go_back(
        self,
        watch: GuardWatch,
        alarm: Alarm,
        to: Cut,
        pinned: Pinned,
        decide: Callable[[Sequence[Decision]], None],
        roll_back: RollBack,
    ) -> None:
        first, changes = pinned.work.config_of(alarm.trial), self._acts.changes(alarm.trial)
        numbers = _changed(self._plan.space, watch, config_at(first, changes, alarm.step + 1), restarts=True)
        if not numbers:
            self._give_up(watch, alarm, "what it would change is at its bound, or has no such value", decide)
            return
        kept = [one.decision for one in changes if one.settled and one.after < to.step]
        numbers |= {"to": to._asdict(), "forgets": [one.decision for one in changes if one.decision not in kept]}
        watch.acted(alarm.trial, to.step, alarm.step)
        roll_back(_decision(Action.ROLLBACK, watch, alarm, numbers), pinned)

    def _edit(self, watch: GuardWatch, alarm: Alarm, decide: Callable[[Sequence[Decision]], None]) -> None:
        work = self._trials.work_of(alarm.trial)
        present = {} if work is None else work.config_of(alarm.trial)
        present = config_at(present, self._acts.changes(alarm.trial), alarm.step + 1)
        numbers = _changed(self._plan.space, watch, present, restarts=False)
        if not numbers:
            self._give_up(
                watch, alarm, "what it would change is at its bound, is not live, or has no such value", decide
            )
            return
        watch.acted(alarm.trial, None, alarm.step)
        decide([_decision(Action.EDIT, watch, alarm, numbers)])

    def _give_up(self, watch: GuardWatch, alarm: Alarm, why: str, decide: Callable[[Sequence[Decision]], None]) -> None:
        watch.give_up(alarm.trial)
        made = [_decision(Action.GUARD, watch, alarm, {"why": f"{alarm.why}; it does nothing more, for {why}"})]
        if self._plan.stop_on_divergence and watch.guard.on == "diverged" and not alarm.ended:
            made.append(Decision(action=Action.STOP, by=watch.guard.name, trial=alarm.trial, step=alarm.step))
        decide(made)


def _decision(action: Action, watch: GuardWatch, alarm: Alarm, numbers: Mapping[str, Any]) -> Decision:
    facts = {"why": alarm.why, "wrong": alarm.step, "who": watch.guard.name}
    return Decision(
        action=action,
        by=watch.guard.name,
        trial=alarm.trial,
        step=alarm.step,
        value=alarm.value,
        numbers={**facts, **numbers},
    )


def _changed(space: Space, watch: GuardWatch, present: Mapping[str, Any], *, restarts: bool) -> dict[str, Any]:
    """What becomes of the present values; empty: nothing."""
    new: dict[str, Any] = {}
    for name, wish in watch.guard.set.items():
        allowed = editable_range(space[name], restarts=restarts)
        if allowed is not None and name in present:
            with suppress(SpecError):  # of a stranger's plan: who runs a sweep is not to die of it
                new[name] = new_value(name, wish, present[name], allowed, clipped=True)
    new = {name: value for name, value in new.items() if value != present[name]}
    if not new:
        return {}
    old = {name: option_to_json(present[name]) for name in new}
    return {"set": {name: option_to_json(value) for name, value in new.items()}, "old": old}


def check_guards(space: Space, guards: Iterable[Guard]) -> None:
    """See that each of some guards can change what it is to change; SpecError where not."""
    for guard in guards:
        for name, wish in guard.set.items():
            told = f"Guard(on={guard.on!r}) cannot set {name}"
            allowed = editable_range(space[name], restarts=bool(guard.back))
            if allowed is None:
                rule = "it is fixed" if guard.back else "it is not live, as Float(…, live=True) is, and back is empty"
                raise SpecError(f"{told}: {rule}")
            ends = allowed.options if isinstance(allowed, Choice) else (allowed.low, allowed.high)
            try:
                new = [new_value(name, wish, end, allowed, clipped=True) for end in ends]
            except SpecError as error:
                raise SpecError(f"{told}: {error}".removesuffix("; nothing was changed")) from error
            if new == list(ends):
                raise SpecError(f"{told} to {wish!r:.40}, for that changes nothing: write {name}='*0.5', say")
