"""The covariance of learning curves over points u and times t, its fit, and a Cholesky factor that is kept up.

k((u, t), (u', t')) = a · M(u, u') · R(t, t') + b · S(t, t') + noise: M is a Matérn-5/2 kernel with a length for each
coordinate, R and S are Gaussian. So curves of near points are alike, near times more so, and all curves share a trend.
Lengths and amplitudes are the most probable ones under broad priors (Rasmussen and Williams 2006, "Gaussian processes
for machine learning", chapter 5).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from caviar.search.searchers.searcher import FloatArray

Key = tuple[int, float]
"""A row's trial and time."""


class Factor:
    """The lower factor of a covariance of keyed rows, in the order in which they came."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self._lower = np.empty((0, 0), order="F")

    def keep(self, wanted: Iterable[Key]) -> int:
        """Forget all rows from the first one that is not wanted any more; returns how many are left."""
        wanted = set(wanted)
        left = next((k for k, key in enumerate(self.keys) if key not in wanted), len(self.keys))
        if left < len(self.keys):
            self._lower = np.asfortranarray(self._lower[:left, :left])
            del self.keys[left:]
        return left

    def grow(self, keys: list[Key], across: FloatArray, own: FloatArray) -> None:
        """Take new rows in.

        Args:
            keys: Theirs, [k].
            across: Covariances with the rows that are there, [n, k].
            own: Covariances among them, [k, k]; overwritten.

        Raises:
            numpy.linalg.LinAlgError: The covariance is not positive definite.
        """
        n, size = len(self.keys), len(self.keys) + len(keys)
        lower = np.zeros((size, size), order="F")
        lower[:n, :n] = self._lower
        if n:
            below = solve_triangular(self._lower, across, lower=True, check_finite=False).T
            lower[n:, :n] = below
            own -= below @ below.T
        lower[n:, n:] = cholesky(own, lower=True, overwrite_a=True, check_finite=False)
        self._lower = lower
        self.keys += keys

    def solve(self, right: FloatArray) -> FloatArray:
        """The inverse of the covariance times a vector, [n]."""
        found: FloatArray = cho_solve((self._lower, True), right, check_finite=False)
        return found


_ROOT5 = math.sqrt(5.0)
TREND = 3.0
"""Length of the common trend, in units of t."""
JITTER = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """Amplitudes are variances; lengths are in u and in t."""

    lengths: FloatArray
    """[d]."""
    time: float
    amplitude: float
    trend: float
    noise: float

    @classmethod
    def prior(cls, dimensions: int) -> Kernel:
        """Return the kernel in the middle of the priors."""
        return cls._of(_middle(dimensions))

    @classmethod
    def _of(cls, theta: FloatArray) -> Kernel:
        values = np.exp(theta)
        return cls(
            lengths=values[:-4],
            time=float(values[-4]),
            amplitude=float(values[-3]),
            trend=float(values[-2]),
            noise=float(values[-1]),
        )

    def theta(self) -> FloatArray:
        """Logarithms of all settings, [d + 4]."""
        return np.log([*self.lengths, self.time, self.amplitude, self.trend, self.noise])

    def near(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """M of points [n, d] and [m, d]: [n, m]."""
        r = np.sqrt(_squares(u / self.lengths, v / self.lengths)) * _ROOT5
        found: FloatArray = (1.0 + r + r * r / 3.0) * np.exp(-r)
        return found

    def soon(self, t: FloatArray, s: FloatArray) -> FloatArray:
        """R of times [n] and [m]: [n, m]."""
        return _gauss(t, s, self.time)

    def drift(self, t: FloatArray, s: FloatArray) -> FloatArray:
        """S of times [n] and [m], with its amplitude: [n, m]."""
        return self.trend * _gauss(t, s, TREND)


def fit(u: FloatArray, t: FloatArray, y: FloatArray, start: Kernel, steps: int = 12) -> Kernel:
    """The most probable kernel.

    Args:
        u: Points, [n, d].
        t: Times, [n].
        y: Values, about standard normal, [n].
        start: Where to begin.
        steps: Of L-BFGS.
    """
    middle, spread = _middle(u.shape[1]), _spread(u.shape[1])
    squared = (t[:, None] - t[None, :]) ** 2
    trend = np.exp(-0.5 * squared / TREND**2)

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        value, slope = _likelihood(theta, u, squared, trend, y)
        off = (theta - middle) / spread
        return value + 0.5 * float(off @ off), slope + off / spread

    bounds = list(zip(middle - 3 * spread, middle + 3 * spread, strict=True))
    begin = np.clip(start.theta(), middle - 2.9 * spread, middle + 2.9 * spread)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})
    return Kernel._of(found.x)


def _likelihood(
    theta: FloatArray, u: FloatArray, squared: FloatArray, trend: FloatArray, y: FloatArray
) -> tuple[float, FloatArray]:
    """Negative log likelihood (but for a constant) and its slope, [d + 4]."""
    kernel = Kernel._of(theta)
    scaled = u / kernel.lengths
    r = np.sqrt(_squares(scaled, scaled)) * _ROOT5
    decay = np.exp(-r)
    soon = np.exp(-0.5 * squared / kernel.time**2)
    near = (1.0 + r + r * r / 3.0) * decay
    own = kernel.amplitude * near * soon
    covariance = own + kernel.trend * trend
    covariance.flat[:: len(y) + 1] += kernel.noise + JITTER
    factor = cho_factor(covariance, lower=True, overwrite_a=True, check_finite=False)
    alpha = cho_solve(factor, y, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(y)), check_finite=False)
    weights = 0.5 * (inverse - np.outer(alpha, alpha))
    value = 0.5 * float(y @ alpha) + float(np.log(np.diag(factor[0])).sum())
    pull = weights * soon * decay * (1.0 + r) * (kernel.amplitude * 5.0 / 3.0)
    lengths = 2.0 * (pull.sum(axis=1) @ scaled**2 - np.einsum("nd,nd->d", scaled, pull @ scaled))
    slope = np.array(
        [
            *lengths,
            float((weights * own * squared).sum()) / kernel.time**2,
            float((weights * own).sum()),
            float((weights * trend).sum()) * kernel.trend,
            float(np.trace(weights)) * kernel.noise,
        ]
    )
    return value, slope


def _middle(dimensions: int) -> FloatArray:
    return np.log([*[0.7] * dimensions, 3.0, 0.7, 0.5, 0.05])


def _spread(dimensions: int) -> FloatArray:
    return np.array([*[0.9] * dimensions, 0.7, 0.6, 0.8, 1.0])


def _squares(u: FloatArray, v: FloatArray) -> FloatArray:
    found: FloatArray = (u * u).sum(axis=1)[:, None] + (v * v).sum(axis=1)[None, :] - 2.0 * (u @ v.T)
    return np.maximum(found, 0.0, out=found)


def _gauss(t: FloatArray, s: FloatArray, length: float) -> FloatArray:
    found: FloatArray = np.exp(-0.5 * ((t[:, None] - s[None, :]) / length) ** 2)
    return found
