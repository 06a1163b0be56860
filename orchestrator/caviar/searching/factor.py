"""A Cholesky factor that follows its rows as they come and go: a few new rows cost n², not n³."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from caviar.searching.searcher import FloatArray

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
