"""Where the stop policy meets the sweep: rows on their way to the store in, decisions to be published out.

The scheduler publishes decisions before it acts on them, and with them all rows that came before: so whatever a
decision rests on is in the store when the decision is. The state can be built again from there (`restore`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import pyarrow as pa

from caviar.schedule.decision import Decision
from caviar.stopping import Judgement, StopPolicy

FINAL = ("COMPLETED", "STOPPED", "FAILED", "CANCELLED")


class Adviser:
    """Judges the trials of one sweep; belongs to the scheduler's loop.

    Args:
        policy: Decides; None: nobody is judged.
        by: What it is called in the store, such as `asha:eta=3`.
        metric: The sweep's.
    """

    def __init__(self, policy: StopPolicy | None = None, by: str = "", metric: str = "") -> None:
        self._policy = policy
        self._by = by
        self._metric = metric
        self._stopped: set[int] = set()
        """Trials that are told to stop, until they end."""
        self._made: list[Decision] = []

    @property
    def condemned(self) -> tuple[int, ...]:
        """Trials that were decided to stop and have not ended, as far as is known."""
        return tuple(sorted(self._stopped))

    def hear(self, curves: pa.Table | None, attempts: pa.Table | None) -> None:
        """Take in what a lease had to say at once: rows, and executions that began, go on or ended."""
        if self._policy is None:
            return
        ended = {} if attempts is None else _endings(attempts)
        if curves is not None and self._metric in curves.column_names:
            columns = (curves[name].to_pylist() for name in ("trial", "attempt", "step", self._metric))
            for trial, attempt, step, value in zip(*columns, strict=True):
                if value is not None:
                    self._policy.note(trial, step, value)
                    if trial not in ended and trial not in self._stopped:
                        self._judge(self._policy, trial, attempt)
        for trial, state in ended.items():
            self._policy.end(trial, state=state)
            self._stopped.discard(trial)

    def decisions(self) -> list[Decision]:
        """What was decided since the last call."""
        made, self._made = self._made, []
        return made

    def restore(
        self, rows: Iterable[tuple[int, int, float]], decisions: Iterable[Mapping[str, Any]], ended: Mapping[int, str]
    ) -> None:
        """Take up the state that an earlier driver left.

        Args:
            rows: (trial, step, value), each trial's in their order.
            decisions: Rows of the table `decisions`, in their order; those of others than the policy are left out.
            ended: State of the trials that ended.
        """
        if self._policy is None:
            return
        for row in rows:
            self._policy.note(*row)
        for decision in decisions:
            if decision["decided_by"] == self._by:
                self._policy.apply(_judgement(decision))
                if decision["action"] == "stop" and decision["trial"] not in ended:
                    self._stopped.add(decision["trial"])
        for trial, state in ended.items():
            self._policy.end(trial, state=state)

    def _judge(self, policy: StopPolicy, trial: int, attempt: int) -> None:
        found = policy.judge(trial)
        if found is None:
            return
        policy.apply(found)
        if found.action == "stop":
            self._stopped.add(trial)
        facts = {item.name: getattr(found, item.name) for item in fields(found)}
        self._made.append(Decision(by=self._by, attempt=attempt, **facts))


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
        numbers=json.loads(row["numbers"] or "{}"),
    )
