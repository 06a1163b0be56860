"""What a trial reported in earlier attempts, as far as it counts for the attempt that goes on from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Last value and extremes of one metric; None: no such value."""

    last: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """A curve up to a checkpoint, summed up. An attempt that loads the checkpoint carries it on."""

    diverged: bool = False
    """The objective was NaN or infinite there."""
    metrics: Mapping[str, Summary] = field(default_factory=dict)
    """Of the metrics that were reported there."""
