"""Sweeps whose trials die and go on, all parts real but the machine, and what must be known of them in plain Python.

Chance writes a script for each attempt of each trial: what it reports and saves, and how it ends. The oracle knows a
trial as one list, its living history: an attempt that begins at a step throws away what came at or after it.
"""

from __future__ import annotations

import functools
import math
import operator
import random
import threading
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from caviar.run.executors.executor import Event, LeaseEnded
from caviar.run.executors.inline import InlineExecutor
from caviar_workers.messages import Lease, Program
from caviar_workers.trainer import dismiss
from caviar_workers.trial import Trial

OBJECTIVE, OTHER = "val_loss", "train_loss"
NAN = math.nan
MOST = 2**63 - 1

Metrics = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What one attempt does."""

    loads: bool
    """It goes on from the checkpoint that it is given."""
    reports: tuple[tuple[int, tuple[Metrics, ...], bool], ...]
    """Step, its reports, and whether it is saved after them."""
    end: str
    """`dies` | `returns` | `raises`."""


def scripts(chance: random.Random) -> list[Script]:
    """The attempts of one trial; the last one comes to an end by itself."""
    steps = _steps(chance)
    rarity = chance.choice([1, 1, 2, 3, 5])
    split = chance.random() < 0.4
    values = chance.choice([[0.1, 0.2, 0.3], [0.1], [1.7e308, -1.7e308, 5e-324], [1.0, 2.0, 3.0, NAN], [2.0, math.inf]])
    count = chance.choice([1, 1, 2, 3])
    found = []
    for attempt in range(count):
        whole = tuple(
            (step, _reports(chance, place, rarity, values, split), chance.random() < 0.5)
            for place, step in enumerate(steps)
        )
        last = attempt == count - 1
        found.append(
            Script(
                loads=chance.random() < 0.8,
                reports=whole if last else whole[: chance.randint(0, len(whole))],
                end="dies" if not last else chance.choice(["returns"] * 5 + ["raises"]),
            )
        )
    return found


def _steps(chance: random.Random) -> list[int]:
    count = chance.randint(1, 8)
    kind = chance.choice(["even", "even", "odd", "huge"])
    if kind == "even":
        return list(range(count))
    low, high = (0, 100) if kind == "odd" else (MOST - 1000, MOST)
    return [*sorted(chance.sample(range(low, high), count - 1)), high] if count > 1 else [high]


def _reports(chance: random.Random, place: int, rarity: int, values: list[float], split: bool) -> tuple[Metrics, ...]:
    other = {OTHER: chance.choice([0.5, 0.25, NAN, math.inf])}
    if place % rarity:
        return (other,)
    own = {OBJECTIVE: chance.choice(values)}
    if not split:
        return (own | other,)
    return chance.choice([(own, other), (other, own), (own, {OBJECTIVE: chance.choice(values)}, other)])


def train(
    config: dict[str, Any],
    trial: Trial,
    plot: dict[int, list[Script]],
    grave: set[int],
    turns: dict[int, list[int]],
) -> None:
    """Do what the script says for this turn of the trial; `turns` learns which attempt each was."""
    if grave:
        return  # the process is dead, and with it the rest of its lease
    own = turns.setdefault(trial.number, [])
    own.append(trial.attempt)
    script = plot[trial.number][len(own) - 1]
    saved = trial.load() if script.loads else None
    for step, reports, saves in script.reports:
        if saved is not None and step <= saved.step:
            continue
        for metrics in reports:
            trial.report(step, **metrics)
        if saves:
            trial.save(step, b"state")
    if script.end == "raises":
        raise ValueError("as the script says")
    if script.end == "dies":
        grave.add(trial.number)


class Mortal(InlineExecutor):
    """Its process dies with a trial that is in the grave: after its rows were heard, before its end was."""

    def __init__(self, program: Program, grave: set[int]) -> None:
        super().__init__(program)
        self._grave = grave

    def submit(self, lease: Lease) -> None:
        """Train each trial in a lease of its own, that flushes when it is asked to."""
        super().submit(replace(lease, flush_s=0.005))

    def poll(self, timeout: float) -> list[Event]:
        """As the one before it, but a lease whose trial lies in the grave says no more of its end."""
        events = super().poll(timeout)
        heard: list[Event] = []
        for event in events:
            if not isinstance(event, LeaseEnded):
                last, died = _before_death(event, self._grave)
                if died:
                    self._bury()
                    return [*heard, last, LeaseEnded(lease=event.lease, failure="the process died")]
            heard.append(event)
        return heard

    def _bury(self) -> None:
        """Nothing of the dead process runs on."""
        if self._current is not None:
            self._current[1].close()  # type: ignore[attr-defined]
            self._current = None
        while training := [thread for thread in threading.enumerate() if thread.name == "caviar-train"]:
            dismiss()  # who rests would never end
            training[0].join(0.01)
        self._grave.clear()


def _before_death(event: Any, grave: set[int]) -> tuple[Any, bool]:
    """What was heard of a lease before its process died: all rows, but not the end of the trial that it died of."""
    if not grave or not event.batch.attempts:
        return event, False
    rows = pa.ipc.open_stream(event.batch.attempts).read_all()
    places = [
        place
        for place, (trial, ended) in enumerate(zip(rows["trial"].to_pylist(), rows["ended"].to_pylist(), strict=True))
        if trial in grave and ended is not None
    ]
    if not places:
        return event, False
    dead = rows["trial"][places[0]].as_py()
    heard = rows.slice(0, places[0])
    curves = event.batch.curves
    if curves:
        table = pa.ipc.open_stream(curves).read_all()
        curves = _stream(table.filter(pc.less_equal(table["trial"], dead)))
    saves = tuple(save for save in event.batch.saves if save.trial <= dead)
    attempts = _stream(heard) if heard.num_rows else b""
    return replace(event, batch=replace(event.batch, curves=curves, attempts=attempts, saves=saves)), True


def _stream(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


@dataclass(slots=True)
class Known:
    """What must be known of a trial."""

    state: str = "PENDING"
    rows: list[tuple[int, Metrics]] = field(default_factory=list)
    """Its living history."""
    saves: list[tuple[int, int, float]] = field(default_factory=list)
    """Attempt, step and value of each checkpoint of it."""

    def values(self, metric: str) -> list[tuple[int, float]]:
        """(step, value) of each report of a metric."""
        return [(step, metrics[metric]) for step, metrics in self.rows if metric in metrics]

    @property
    def diverged(self) -> bool:
        """Whether the objective was ever not finite."""
        return not all(math.isfinite(value) for _, value in self.values(OBJECTIVE))

    def last(self, metric: str) -> tuple[int, float] | None:
        """Step and value of the last report."""
        found = self.values(metric)
        return found[-1] if found else None

    def best(self, metric: str, mode: str) -> tuple[int, float] | None:
        """Step and value of the best one, the first of equal ones."""
        finite = [pair for pair in self.values(metric) if math.isfinite(pair[1])]
        sign = 1.0 if mode == "min" else -1.0
        return min(finite, key=lambda pair: sign * pair[1], default=None)

    def smoothed(self, metric: str) -> tuple[int, float]:
        """Step and mean of the last five reports."""
        tail = self.values(metric)[-5:]
        values = sorted(value for _, value in tail)  # in this order, whichever they were reported in
        total = added(values)
        mean = total / len(tail) if math.isfinite(total) else added([value / len(tail) for value in values])
        return tail[-1][0], max(min(v for _, v in tail), min(max(v for _, v in tail), mean))

    def best_save(self, mode: str) -> tuple[int, int] | None:
        """Attempt and step of the first checkpoint that was saved after the best value."""
        valued = [save for save in self.saves if math.isfinite(save[2])]
        sign = 1.0 if mode == "min" else -1.0
        return min(valued, key=lambda save: sign * save[2], default=(None, None, None))[:2]


def added(values: list[float]) -> float:
    """Their sum, one after the other: that of Python's own `sum` is another one from 3.12 on."""
    return functools.reduce(operator.add, values)


def known(attempts: list[Script]) -> Known:
    """What must be known of a trial that did this."""
    found = Known()
    for attempt, script in enumerate(attempts):
        restored = max(found.saves, key=lambda save: save[:2], default=None) if script.loads else None
        start = 0 if restored is None else restored[1] + 1
        if (script.reports and script.reports[-1][0] >= start) or script.end != "dies":
            # it has rows, or lived to tell where it began
            found.rows = [row for row in found.rows if row[0] < start]
            found.saves = [save for save in found.saves if save[1] < start]
        for step, reports, saves in script.reports:
            if step < start:
                continue
            found.rows += [(step, metrics) for metrics in reports]
            if saves:
                newest = found.last(OBJECTIVE)
                value = newest[1] if newest is not None else NAN
                found.saves.append((attempt, step, value))
        if script.end == "raises":
            found.state = "FAILED"
        elif script.end == "returns":
            found.state = "COMPLETED" if found.values(OBJECTIVE) else "FAILED"
    return found
