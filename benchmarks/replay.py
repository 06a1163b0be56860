"""Sweeps over tables of learning curves: W virtual workers, an epoch a unit of time.

What is replayed is the loop of decisions alone, without leases, Arrow and store, so that thousands of sweeps take
minutes; who decides is a `Player`: the package's own policies and searchers, or a peer's.
"""

import heapq
import math
from dataclasses import dataclass, field
from time import process_time
from typing import Protocol

from tables import END, Table


def marks_of(eta: int) -> tuple[int, ...]:
    """Epochs between which no trial is cut off: the rungs of eta, and the end."""
    marks = [1]
    while marks[-1] * eta < END:
        marks.append(marks[-1] * eta)
    return (*marks, END)


class Player(Protocol):
    """Decides what is trained."""

    marks: tuple[int, ...]
    """Epochs between which no trial is cut off by the end of the budget, and at which the winner is sought."""

    def next(self) -> int | None:
        """The trial that a free worker trains on: a new one, numbered on from 0, or one that was paused."""
        ...

    def row(self, trial: int) -> int:
        """The row of the table that a trial is."""
        ...

    def report(self, trial: int, step: int, value: float) -> bool:
        """A trial has had `step` epochs, 1 … END; whether it goes on."""
        ...


@dataclass(slots=True)
class Outcome:
    """What one replayed sweep came to."""

    winner: int = -1
    """Row that is chosen: the best of the highest mark that a trial came to."""
    epochs: int = 0
    driver_s: float = 0.0
    """CPU seconds that the player took."""
    depth: dict[int, int] = field(default_factory=dict)
    """Epochs of each trial."""


def replay(table: Table, player: Player, *, workers: int, epochs: int) -> Outcome:
    """Run one sweep within `epochs` epochs over all workers.

    A stretch of training, up to the player's next mark, is begun only if the budget reaches to its end; so none is
    thrown away half done, however many workers there are, and never more than `epochs` are spent.
    """
    outcome, marks = Outcome(), player.marks
    depth = outcome.depth
    free = list(range(workers))
    busy: list[tuple[float, int, int]] = []  # (time, worker, trial)
    now, left = 0.0, epochs
    while True:
        while free and left > 0:
            begun = process_time()
            trial = player.next()
            outcome.driver_s += process_time() - begun
            if trial is None:
                break
            cost = _stretch(depth.setdefault(trial, 0), marks)
            if cost <= left:
                left -= cost
                heapq.heappush(busy, (now + 1, free.pop(), trial))
        if not busy:
            break
        now, worker, trial = heapq.heappop(busy)
        depth[trial] += 1
        outcome.epochs += 1
        value = float(table.curves[player.row(trial), depth[trial] - 1])
        begun = process_time()
        goes = player.report(trial, depth[trial], value) and depth[trial] < END
        outcome.driver_s += process_time() - begun
        if not goes and depth[trial] not in marks:
            left += _stretch(depth[trial], marks)
        if goes and depth[trial] in marks:
            cost = _stretch(depth[trial], marks)
            goes = cost <= left
            left -= cost if goes else 0
        if goes:
            heapq.heappush(busy, (now + 1, worker, trial))
        else:
            free.append(worker)
    outcome.winner = _winner(table, player, depth)
    return outcome


def _stretch(depth: int, marks: tuple[int, ...]) -> int:
    return next(mark for mark in marks if mark > depth) - depth


def _winner(table: Table, player: Player, depth: dict[int, int]) -> int:
    for step in reversed(player.marks):
        rows = [player.row(trial) for trial, reached in depth.items() if reached >= step]
        finite = [(value, row) for row in rows if math.isfinite(value := float(table.curves[row, step - 1]))]
        if finite:
            return min(finite)[1]
    return player.row(0)
