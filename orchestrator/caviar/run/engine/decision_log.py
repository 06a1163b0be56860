"""What is decided about trials while a sweep runs: rows with all their numbers, stored before anybody acts on them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from caviar.run.engine.ports import Sink
from caviar_workers.tables import DECISIONS, arrays_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision; see the table `decisions` in `caviar_workers.tables` for its words."""

    action: str
    """One of `Action`."""
    by: str
    """What decided: `user`, `signal`, `time_limit`, `cluster`, a stop policy or a searcher, such as `asha:eta=5`."""
    trial: int | None = None
    """None: the whole sweep."""
    attempt: int | None = None
    step: int | None = None
    """At which trials were compared, if they were."""
    value: float | None = None
    """What the trial had there."""
    bar: float | None = None
    """What it had to reach."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """All that was looked at; survives JSON, but for NaN and infinities, which are kept as text."""


SHARE = 0.05
"""Of the loop's time that decisions take which can wait, at most: each publication has its fsync."""
LONGEST_S = 0.2
"""Seconds that they wait, at most: little beside the second that a trial takes to hear of them."""


def rest_after(seconds: float) -> float:
    """Seconds to gather decisions, after it took so many to carry out some."""
    return min(LONGEST_S, seconds * (1 / SHARE - 1))


class DecisionLog:
    """Numbers the decisions of a sweep; belongs to the scheduler's loop.

    Args:
        sink: Where they are recorded.
        first: The number of the next one: how many the sweep has.
        clock: Seconds since 1970.
    """

    def __init__(self, sink: Sink, first: int, clock: Callable[[], float]) -> None:
        self._sink = sink
        self._next = first
        self._clock = clock

    def publish(self, decisions: Sequence[Decision]) -> range:
        """Record decisions, and return their numbers; they, and all rows added before, are durable by then.

        Raises:
            StoreError: They cannot be published; nobody may act on them then.
        """
        numbers = range(self._next, self._next + len(decisions))
        if decisions:
            self._sink.add("decisions", decision_rows(decisions, self._next, self._clock()))
            self._next += len(decisions)
            self._sink.flush()
        return numbers


def decision_rows(decisions: Sequence[Decision], first: int, now: float) -> pa.Table:
    """Rows of the table `decisions`.

    Args:
        decisions: In the order in which they were made.
        first: Number of the first one.
        now: Seconds since 1970.
    """
    columns: dict[str, Any] = {
        "n": range(first, first + len(decisions)),
        "time": [int(now * 1000)] * len(decisions),
        "decided_by": [one.by for one in decisions],
        "numbers": [json.dumps(_strict(dict(one.numbers)), allow_nan=False) for one in decisions],
    }
    for name in ("trial", "attempt", "action", "step", "value", "bar"):
        columns[name] = [getattr(one, name) for one in decisions]
    return pa.Table.from_arrays(arrays_of("decisions", columns, len(decisions)), schema=DECISIONS)


def _strict(value: Any) -> Any:
    """The value as strict JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _strict(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(one) for one in value]
    return value
