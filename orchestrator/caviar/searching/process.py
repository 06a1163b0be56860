"""Draws of whole functions from a Gaussian process, given rows: what the table of final values might be.

A draw is a draw of the prior, made of random Fourier features (Rahimi and Recht 2007), moved to the data by Matheron's
rule (Wilson, Borovitskiy, Terenin, Mostowsky and Deisenroth 2020, "Efficiently sampling functions from Gaussian process
posteriors", section 3). It costs one Cholesky factorisation of the rows and products of matrices, however many
candidates there are. What hangs on points alone is kept from draw to draw while the kernel stays.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from caviar.searching.kernel import JITTER, TREND, Kernel
from caviar.searching.searcher import FloatArray

FEATURES = 400
_TREND_FEATURES = 40


class Candidates:
    """Points that may be drawn, and what the process needs of them: features, and covariances with trials."""

    def __init__(self, u: FloatArray, process: Process) -> None:
        self.u = u
        self.phases = u @ process.frequencies
        self.near = np.empty((len(u), 0))
        self._features = -1.0, np.empty((0, 0))

    def features(self, process: Process, at: float) -> FloatArray:
        """The process's features at time `at`, [n, FEATURES]; kept for the next draw at the same time."""
        if self._features[0] != at:
            self._features = at, np.cos(self.phases + process.shifts(at))
        return self._features[1]

    def follow(self, process: Process) -> None:
        """Add the covariances with trials that are new."""
        new = process.points[self.near.shape[1] :]
        if len(new):
            self.near = np.concatenate([self.near, process.kernel.near(self.u, new)], axis=1)


class Process:
    """One kernel, and the trials' points under it.

    Args:
        kernel: Its settings.
        dimensions: d.
        rng: Draws the features.
    """

    def __init__(self, kernel: Kernel, dimensions: int, rng: np.random.Generator) -> None:
        self.kernel = kernel
        tails = np.sqrt(5.0 / rng.chisquare(5.0, size=FEATURES))  # Matérn 5/2: a multivariate t of 5 degrees
        self.frequencies = rng.standard_normal((dimensions, FEATURES)) * tails / kernel.lengths[:, None]
        self._times = rng.standard_normal(FEATURES) / kernel.time
        self._offsets = rng.uniform(0.0, 2 * np.pi, FEATURES)
        self._drifts = rng.standard_normal(_TREND_FEATURES) / TREND
        self._starts = rng.uniform(0.0, 2 * np.pi, _TREND_FEATURES)
        self.points = np.empty((0, dimensions))
        self._phases = np.empty((0, FEATURES))
        self._near = np.empty((0, 0))

    def follow(self, points: FloatArray) -> None:
        """Take in the points of all trials that have rows, [n, d]; those known are its first ones, unchanged."""
        known, new = len(self.points), points[len(self.points) :]
        if not len(new):
            return
        self._phases = np.concatenate([self._phases, new @ self.frequencies])
        across = self.kernel.near(points, new)
        grown = np.empty((len(points), len(points)))
        grown[:known, :known] = self._near
        grown[:, known:] = across
        grown[known:, :] = across.T
        self._near, self.points = grown, points

    def shifts(self, at: float) -> FloatArray:
        """What time `at` adds to the phases, [FEATURES]."""
        return at * self._times + self._offsets

    def draw(
        self,
        owner: np.ndarray,
        t: FloatArray,
        y: FloatArray,
        sets: list[Candidates],
        at: float,
        rng: np.random.Generator,
    ) -> list[FloatArray]:
        """One function's values at time `at`, of all candidates, but for a constant.

        Args:
            owner: Position of each row's trial, [n].
            t: Each row's time, [n].
            y: Each row's value, [n].
            sets: Candidates.
            at: The time.
            rng: Draws the function.

        Returns:
            For each set, [its candidates].
        """
        kernel = self.kernel
        weights = rng.standard_normal(FEATURES) * np.sqrt(2.0 * kernel.amplitude / FEATURES)
        drifts = rng.standard_normal(_TREND_FEATURES) * np.sqrt(2.0 * kernel.trend / _TREND_FEATURES)
        prior = np.cos(self._phases[owner] + np.outer(t, self._times) + self._offsets) @ weights
        prior += np.cos(np.outer(t, self._drifts) + self._starts) @ drifts
        noise = rng.standard_normal(len(y)) * np.sqrt(kernel.noise)
        covariance = kernel.amplitude * self._near[np.ix_(owner, owner)] * kernel.soon(t, t) + kernel.drift(t, t)
        covariance.flat[:: len(y) + 1] += kernel.noise + JITTER
        factor = cho_factor(covariance, lower=True, overwrite_a=True, check_finite=False)
        moved = cho_solve(factor, y - prior - noise, check_finite=False)
        pulls = kernel.amplitude * kernel.soon(t, np.array([at]))[:, 0] * moved
        pull = np.bincount(owner, pulls, minlength=len(self.points))
        drawn = []
        for candidates in sets:
            candidates.follow(self)
            drawn.append(candidates.features(self, at) @ weights + candidates.near @ pull)
        return drawn
