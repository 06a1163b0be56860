"""What the mailbox of a sweep's leases takes with many slots: CPU of its process and of Ray's GCS, memory, and delay.

The leases are pretended: this process asks for all of them. Each lasts a minute, so that in each second a sixtieth of
them ends and as many begin; half of them are told to stop. Beside it, the same two processes while nobody asks.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import deque
from typing import Any

import psutil
import ray

from caviar.run.executors.ray_mailbox import NAMESPACE, RayMailbox
from caviar.run.executors.ray_session import RaySession
from caviar_workers.messages import Message
from caviar_workers.states import Action

TICK_S = 0.1


def used(processes: list[psutil.Process]) -> list[float]:
    """CPU seconds of each process."""
    return [sum(one.cpu_times()[:2]) for one in processes]


class Leases:
    """Pretended leases that each have a question open."""

    def __init__(self, mailbox: RayMailbox, slots: int, lasts_s: float) -> None:
        self._mailbox = mailbox
        self._actor: Any = ray.get_actor(mailbox.address, namespace=NAMESPACE)
        self._open: deque[tuple[int, Any]] = deque()
        self._each_s = lasts_s / slots
        self._next = 0
        self.delays: list[float] = []
        for _ in range(slots):
            self._begin()

    def _begin(self) -> None:
        self._open.append((self._next, self._actor.fetch.remote(self._next).future()))
        self._next += 1

    def run(self, seconds: float) -> None:
        """Let leases end and begin for a while."""
        began = time.monotonic()
        turned = 0
        while (now := time.monotonic()) < began + seconds:
            while turned < (now - began) / self._each_s:
                turned += 1
                self._turn()
            self._mailbox.tell_ended()
            time.sleep(TICK_S)

    def end(self) -> None:
        """End them all."""
        ray.get(self._actor.end.remote([lease for lease, _ in self._open]))
        for _, question in self._open:
            question.result()

    def _turn(self) -> None:
        lease, question = self._open.popleft()
        if lease % 2:
            told = time.monotonic()
            self._mailbox.put(lease, Message(trial=lease, attempt=0, action=Action.STOP, decision=lease))
            question.add_done_callback(lambda _: self.delays.append(time.monotonic() - told))
        self._mailbox.ended(lease)
        self._begin()


def measure(slots: int, seconds: float, lasts_s: float) -> None:
    """Measure one number of slots, and print both sides."""
    mailbox = RayMailbox()
    mailbox.make()
    actor: Any = ray.get_actor(mailbox.address, namespace=NAMESPACE)
    process = psutil.Process(ray.get(actor.__ray_call__.remote(lambda _: os.getpid())))
    gcs = next(one for one in psutil.process_iter() if one.name() == "gcs_server")
    time.sleep(3)
    before = used([process, gcs])
    time.sleep(seconds)
    idle = [100 * (after - first) / seconds for first, after in zip(before, used([process, gcs]), strict=True)]
    leases = Leases(mailbox, slots, lasts_s)
    ray.get(actor.end.remote([]))
    time.sleep(3)
    before, began = used([process, gcs]), time.monotonic()
    leases.run(seconds)
    took = time.monotonic() - began
    busy = [100 * (after - first) / took for first, after in zip(before, used([process, gcs]), strict=True)]
    print(
        f"{slots:>6} slots: mailbox {busy[0]:.1f} % of a core (nobody asks: {idle[0]:.1f} %), GCS {busy[1]:.1f} % "
        f"({idle[1]:.1f} %), {process.memory_info().rss / 1e6:.0f} MB; a message arrives after "
        f"{1000 * statistics.median(leases.delays):.0f} ms, {1000 * max(leases.delays):.0f} ms at most of "
        f"{len(leases.delays)}",
        flush=True,
    )
    leases.end()
    mailbox.close()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--lasts", type=float, default=60.0, help="seconds that a lease lasts")
    given = parser.parse_args()
    with RaySession(cpus=1):
        for slots in given.slots:
            measure(slots, given.seconds, given.lasts)


if __name__ == "__main__":
    main()
