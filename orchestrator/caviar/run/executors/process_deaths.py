"""What a lease's process died of, when it said nothing: its node is asked.

The kernel counts the processes that it kills for want of memory, and says not whom; so its count is held against the
one at the beginning of the lease. A node that does not answer may have died itself. Where a lease ran that died before
its first word was heard, nobody knows: it is taken for one of a node that left the cluster about then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from caviar.run.executors.executor import LeaseEnded, LeaseFailure
from caviar_workers.oom_count import OomCount

ANSWER_S = 5.0
"""Seconds that a node has for its answer; without one, a death is just a death."""
_LOOK_S = 0.5
NO_MEMORY = "the machine ran out of memory and its kernel killed the trial's process"
NODE_DIED = "the node that ran the trial died, or was cut off"


class ProcessDeaths:
    """Keeps the counts of running leases, and the ends of those that wait for an answer.

    Each process that the kernel killed accounts for one death: of two that follow one another, one kill explains one.
    What it kills beside our leases, such as a subprocess of train, may be mistaken for a lease that dies after it.

    Args:
        ask: Asks a node for the present count, and returns at once with what stands for the answer.
        living: The nodes of the cluster, by their ids.
    """

    def __init__(self, ask: Callable[[OomCount], Any], living: Callable[[], Collection[str]]) -> None:
        self._ask = ask
        self._living = living
        self._forgone: set[int] = set()
        self._unheard: list[tuple[LeaseEnded, Collection[str], float]] = []
        self._next_look = 0.0
        self._before: dict[int, OomCount] = {}
        self._open: dict[Any, tuple[LeaseEnded, OomCount, float]] = {}
        self._accounted: dict[tuple[str, str], int] = {}

    @property
    def answers(self) -> Collection[Any]:
        """The answers of nodes that are to come."""
        return self._open.keys()

    def begin(self, lease: int, before: OomCount) -> None:
        """A lease begins where the count is this."""
        self._before[lease] = before

    def forgo(self, lease: int) -> None:
        """Ask nothing about a lease that is about to be killed: what it dies of is known."""
        self._before.pop(lease, None)
        self._forgone.add(lease)

    def end(self, ended: LeaseEnded, *, crashed: bool, nodes: Collection[str] = ()) -> bool:
        """A lease ended; whether its end is to be told only later.

        Args:
            ended: Its end.
            crashed: Whether its process died of itself.
            nodes: Those that the cluster had shortly before.
        """
        before, known = self._before.pop(ended.lease, None), ended.lease in self._forgone
        self._forgone.discard(ended.lease)
        if not crashed or known:
            return False
        if before is None:
            if len(nodes) > 1:
                self._unheard.append((ended, nodes, time.monotonic() + ANSWER_S))
            return len(nodes) > 1
        self._open[self._ask(before)] = ended, before, time.monotonic() + ANSWER_S
        return True

    def due(self, ready: Collection[Any]) -> list[Any]:
        """Return the answers that are ready, and those that are not waited for any longer."""
        now = time.monotonic()
        return [answer for answer, (*_, until) in self._open.items() if answer in ready or now >= until]

    def unheard(self) -> list[LeaseEnded]:
        """Return the ends of leases that had not been heard of, as soon as it can be told whether a node died."""
        now = time.monotonic()
        if not self._unheard or now < self._next_look:
            return []
        self._next_look = now + _LOOK_S
        living = set(self._living())
        found, self._unheard = self._unheard, []
        told = []
        for ended, nodes, until in found:
            if not living.issuperset(nodes):
                told.append(replace(ended, kind=LeaseFailure.NODE, failure=NODE_DIED))
            elif now >= until:
                told.append(ended)
            else:
                self._unheard.append((ended, nodes, until))
        return told

    def conclude(self, answer: Any, count: int | None) -> LeaseEnded:
        """Return the end of the lease that an answer is about; `count` is None if the answer did not come."""
        ended, before, _ = self._open.pop(answer)
        place = before.node, before.file
        known = max(before.count, self._accounted.get(place, before.count))
        if count is not None and count > known:
            self._accounted[place] = known + 1
            return replace(ended, kind=LeaseFailure.OOM, failure=NO_MEMORY)
        if count is None and before.node not in self._living():
            return replace(ended, kind=LeaseFailure.NODE, failure=NODE_DIED)
        return ended
