"""A Gaussian process over (u, step), and Thompson sampling: each new trial is the best point of one possible truth.

The process learns from all curves at the steps where trials are compared, short ones and long ones (as in freeze-thaw
Bayesian optimisation, Swersky, Snoek and Adams 2014), and a draw of it says how all candidates might stand at the
largest step seen. Its minimum is the next point. Draws differ as far as the data leave room, so trials that run at the
same time spread by themselves (Kandasamy, Krishnamurthy, Schneider and Póczos 2018, "Parallelised Bayesian optimisation
via Thompson sampling").
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri
from threadpoolctl import ThreadpoolController

from caviar.search.searchers.gp_draws import Candidates, Process
from caviar.search.searchers.gp_kernel import Kernel, fit
from caviar.search.searchers.local import reflected
from caviar.search.searchers.observations import ObservingSearcher, generator
from caviar.search.searchers.searcher import FloatArray, Proposal

STARTS = 16
"""Trials that must have a value before the process is asked."""
REFIT = 1.4
"""The kernel is fitted again when there are so many times more rows."""
MOST_FITTED = 250
"""Rows that the kernel is fitted to."""
MOST_ROWS = 700
"""Rows that a draw is held to: the best ones and the newest."""
WIDE, CLOSE = 1000, 300
"""Candidates over the whole cube, and near the best trials, where there is no pool."""


class Thompson(ObservingSearcher):
    """Draws from a Gaussian process; see `Searcher`. Numbers of `model`: `rows`, `step`.

    Args:
        dimensions: d, ≥ 1.
        mode: `min` or `max`.
        seed: Of the sweep.
        unordered: Coordinates of parameters whose values have no order.
        pool: The points that may be asked for, each once, [n, d]; None: the whole cube.
    """

    def __init__(
        self,
        *,
        dimensions: int,
        mode: str,
        seed: int,
        unordered: Sequence[int] = (),
        pool: FloatArray | None = None,
    ) -> None:
        super().__init__(mode)
        self._dimensions = dimensions
        self._seed = seed
        self._unordered = list(unordered)
        self._pool = pool
        self._taken = np.zeros(0 if pool is None else len(pool), bool)
        self._kernel = Kernel.prior(dimensions)
        self._fitted = 0
        self._process: Process | None = None
        self._wide: Candidates | None = None
        self._order: list[int] = []
        """Trials in the process, in its order."""
        self._blas = ThreadpoolController()

    def ask(self, trial: int) -> Proposal:
        """Return the point of a new trial; see `Searcher`."""
        rng = generator(self._seed, "thompson", trial)
        rows = self._rows()
        guided = len({row[0] for row in rows}) >= STARTS and self._history.best(1)
        with self._blas.limit(limits=1, user_api="blas"):  # matrices are small, and other cores are busy with trials
            proposal = self._drawn(rows, rng) if guided else Proposal(u=self._start(rng), origin="random")
        self.restore(trial, proposal.u)
        return proposal

    def restore(self, trial: int, u: FloatArray) -> None:
        """A trial's point; see `Searcher`."""
        super().restore(trial, u)
        if self._pool is not None:
            self._taken[int(np.argmin(((self._pool - u) ** 2).sum(axis=1)))] = True

    def _start(self, rng: np.random.Generator) -> FloatArray:
        if self._pool is None:
            return rng.random(self._dimensions)
        left = np.flatnonzero(~self._taken)
        return self._pool[left[int(len(left) * rng.random())]] if len(left) else rng.random(self._dimensions)

    def _rows(self) -> list[tuple[int, int, float]]:
        rows = sorted(self._history.rows())
        if len(rows) <= MOST_ROWS:
            return rows
        best = set(self._history.best(MOST_ROWS // 8))
        kept = [row for row in rows if row[0] in best]
        others = [row for row in rows if row[0] not in best]
        return kept + others[-max(0, MOST_ROWS - len(kept)) :]

    def _drawn(self, rows: list[tuple[int, int, float]], rng: np.random.Generator) -> Proposal:
        step = max(row[1] for row in rows)
        t = np.log([1.0 + row[1] for row in rows]) / math.log(3.0)
        y = normal_scores(np.array([row[2] for row in rows]))
        process = self._fresh(rows, t, y, rng)
        place = {trial: n for n, trial in enumerate(self._order)}
        owner = np.array([place[row[0]] for row in rows])
        sets = self._candidates(process, rng)
        drawn = process.draw(owner, t, y, sets, math.log(1.0 + step) / math.log(3.0), rng)
        values = np.concatenate(drawn)
        values[: len(self._taken)][self._taken] = math.inf
        best = int(np.argmin(values))
        if best < len(self._taken):
            self._taken[best] = True
        u = np.concatenate([one.u for one in sets])[best]
        return Proposal(u=u, origin="model", numbers={"rows": len(rows), "step": step})

    def _fresh(
        self, rows: list[tuple[int, int, float]], t: FloatArray, y: FloatArray, rng: np.random.Generator
    ) -> Process:
        """The process that knows all trials of the rows, its kernel fitted anew when they have become many more."""
        points = self._history.points
        if self._process is None or len(rows) >= REFIT * self._fitted:
            u = np.array([points[row[0]] for row in rows])
            some = np.sort(rng.permutation(len(rows))[:MOST_FITTED])
            self._kernel = fit(u[some], t[some], y[some], self._kernel)
            self._fitted = len(rows)
            self._process = Process(self._kernel, self._dimensions, rng)
            wide = rng.random((WIDE, self._dimensions)) if self._pool is None else self._pool
            self._wide = Candidates(wide, self._process)
            if self._pool is None:
                self._taken = np.zeros(WIDE, bool)
            self._order = []
        known = set(self._order)
        self._order += sorted({row[0] for row in rows} - known)
        self._process.follow(np.array([points[trial] for trial in self._order]))
        return self._process

    def _candidates(self, process: Process, rng: np.random.Generator) -> list[Candidates]:
        assert self._wide is not None
        if self._pool is not None:
            return [self._wide]
        best = np.array([self._history.points[trial] for trial in self._history.best(8)])
        parents = best[(len(best) * rng.random(CLOSE)).astype(int)]
        widths = 10.0 ** rng.uniform(-2, -0.5, (CLOSE, 1))
        steps = reflected(parents + widths * rng.standard_normal(parents.shape))
        moved = rng.random(parents.shape) < 0.5
        moved[np.arange(CLOSE), rng.integers(0, self._dimensions, CLOSE)] = True
        steps[:, self._unordered] = rng.random((CLOSE, len(self._unordered)))
        return [self._wide, Candidates(np.where(moved, steps, parents), process)]


def normal_scores(values: FloatArray) -> FloatArray:
    """Values by their ranks, as quantiles of the standard normal: outliers and divergence lose their power."""
    order = np.argsort(values, kind="stable")
    same = np.searchsorted(values[order], values, side="left") + np.searchsorted(values[order], values, side="right")
    found: FloatArray = ndtri((0.5 * same) / len(values))
    return found
