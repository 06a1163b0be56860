"""Where stop policy and searcher meet the sweep: rows on their way to the store in, decisions to be published out.

The scheduler publishes decisions before it acts on them, and with them all rows that came before: so whatever a
decision rests on is in the store when the decision is. The state can be built again from there (`restore`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import zip_longest
from typing import Any

import pyarrow as pa

from caviar.schedule.decision import Decision
from caviar.schedule.tally import FINAL
from caviar.searching import Searcher
from caviar.space.scale import FloatArray
from caviar.stopping import Judgement, StopPolicy
from caviar.store.record import numbers_of

NOBODY: Mapping[str, StopPolicy] = {}


class Adviser:
    """Judges the trials of one sweep; belongs to the scheduler's loop.

    Args:
        policies: What each is called in the store, such as `asha:eta=5` → it; they are asked in this order, until one
            ends the trial. None: nobody is judged.
        metric: The sweep's.
        searcher: Is told of all rows, and asked for points; None: points are drawn.
        search: What it is called in the store, such as `gp`.
    """

    def __init__(
        self,
        policies: Mapping[str, StopPolicy] = NOBODY,
        metric: str = "",
        searcher: Searcher | None = None,
        search: str = "",
    ) -> None:
        self._policies = dict(policies)
        self._searcher = searcher
        self._search = search
        self._metric = metric
        self._told: dict[int, str] = {}
        """Trials that are told to `stop`, until they end, or to `pause`, until they are promoted."""
        self._made: list[Decision] = []
        self.judged = False
        """Whether a policy ever decided anything."""

    @property
    def condemned(self) -> tuple[int, ...]:
        """Trials that were decided to stop and have not ended, as far as is known."""
        return tuple(sorted(trial for trial, action in self._told.items() if action == "stop"))

    def stops(self, trial: int) -> bool:
        """Whether a trial was told to stop, and has not ended."""
        return self._told.get(trial) == "stop"

    def pauses(self, trial: int) -> bool:
        """Whether a trial was told to pause, and was not promoted since."""
        return self._told.get(trial) == "pause"

    def hear(self, curves: pa.Table | None, attempts: pa.Table | None) -> None:
        """Take in what a lease had to say at once: rows, and executions that began, go on or ended."""
        if not self._policies and self._searcher is None:
            return
        ended = {} if attempts is None else _endings(attempts)
        if curves is not None and self._metric in curves.column_names:
            columns = (curves[name].to_pylist() for name in ("trial", "attempt", "step", self._metric))
            rows = [row for row in zip(*columns, strict=True) if row[3] is not None]
            for (trial, attempt, step, value), after in zip_longest(rows, rows[1:]):
                self._note(trial, step, value)
                final = after is None or after[:3] != (
                    trial,
                    attempt,
                    step,
                )  # or it has more at this step
                if final and trial not in ended and trial not in self._told:
                    self._judge(trial, attempt)
        for trial, state in ended.items():
            self._end(trial, state)
            self._told.pop(trial, None)

    def ask(self, trial: int) -> FloatArray:
        """A point for a new trial, from the searcher."""
        if self._searcher is None:
            raise ValueError("this sweep has no searcher")
        found = self._searcher.ask(trial)
        numbers = {"origin": found.origin, **found.numbers}
        self._made.append(Decision(action="ask", by=self._search, trial=trial, numbers=numbers))
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
                if found.action == "promote":
                    return True
        return some

    def decisions(self) -> list[Decision]:
        """What was decided since the last call."""
        made, self._made = self._made, []
        return made

    def restore(
        self,
        rows: Iterable[tuple[int, int, float]],
        decisions: Iterable[Mapping[str, Any]],
        ended: Mapping[int, str],
        points: Sequence[FloatArray] = (),
    ) -> None:
        """Take up the state that an earlier driver left.

        Args:
            rows: (trial, step, value), each trial's in their order.
            decisions: Rows of the table `decisions`, in their order; those of others than the policies are left out.
            ended: State of the trials that ended.
            points: Of trials 0, 1, …
        """
        if self._searcher is not None:
            for trial, u in enumerate(points):
                self._searcher.restore(trial, u)
        for row in rows:
            self._note(*row)
        for decision in decisions:
            policy = self._policies.get(decision["decided_by"])
            if policy is not None:
                policy.apply(_judgement(decision))
                self.judged = True
                if decision["trial"] not in ended:
                    self._mark(decision["trial"], decision["action"])
        for trial, state in ended.items():
            self._end(trial, state)

    def _note(self, trial: int, step: int, value: float) -> None:
        for policy in self._policies.values():
            policy.note(trial, step, value)
        if self._searcher is not None:
            self._searcher.tell(trial, step, value)

    def _end(self, trial: int, state: str) -> None:
        for policy in self._policies.values():
            policy.end(trial, state=state)
        if self._searcher is not None:
            self._searcher.end(trial, state=state)

    def _judge(self, trial: int, attempt: int) -> None:
        for by, policy in self._policies.items():
            found = policy.judge(trial)
            if found is None:
                continue
            self._adopt(by, policy, found, attempt)
            if found.action == "stop":
                return

    def _adopt(self, by: str, policy: StopPolicy, found: Judgement, attempt: int | None = None) -> None:
        policy.apply(found)
        self.judged = True
        self._mark(found.trial, found.action)
        facts = {item.name: getattr(found, item.name) for item in fields(found)}
        self._made.append(Decision(by=by, attempt=attempt, **facts))

    def _mark(self, trial: int, action: str) -> None:
        if action in ("stop", "pause"):
            self._told[trial] = action
        elif action == "promote":
            self._told.pop(trial, None)


def _endings(attempts: pa.Table) -> dict[int, str]:
    """Trial → state of those that ended for good."""
    pairs = zip(attempts["trial"].to_pylist(), attempts["state"].to_pylist(), strict=True)
    return {trial: state for trial, state in pairs if state in FINAL}


def _judgement(row: Mapping[str, Any]) -> Judgement:
    return Judgement(
        trial=row["trial"],
        action=row["action"],
        step=row["step"],
        value=float("nan") if row["value"] is None else row["value"],
        bar=row["bar"],
        numbers=numbers_of(row["numbers"]),
    )
