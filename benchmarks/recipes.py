"""Our recipes as players of the replay: a stop policy of the package, and rows in random order or of a searcher."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from caviar.search.searchers import Local, Searcher, Thompson
from caviar.search.stopping import StopPolicy, parse_stopping
from replay import marks_of
from tables import END, Table


class Ours:
    """A stop policy and a source of rows; None: trials run to their end; rows come in random order."""

    def __init__(
        self, table: Table, policy: StopPolicy | None, searcher: Searcher | None, seed: int, eta: int = 5
    ) -> None:
        self.marks = marks_of(eta)
        self._table = table
        self._policy = policy
        self._searcher = searcher
        self._order = np.random.default_rng(seed).permutation(len(table.u))
        self._unseen = np.ones(len(table.u), bool)
        self._rows: list[int] = []

    def next(self) -> int | None:
        """See `Player`."""
        found = None if self._policy is None else self._policy.recall(exhausted=False)
        if found is not None and self._policy is not None:
            self._policy.apply(found)
            return found.trial
        if len(self._rows) == len(self._order):
            return None
        trial = len(self._rows)
        self._rows.append(int(self._order[trial]) if self._searcher is None else self._nearest(self._searcher, trial))
        return trial

    def row(self, trial: int) -> int:
        """See `Player`."""
        return self._rows[trial]

    def report(self, trial: int, step: int, value: float) -> bool:
        """See `Player`."""
        if self._searcher is not None:
            self._searcher.tell(trial, step, value)
        found = None
        if self._policy is not None:
            self._policy.note(trial, step, value)
            found = self._policy.judge(trial)
            if found is not None:
                self._policy.apply(found)
        stopped = found is not None and found.action == "stop"
        if stopped or step == END:
            for side in (self._policy, self._searcher):
                if side is not None:
                    side.end(trial, state="STOPPED" if stopped else "COMPLETED")
        return found is None or found.action == "go_on"

    def _nearest(self, searcher: Searcher, trial: int) -> int:
        """The unseen row nearest to the point that is asked for; the searcher learns where its trial came to lie."""
        distance = ((self._table.u - searcher.ask(trial).u) ** 2).sum(axis=1)
        row = int(np.argmin(np.where(self._unseen, distance, np.inf)))
        self._unseen[row] = False
        searcher.restore(trial, self._table.u[row])
        return row


Recipe = Callable[[Table, int], Ours]


def stopping(text: str, *, pausing: bool = True, eta: int = 5) -> Recipe:
    """Random rows under a stop policy, of this eta if it has one; empty text: full trainings."""

    def make(table: Table, seed: int) -> Ours:
        policy = parse_stopping(text).policy(mode="min", pausing=pausing) if text else None
        return Ours(table, policy, None, seed, eta)

    return make


def local(text: str = "asha", *, pausing: bool = True) -> Recipe:
    """Points near the best, moved to the nearest unseen row."""

    def make(table: Table, seed: int) -> Ours:
        searcher = Local(dimensions=table.u.shape[1], mode="min", seed=seed)
        return Ours(table, parse_stopping(text).policy(mode="min", pausing=pausing), searcher, seed)

    return make


def thompson(text: str = "asha", *, pool: bool = True) -> Recipe:
    """Thompson sampling over all unseen rows, or over the whole cube and then moved to the nearest unseen row."""

    def make(table: Table, seed: int) -> Ours:
        searcher = Thompson(dimensions=table.u.shape[1], mode="min", seed=seed, pool=table.u if pool else None)
        return Ours(table, parse_stopping(text).policy(mode="min", pausing=True), searcher, seed)

    return make


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the benchmark."""

    recipe: Recipe
    workers: int
    share: float = 1.0
    """Of the seeds: what is quick runs more."""
    budget: tuple[float, float] | None = None
    """Mean regret of the LCBench and of the TaskSet tables."""


def _entries() -> Iterator[tuple[str, Entry]]:
    for name, recipe, share, workers in (
        ("random", stopping(""), 4, (1, 8)),
        ("asha", stopping("asha"), 4, (1, 8, 64)),
        ("asha:eta=3", stopping("asha:eta=3", eta=3), 4, (1, 8, 64)),
        ("asha that only stops", stopping("asha", pausing=False), 4, (1, 8)),
        ("hyperband", stopping("hyperband", eta=3), 4, (8,)),
        ("median", stopping("median"), 4, (8,)),
        ("asha + local", local(), 1, (1, 8, 64)),
        ("asha that only stops + local", local(pausing=False), 1, (8,)),
        ("asha + gp, rows", thompson(), 1, (1, 8, 64)),
        ("asha + gp", thompson(pool=False), 1, (1, 8, 64)),
    ):
        for count in workers:
            entry = Entry(recipe=recipe, workers=count, share=share, budget=BUDGETS.get((name, count)))
            yield f"{name}, {count} worker{'s' * (count > 1)}", entry


BUDGETS = {
    ("asha", 1): (0.10, 0.15),
    ("asha", 8): (0.12, 0.17),
    ("asha + local", 1): (0.05, 0.07),
    ("asha + gp, rows", 1): (0.03, 0.02),
}
ENTRIES = dict(_entries())
