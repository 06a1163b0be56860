"""Who ran when: lanes in which no two trials overlap, and how busy the slots were."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.results.report.scales import MISSING
from caviar.results.report.trial_rows import FloatArray, IntArray, TrialRows, fetched

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep

MOST_BARS = 2000
"""Trials that are shown as bars; of more, how busy the slots were is shown."""
MOST_LANES = 64
PARTS = 240
"""Stretches of time in which it is looked at."""


def lanes(started: FloatArray, ended: FloatArray) -> IntArray:
    """The lane of each of n stretches, [n]: the lowest that is free when it begins; −1: its times are not known."""
    found = np.full(len(started), -1)
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    for row in np.argsort(started, kind="stable").tolist():
        begin, end = float(started[row]), float(ended[row])
        if math.isnan(begin + end):
            continue
        while busy and busy[0][0] <= begin:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (max(end, begin), lane))
        found[row] = lane
    return found


def slot_column(rows: TrialRows, now: float) -> np.ndarray:
    """The column `slot`: lanes of the timeline; `now` is where those end that run, in seconds since the beginning.

    There are none where the trials, or the lanes, are too many to be told apart: of a sweep that pauses trials, one
    that waits keeps its lane.
    """
    if rows.count > MOST_BARS:
        return np.full(rows.count, MISSING, np.uint16)
    ended = np.where(np.isnan(rows.ended), now, rows.ended)
    found = lanes(rows.started, ended)
    if not len(found) or found.max() >= MOST_LANES:
        return np.full(rows.count, MISSING, np.uint16)
    return np.where(found < 0, MISSING, found).astype(np.uint16)


@dataclass(frozen=True, kw_only=True)
class SlotUse:
    """How the slots of a sweep were used.

    Attributes:
        slots: trials that ran at once, at most.
        share: of the time of so many slots that was used.
        seconds: from the beginning to the last end.
        parts: the share in each stretch of that time, [PARTS].
    """

    slots: int
    share: float
    seconds: float
    parts: FloatArray


def slot_use(opened: OpenSweep, rows: TrialRows) -> SlotUse | None:
    """How the slots of a sweep were used; None: nobody knows, as of imported trials."""
    found = fetched(
        opened,
        "WITH newest AS (SELECT max(coalesce(ended, started)) AS moment FROM attempts) SELECT epoch_ms(started) AS a, "
        "epoch_ms(coalesce(ended, moment)) AS b FROM attempts, newest WHERE started IS NOT NULL",
    )
    if rows.began is None or not len(found["a"]):
        return None
    begin, end = (np.asarray(found[name], np.float64) - rows.began for name in ("a", "b"))
    end = np.maximum(begin, end)
    high = float(end.max())
    moments = np.concatenate([begin, end])
    change = np.repeat([1, -1], len(begin))
    order = np.lexsort((change, moments))  # who ends makes room first
    at_once = np.cumsum(change[order])
    slots = int(at_once.max())
    if high <= 0 or slots <= 0:
        return None
    edges = np.linspace(0.0, high, PARTS + 1)
    used = _until(edges, end, begin)
    parts = used / (np.diff(edges) * slots)
    return SlotUse(slots=slots, share=float(used.sum() / (high * slots)), seconds=high / 1000, parts=parts)


def _until(edges: FloatArray, end: FloatArray, begin: FloatArray) -> FloatArray:
    """The time that was used between neighbouring edges."""

    def before(moments: Any) -> FloatArray:
        """Sum over these moments of the time from each to each edge, where that is later."""
        ordered = np.sort(moments)
        sums = np.concatenate([[0.0], np.cumsum(ordered)])
        count = np.searchsorted(ordered, edges)
        return np.asarray(count * edges - sums[count])

    return np.diff(before(begin) - before(end))
