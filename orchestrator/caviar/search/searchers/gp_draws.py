"""Draws of whole functions from a Gaussian process, given rows: what the table of final values might be.

A draw is a draw of the prior, made of random Fourier features (Rahimi and Recht 2007), moved to the data by Matheron's
rule (Wilson, Borovitskiy, Terenin, Mostowsky and Deisenroth 2020, "Efficiently sampling functions from Gaussian process
posteriors", section 3). It costs the factor of the rows' covariance and products of matrices and vectors, however many
candidates there are. All that hangs on points and times alone, the factor included, is kept from draw to draw while the
kernel stays.
"""

from __future__ import annotations

import numpy as np

from caviar.search.searchers.gp_kernel import JITTER, TREND, Factor, Kernel
from caviar.search.searchers.searcher import FloatArray

WAVES = 200
_TREND_WAVES = 20


class Candidates:
    """Points that may be drawn, and what the process needs of them: waves, and covariances with trials.

    In single precision: what it takes away is a thousandth of the noise, and half the time of a draw.
    """

    def __init__(self, u: FloatArray, process: Process) -> None:
        self.u = u
        self.waves = _waves((u @ process.frequencies).astype(np.float32))
        self._near = np.empty((64, len(u)), np.float32)
        self._trials = 0

    def follow(self, process: Process) -> None:
        """Add the covariances with trials that are new."""
        new = process.points[self._trials :]
        if self._trials + len(new) > len(self._near):
            self._near = np.resize(self._near, (2 * (self._trials + len(new)), len(self.u)))
        self._near[self._trials : self._trials + len(new)] = process.kernel.near(new, self.u)
        self._trials += len(new)

    @property
    def near(self) -> np.ndarray:
        """Covariances with the process's trials, of amplitude 1, [trials, n]."""
        return self._near[: self._trials]


class Process:
    """One kernel, and the trials' points under it.

    Args:
        kernel: Its settings.
        dimensions: d.
        rng: Draws the frequencies.
    """

    def __init__(self, kernel: Kernel, dimensions: int, rng: np.random.Generator) -> None:
        self.kernel = kernel
        tails = np.sqrt(5.0 / rng.chisquare(5.0, size=WAVES))  # Matérn 5/2: a multivariate t of 5 degrees
        self.frequencies = rng.standard_normal((dimensions, WAVES)) * tails / kernel.lengths[:, None]
        self._times = rng.standard_normal(WAVES) / kernel.time
        self._drifts = rng.standard_normal(_TREND_WAVES) / TREND
        self.points = np.empty((0, dimensions))
        self._phases = np.empty((0, WAVES))
        self._near = np.empty((0, 0))
        self._factor = Factor()
        self._waves = np.empty((0, 2 * WAVES + 2 * _TREND_WAVES))
        """Of the factor's rows, in its order: a draw of the prior is a combination of them."""

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
        weights = rng.standard_normal(2 * WAVES) * np.sqrt(kernel.amplitude / WAVES)
        drifts = rng.standard_normal(2 * _TREND_WAVES) * np.sqrt(kernel.trend / _TREND_WAVES)
        noise = rng.standard_normal(len(y)) * np.sqrt(kernel.noise)
        order = self._hold(owner, t)
        prior = self._waves @ np.concatenate([weights, drifts])
        moved = self._factor.solve((y - noise)[order] - prior)
        pulls = kernel.amplitude * kernel.soon(t[order], np.array([at]))[:, 0] * moved
        pull = np.bincount(owner[order], pulls, minlength=len(self.points)).astype(np.float32)
        later = self._turned(weights, at).astype(np.float32)
        drawn = []
        for candidates in sets:
            candidates.follow(self)
            drawn.append(candidates.waves @ later + pull @ candidates.near)
        return drawn

    def _turned(self, weights: FloatArray, at: float) -> FloatArray:
        """The weights at time 0 of waves that have these weights at time `at`: cos and sin of a sum, taken apart."""
        cos, sin = np.cos(at * self._times), np.sin(at * self._times)
        of_cos, of_sin = weights[:WAVES], weights[WAVES:]
        return np.concatenate([of_cos * cos + of_sin * sin, of_sin * cos - of_cos * sin])

    def _hold(self, owner: np.ndarray, t: FloatArray) -> np.ndarray:
        """Let the factor hold these rows and no others; returns where its rows are among them, [n]."""
        keys = list(zip(owner.tolist(), t.tolist(), strict=True))
        left = self._factor.keep(keys)
        place = {key: k for k, key in enumerate(keys)}
        known = np.array([place[key] for key in self._factor.keys], np.intp)
        new = np.setdiff1d(np.arange(len(keys)), known)
        if len(new):
            covariance = self._covariance(owner, t, known, new), self._covariance(owner, t, new, new)
            covariance[1].flat[:: len(new) + 1] += self.kernel.noise + JITTER
            self._factor.grow([keys[k] for k in new], *covariance)
            curves = _waves(self._phases[owner[new]] + np.outer(t[new], self._times))
            trends = _waves(np.outer(t[new], self._drifts))
            self._waves = np.concatenate([self._waves[:left], np.hstack([curves, trends])])
        return np.concatenate([known, new])

    def _covariance(self, owner: np.ndarray, t: FloatArray, a: np.ndarray, b: np.ndarray) -> FloatArray:
        """Return the covariance of rows `a` with rows `b`."""
        kernel = self.kernel
        near = self._near[np.ix_(owner[a], owner[b])]
        return kernel.amplitude * near * kernel.soon(t[a], t[b]) + kernel.drift(t[a], t[b])


def _waves(phases: np.ndarray) -> np.ndarray:
    """Cosines and sines, [n, 2 × waves]."""
    return np.hstack([np.cos(phases), np.sin(phases)])
