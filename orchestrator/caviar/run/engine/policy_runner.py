"""Where stop policy and searcher meet the sweep: rows on their way to the store in, decisions to be published out.

The scheduler publishes decisions before it acts on them, and with them all rows that came before: so whatever a
decision rests on is in the store when the decision is. The state can be built again from there (`restore`).

Policies and searcher know the living history (`LivingRows`) and nothing else: when an attempt begins again, what it
supersedes is withdrawn from them, and a step is judged when all reports of it that came together are heard.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import repeat
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from caviar.run.engine.decision_log import Decision
from caviar.run.engine.living_rows import LivingRows
from caviar.run.engine.trial_table import TrialTable
from caviar.search.searchers import Searcher
from caviar.search.stopping import Judgement, StopPolicy
from caviar.space.scale import FloatArray
from caviar.store.untrusted_json import numbers_of
from caviar_workers.states import ENDED, TOLD, USER, Action, State

NOBODY: Mapping[str, StopPolicy] = {}


class PolicyRunner:
    """Judges the trials of one sweep; belongs to the scheduler's loop.

    Args:
        policies: What each is called in the store, such as `asha:eta=5` → it; they are asked in this order, until one
            ends the trial. None: nobody is judged.
        metric: The sweep's.
        searcher: Is told of all rows, and asked for points; None: points are drawn.
        search: What it is called in the store, such as `gp`.
        trials: Knows what was decided of each; a new one, if it is left out.
    """

    def __init__(
        self,
        policies: Mapping[str, StopPolicy] = NOBODY,
        metric: str = "",
        searcher: Searcher | None = None,
        search: str = "",
        trials: TrialTable | None = None,
    ) -> None:
        self._policies = dict(policies)
        self._searcher = searcher
        self._search = search
        self._metric = metric
        self._living = LivingRows()
        self.trials = TrialTable() if trials is None else trials
        self._made: list[Decision] = []
        self.judged = False
        """Whether a policy ever decided anything."""
        self.breed: Callable[[Judgement, str, int], Decision] | None = None
        """Makes the decision by which a trial is born, of a judgement, who made it, and how many are born with it."""
        self._let_go: set[int] = set()
        """Trials that somebody changed by hand: what they have says nothing of a configuration."""

    def hear(self, curves: pa.Table | None, attempts: pa.Table | None) -> None:
        """Take in what a lease had to say at once: rows, and attempts that began, go on or ended."""
        if not self._policies and self._searcher is None:
            return
        ended = {} if attempts is None else _endings(attempts)
        if curves is not None and len(curves):
            self._listen(curves, ended)
        for trial, state in ended.items():
            self._end(trial, state)
            self._living.end(trial)

    def let_go(self, trial: int) -> None:
        """Compare a trial with others no more, and no other with it: somebody changes it by hand."""
        if trial in self._let_go:
            return
        self._withdraw(trial)
        self._end(trial, State.CANCELLED)  # as one that never began
        self._living.end(trial)
        self._let_go.add(trial)

    def halts(self, trials: Sequence[int]) -> dict[int, int]:
        """Trial → the step from which on it pauses by itself when it saves, of those that do."""
        found: dict[int, int] = {}
        for policy in self._policies.values():
            if (halt := getattr(policy, "halt", None)) is not None:
                found |= {trial: halt(trial) for trial in trials if trial not in self._let_go}
        return found

    def ask(self, trial: int) -> FloatArray:
        """A point for a new trial, from the searcher."""
        if self._searcher is None:
            raise ValueError("this sweep has no searcher")
        found = self._searcher.ask(trial)
        numbers = {"origin": found.origin, **found.numbers}
        self._made.append(Decision(action=Action.ASK, by=self._search, trial=trial, numbers=numbers))
        return found.u

    def recall(self, *, exhausted: bool) -> bool:
        """Let the policies decide about paused trials, as a slot is free; whether they decided anything.

        Args:
            exhausted: There are no new trials, and none runs: those that are not called back now are stopped.
        """
        some = False
        for by, policy in self._policies.items():
            while (found := policy.recall(exhausted=exhausted)) is not None:
                self._adopt(by, policy, found)
                some = True
                if found.action == Action.PROMOTE:
                    return True
        return some

    @property
    def undone(self) -> bool:
        """Whether something was decided since the last call of `decisions`."""
        return bool(self._made)

    def decisions(self) -> list[Decision]:
        """Return what was decided since the last call."""
        made, self._made = self._made, []
        return made

    def restore(
        self,
        rows: Iterable[tuple[int, int, float]],
        decisions: Iterable[Mapping[str, Any]],
        ended: Mapping[int, str],
        points: Sequence[FloatArray] = (),
        changed: Collection[int] = (),
    ) -> None:
        """Take up the state that an earlier driver left.

        Args:
            rows: (trial, step, value), each trial's in their order.
            decisions: Rows of the table `decisions`, in their order. What the user decided about a trial holds too.
            ended: State of the trials that ended.
            points: Of trials 0, 1, …
            changed: Trials that somebody changed by hand.
        """
        if self._searcher is not None:
            for trial, u in enumerate(points):
                self._searcher.restore(trial, u)
        for row in (one for one in rows if one[0] not in changed):
            self._note(*row)
            if ended.get(row[0], State.FAILED) == State.FAILED:  # those that failed may be tried again
                self._living.add(*row)
        for decision in decisions:
            policy = self._policies.get(decision["decided_by"])
            if policy is not None:
                policy.apply(_judgement(decision))
                self.judged = True
            if decision["trial"] is not None and decision["trial"] not in ended:
                self._mark(decision["trial"], decision["action"], decision["n"], by=decision["decided_by"])
        for trial in changed:
            self.let_go(trial)
        for trial, state in ended.items():
            self._end(trial, state)
            self._living.end(trial, again=state == State.FAILED)

    def judge_where_they_stand(self, saved: Mapping[int, tuple[int, int]]) -> None:
        """Judge trials that had come to where they pause by themselves: their driver died before it had.

        Args:
            saved: Trial → attempt and step of its newest checkpoint.
        """
        for trial, step in self.halts(sorted(saved)).items():
            if saved[trial][1] >= step:
                self._judge(trial, saved[trial][0], {})

    def _listen(self, curves: pa.Table, ended: Mapping[int, str]) -> None:
        """Note rows, and judge each trial at its steps, one by one."""
        again = pc.max(curves["attempt"]).as_py() > 0
        measured = self._metric in curves.column_names
        if not (again or measured):
            return
        columns = [curves[name].to_pylist() for name in ("trial", "attempt", "step")]
        starts = curves["_start"].to_pylist() if again else repeat(0, len(curves))
        values = curves[self._metric].to_pylist() if measured else repeat(None, len(curves))
        heard: tuple[int, int, int] | None = None
        """Trial, attempt and step of the newest row, where nobody has judged it yet."""
        for trial, attempt, step, start, value in zip(*columns, starts, values, strict=True):
            if trial in self._let_go:
                continue
            if heard is not None and heard != (trial, attempt, step):
                self._judge(heard[0], heard[1], ended)
                heard = None
            if attempt:
                self._begin(trial, attempt, start)
            if value is not None and self._living.counts(trial, attempt):
                self._note(trial, step, value)
                self._living.add(trial, step, value)
                heard = trial, attempt, step
        if heard is not None:
            self._judge(heard[0], heard[1], ended)

    def _begin(self, trial: int, attempt: int, start: int) -> None:
        """Withdraw what an attempt supersedes, whether or not it has a value of the metric."""
        left = self._living.begin(trial, attempt, start)
        if left is None:
            return
        self._withdraw(trial)
        for step, value in left:
            self._note(trial, step, value)

    def _withdraw(self, trial: int) -> None:
        for policy in self._policies.values():
            policy.withdraw(trial)
        if self._searcher is not None:
            self._searcher.withdraw(trial)

    def _note(self, trial: int, step: int, value: float) -> None:
        for policy in self._policies.values():
            policy.note(trial, step, value)
        if self._searcher is not None:
            self._searcher.tell(trial, step, value)

    def _end(self, trial: int, state: str) -> None:
        if trial in self._let_go:
            return
        for policy in self._policies.values():
            policy.end(trial, state=state)
        if self._searcher is not None:
            self._searcher.end(trial, state=state)

    def _judge(self, trial: int, attempt: int, ended: Mapping[int, str]) -> None:
        if trial in ended or self.trials.record(trial).asked is not None:
            return
        for by, policy in self._policies.items():
            found = policy.judge(trial)
            if found is None:
                continue
            self._adopt(by, policy, found, attempt)
            if found.action == Action.STOP:
                return

    def _adopt(self, by: str, policy: StopPolicy, found: Judgement, attempt: int | None = None) -> None:
        self.judged = True
        if found.action == Action.FORK:
            assert self.breed is not None
            born = self.breed(found, by, sum(one.action == Action.FORK for one in self._made))
            policy.apply(replace(found, numbers=born.numbers))
            self._made.append(born)
            return
        policy.apply(found)
        self._mark(found.trial, found.action)
        facts = {item.name: getattr(found, item.name) for item in fields(found)}
        self._made.append(Decision(by=by, attempt=attempt, **facts))

    def _mark(self, trial: int, action: str, decision: int = -1, *, by: str = "") -> None:
        """Remember what was decided, so that nobody judges the trial until it is done."""
        if action == Action.PAUSE and by == USER:
            self.trials.hold(trial)
        elif action == Action.CONTINUE:
            self.trials.lets_go_on(trial)
        elif action in TOLD:
            self.trials.asks(trial, Action(action), decision)
        elif action == Action.PROMOTE:
            self.trials.takes_back_pause(trial)
        elif action == Action.ROLLBACK:
            self.trials.ended([trial])  # and begins anew: what it was told before was to another branch


def _endings(attempts: pa.Table) -> dict[int, str]:
    """Trial → state of those that ended for good."""
    pairs = zip(attempts["trial"].to_pylist(), attempts["state"].to_pylist(), strict=True)
    return {trial: state for trial, state in pairs if state in ENDED}


def _judgement(row: Mapping[str, Any]) -> Judgement:
    numbers = numbers_of(row["numbers"])
    replaced = numbers.get("loser") if row["action"] == Action.FORK else None
    return Judgement(
        trial=replaced if type(replaced) is int else row["trial"],
        action=Action(row["action"]),
        step=row["step"],
        value=float("nan") if row["value"] is None else row["value"],
        bar=row["bar"],
        numbers=numbers,
    )
