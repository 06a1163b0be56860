"""The points of the trials, in their order: the sampler's, without those whose configuration the constraint rejects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from caviar.errors import SpecError
from caviar.search.samplers.listed import typed
from caviar.search.samplers.sampler import Sampler
from caviar.space import Space
from caviar.space.scale import FloatArray, IntArray
from caviar_workers.messages import row_of

Constraint: TypeAlias = Callable[[Mapping[str, Any]], Any]

MOST_REJECTED = 10_000
"""Draws after which an accepted share below `LEAST` is an error."""
LEAST = 1e-3
_CHUNK = 4096
_FEW = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPoints:
    """The points of n trials."""

    index: IntArray
    """Raw index of each in the sampler, from 0, increasing, int64 [n]."""
    u: FloatArray
    """Float64 [n, d]."""


class AcceptedPoints:
    """Reads a sampler from its beginning, once, and skips what the constraint rejects.

    Point i is a pure function of the sampler, i and the constraint, however the reading is cut up. Skipping costs a
    call of the constraint for every raw point before it.

    Args:
        sampler: where points come from.
        space: turns them into configurations.
        constraint: says whether a configuration may be tried; None: any may.
    """

    def __init__(self, sampler: Sampler, space: Space, constraint: Constraint | None = None) -> None:
        self._sampler = sampler
        self._space = space
        self._constraint = constraint
        self._ready: list[TrialPoints] = []
        self.drawn = 0
        """Raw points looked at."""
        self.rejected = 0
        """Of these, the ones rejected."""

    def take(self, count: int) -> TrialPoints:
        """Return the next `count` points.

        Raises:
            SpecError: the constraint raised or gave no answer, rejects nearly all, or the sampler has no more points.
        """
        if self._constraint is None:
            self.drawn += count
            start = self.drawn - count
            return TrialPoints(index=np.arange(start, self.drawn), u=self._sampler.points(start, count))
        while (have := sum(len(one.index) for one in self._ready)) < count:
            self._ready.append(self._more(min(_CHUNK, max(_FEW, 2 * (count - have)))))
        index = np.concatenate([one.index for one in self._ready] or [np.empty(0, np.int64)])
        u = np.concatenate([one.u for one in self._ready] or [np.empty((0, len(self._space)))])
        self._ready = [TrialPoints(index=index[count:], u=u[count:])]
        return TrialPoints(index=index[:count], u=u[:count])

    def _more(self, wanted: int) -> TrialPoints:
        size, start = self._sampler.size, self.drawn
        left = wanted if size is None else min(wanted, size - start)
        if left <= 0:
            raise SpecError(
                f"The {self._sampler.name} sampler has {size:,} points, of which the constraint rejects "
                f"{self.rejected:,}; ask for fewer trials, or loosen it"
            )
        u = self._sampler.points(start, left)
        columns = self._space.columns(u, typed(self._sampler.own, np.arange(start, start + left)))
        rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
        if self._space.conditional:
            rows = (row_of(columns, i) for i in range(left))
        kept = np.array([self._allowed(row, start + i) for i, row in enumerate(rows)], dtype=np.bool_)
        listed = max(0, len(self._sampler.own) - start)
        if not kept[:listed].all():
            worst = int(np.argmin(kept))
            raise SpecError(f"The constraint rejects first[{start + worst}]: {_shown(row_of(columns, worst))}")
        self.drawn += left
        self.rejected += int(left - kept.sum())
        if self.drawn >= MOST_REJECTED and self.drawn - self.rejected < LEAST * self.drawn:
            raise SpecError(
                f"The constraint rejected {self.rejected:,} of the first {self.drawn:,} configurations drawn; "
                f"loosen it, or narrow the space to where it holds"
            )
        return TrialPoints(index=np.flatnonzero(kept) + start, u=u[kept])

    def _allowed(self, config: dict[str, Any], index: int) -> bool:
        assert self._constraint is not None
        try:
            answer = self._constraint(config)
            if answer is not None:
                return bool(answer)
        except Exception as error:
            raise SpecError(
                f"The constraint raised {type(error).__name__}: {error} ({_drawn(index, config)})"
            ) from error
        raise SpecError(f"The constraint must return True or False, got None ({_drawn(index, config)})")


def _drawn(index: int, config: Mapping[str, Any]) -> str:
    return f"draw {index}: {_shown(config)}"


def _shown(config: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={value!r}" for name, value in config.items()
    )
