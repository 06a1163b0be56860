"""Our recipes as players of the replay: a stop policy of the package, and rows in random order or of a searcher."""

from collections.abc import Callable

import numpy as np

from caviar.searching import Local, Searcher, Thompson
from caviar.stopping import StopPolicy, parse_stopping
from replay import marks_of
from tables import END, Table


class Ours:
    """A stop policy and a source of rows; None: trials run to their end; rows come in random order."""

    def __init__(
        self, table: Table, policy: StopPolicy | None, searcher: Searcher | None, seed: int, eta: int = 3
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


def stopping(text: str, *, pausing: bool = True, eta: int = 3) -> Recipe:
    """Random rows under a stop policy, of this eta if it has one; empty text: full trainings."""

    def make(table: Table, seed: int) -> Ours:
        policy = parse_stopping(text).policy(mode="min", pausing=pausing) if text else None
        return Ours(table, policy, None, seed, eta)

    return make


def local(text: str = "asha:eta=3", *, pausing: bool = True) -> Recipe:
    """Points near the best, moved to the nearest unseen row."""

    def make(table: Table, seed: int) -> Ours:
        searcher = Local(dimensions=table.u.shape[1], mode="min", seed=seed)
        return Ours(table, parse_stopping(text).policy(mode="min", pausing=pausing), searcher, seed)

    return make


def thompson(text: str = "asha:eta=3", *, pool: bool = True) -> Recipe:
    """Thompson sampling over all unseen rows, or over the whole cube and then moved to the nearest unseen row."""

    def make(table: Table, seed: int) -> Ours:
        searcher = Thompson(dimensions=table.u.shape[1], mode="min", seed=seed, pool=table.u if pool else None)
        return Ours(table, parse_stopping(text).policy(mode="min", pausing=True), searcher, seed)

    return make
