"""Generated histories of sweeps: trials begin again, from step 0 or a checkpoint, and report steps several times."""

import math
import random
from dataclasses import dataclass

import pyarrow as pa

STEPS = 14


@dataclass(frozen=True)
class Heard:
    """A row, as a lease tells it."""

    trial: int
    attempt: int
    start: int
    step: int
    value: float | None


def history(seed: int, trials: int = 12) -> list[list[Heard]]:
    """What is heard of trials that run side by side, batch by batch, each of one execution."""
    rng = random.Random(seed)
    waiting = {trial: _executions(rng, trial) for trial in range(trials)}
    heard = []
    while waiting:
        trial = rng.choice(sorted(waiting))
        execution = waiting[trial][0]
        count = rng.randint(1, 6)
        heard.append(execution[:count])
        del execution[:count]
        if not execution:
            del waiting[trial][0]
        if not waiting[trial]:
            del waiting[trial]
    return heard


def again(seed: int, known: list[Heard], trials: list[int]) -> list[list[Heard]]:
    """All these trials begin once more, side by side."""
    rng = random.Random(seed)
    batches = []
    for trial in trials:
        rows = [row for row in known if row.trial == trial]
        attempt = max((row.attempt for row in rows), default=-1) + 1
        start = rng.choice([0, rng.randint(0, max((row.step for row in living(rows)), default=-1) + 1)])
        batches.append(_rows(rng, trial, attempt, start, start + STEPS))
    return [batch[k : k + 3] for k in range(0, 3 * STEPS, 3) for batch in batches if batch[k : k + 3]]


def living(rows: list[Heard]) -> list[Heard]:
    """Those that count: no later attempt of their trial began at or before their step; each trial's in their order."""
    kept = []
    for place, row in enumerate(rows):
        later = [one for one in rows if one.trial == row.trial and one.attempt > row.attempt]
        if row.value is not None and all(one.start > row.step for one in later):
            kept.append((row.trial, row.attempt, place, row))
    return [row for *_, row in sorted(kept, key=lambda one: one[:3])]


def last_of_each_step(rows: list[Heard]) -> list[Heard]:
    """Of several reports of one step the last one; in their order."""
    return list({(row.trial, row.step): row for row in rows}.values())


def table(rows: list[Heard]) -> pa.Table:
    """As a lease sends it; without the metric where none of the rows has it."""
    columns = {
        "trial": pa.array([row.trial for row in rows], pa.int64()),
        "attempt": pa.array([row.attempt for row in rows], pa.int16()),
        "_start": pa.array([row.start for row in rows], pa.int64()),
        "step": pa.array([row.step for row in rows], pa.int64()),
    }
    if any(row.value is not None for row in rows):
        columns["loss"] = pa.array([row.value for row in rows], pa.float64())
    return pa.table(columns)


def _executions(rng: random.Random, trial: int) -> list[list[Heard]]:
    start, found = 0, []
    for attempt in range(rng.choice([1, 1, 2, 3])):
        end = start + rng.randint(1, STEPS)
        found.append(_rows(rng, trial, attempt, start, end))
        start = rng.choice([0, rng.randint(0, end)])
    return found


def _rows(rng: random.Random, trial: int, attempt: int, start: int, end: int) -> list[Heard]:
    rows = []
    for step in range(start, end):
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            value = rng.choice([rng.random(), rng.random(), rng.gauss(trial % 5, 1), -9 * rng.random()])
            rows.append(Heard(trial, attempt, start, step, rng.choice([None, math.nan] + [value] * 18)))
    return rows
