"""Asks a cluster's autoscaler for room, for as many leases as a sweep could run at a time.

Ray knows one such request for the whole cluster, that of whoever asked last, and keeps it when its driver has died. So
one actor speaks for the sweeps of all drivers: it adds up what they want, and outlives each of them; of a driver that
is silent it forgets what it wanted. It ends when nobody wants anything any more, and takes the request back before.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from caviar_workers.room_wanted import SILENT_S, RoomWanted

_NAME, _NAMESPACE = "caviar-room-1", "caviar"
"""Of the actor; the number counts what drivers of different versions of Caviar would not understand of each other."""
AGAIN_S = 5.0
"""Seconds between two words of a driver."""
_LAST_S = 2.0
"""Seconds that the end of a sweep waits until its wish is taken back."""


class ClusterDemand:
    """What one driver wants of a cluster; nothing is asked as long as there is room enough.

    Args:
        bundle: What a lease needs, by Ray's names.
    """

    def __init__(self, bundle: Mapping[str, float]) -> None:
        self._bundle = {name: amount for name, amount in bundle.items() if amount > 0}
        self._driver = uuid.uuid4().hex
        self._board: Any = None
        self._answer: Any = None
        self._due = 0.0

    def want(self, leases: int, slots: int) -> None:
        """Say how many leases would run at a time if there were room, and how many there is room for; never waits."""
        if (self._board is None and leases <= slots) or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + AGAIN_S
        try:
            if self._answer is not None and ray.wait([self._answer], timeout=0)[0]:
                ray.get(self._answer)
            self._board = self._board or _board()
            self._answer = self._board.want.remote(self._driver, self._bundle, leases)
        except (RayError, ValueError):  # it has just ended, or its node has died
            self._board = self._answer = None

    def close(self) -> None:
        """Want nothing any more."""
        if self._board is not None:
            with suppress(RayError, ValueError):
                ray.get(self._board.want.remote(self._driver, self._bundle, 0), timeout=_LAST_S)
            self._board = None


def _board() -> Any:
    """The actor, which is made where there is none."""

    class Board:  # within a function it travels by value
        def __init__(self) -> None:
            self._wanted = RoomWanted()
            self._asked: list[Mapping[str, float]] = []
            self._lock = threading.Lock()
            threading.Thread(target=self._forget, daemon=True).start()

        def want(self, driver: str, bundle: Mapping[str, float], count: int) -> None:
            with self._lock:
                self._wanted.want(driver, bundle, count, time.monotonic())
                self._ask()

        def _ask(self) -> None:
            from ray.autoscaler.sdk import request_resources  # noqa: PLC0415

            bundles = self._wanted.bundles(time.monotonic())
            if bundles != self._asked:
                self._asked = bundles
                request_resources(bundles=[dict(one) for one in bundles])

        def _forget(self) -> None:
            began = time.monotonic()
            while True:
                time.sleep(1.0)
                with self._lock:
                    self._ask()
                    if not self._asked and time.monotonic() - max(began, self._wanted.heard) > SILENT_S:
                        ray.kill(ray.get_runtime_context().current_actor)
                        return

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    actor = ray.remote(num_cpus=0, max_restarts=-1)(Board)
    return actor.options(
        name=_NAME, namespace=_NAMESPACE, lifetime="detached", get_if_exists=True, scheduling_strategy=here
    ).remote()
