"""How much of a core the driver of a large sweep takes, and how busy the slots are when its work takes time.

    python benchmarks/scale.py [--slots 300 1000 10000] [--rounds 3] [--seconds 60] [--reports 10] [--stopping asha]
        [--streams 100 1000] [--json FILE]

The real scheduler, recorder and writer, on virtual slots (`SimulatedExecutor`). What the driver computes takes virtual
time too: a slot that is free waits for it. The other side is the same sweep with a driver that takes no time. What Ray
does is not simulated; it is measured beside it, on a Ray of this machine: a look at so many streams (`ray.wait`), as
the drain has one. It rests nine times as long as a look took, so that looking takes a tenth of a core at most.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

from caviar.run.assembly import search_of
from caviar.run.engine.leases import window_of
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.executors.drain_interval import rest_after
from caviar.run.executors.executor import VirtualClock
from caviar.run.executors.ray_session import RaySession
from caviar.run.executors.simulated import SimulatedExecutor, Stage
from caviar.search.samplers import make_sampler
from caviar.space import Float, Int, Space
from caviar.spec.plan import Plan
from caviar.store import Store
from caviar.store.ownership import own
from caviar.store.writer import Writer
from pairs import machine, write_json

SPACE = Space({f"p{number}": Float(1e-4, 1.0, scale="log") for number in range(6)} | {"units": Int(1, 100)})
BUDGETS = {1000: 0.25, 10_000: 0.80}
"""Slots → the share of a core that the driver may take, drain included."""
LEAST_BUSY = 0.99


class Working:
    """The virtual clock, and on it what the driver has computed since it was last charged."""

    def __init__(self, clock: VirtualClock) -> None:
        self.time = clock.time
        self._clock = clock
        self._seen, self._began = clock.monotonic(), time.process_time()

    def monotonic(self) -> float:
        """Seconds, from the beginning of the sweep."""
        if (seen := self._clock.monotonic()) != self._seen:
            self._seen, self._began = seen, time.process_time()
        return seen + time.process_time() - self._began


def simulated(slots: int, asked: argparse.Namespace, folder: Path, *, charged: bool) -> dict[str, float]:
    """One sweep on virtual slots; whether the driver's work takes time."""

    def course(config: dict[str, Any], trial: Any) -> Iterator[Stage]:
        seconds = asked.seconds * (0.5 + random.Random(trial.number).random())
        for step in range(asked.reports):
            loss = config["p0"] * 0.9**step
            yield seconds / asked.reports, step, {"loss": loss, "accuracy": 1 - loss}

    trials = slots * asked.rounds
    plan = Plan(
        name="scale", metric="loss", mode="min", trials=trials, seed=0, space=SPACE, stopping=asked.stopping or ""
    )
    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    store = Store.open(folder / f"store-{slots}-{charged}", create=True)
    described = {"plan": plan.to_json(), "provenance": {}, "sampler_identity": sampler.identity()}
    executor = SimulatedExecutor(course, workers=slots, cpu=time.process_time if charged else None)
    search = search_of(plan, sampler, None)
    with own(store.create_sweep(described, b"")) as held, Writer(held.sweep, held.epoch) as writer:
        ports = Ports(executor=executor, sink=writer, clock=Working(executor.clock) if charged else executor.clock)
        began = executor.clock.time()
        scheduler = Scheduler(plan, held.sweep.id, search.source, ports, **search.judged, round_s=0.2)
        scheduler.run()
        took = executor.clock.time() - began
    return {
        "slots": slots,
        "trials": trials,
        "seconds": took,
        "load": executor.driver_s / took,
        "ms_a_trial": 1000 * executor.driver_s / trials,
    }


def look(streams: int) -> float:
    """CPU seconds of a look at streams that have nothing, on a Ray that is there."""
    import ray

    task = ray.remote(num_cpus=1, max_retries=0)(_nothing)
    waiting = [task.remote() for _ in range(streams)]
    times = []
    for _ in range(5):
        began = time.thread_time()
        ray.wait(waiting, num_returns=len(waiting), timeout=0, fetch_local=False)
        times.append(time.thread_time() - began)
    for one in waiting:
        ray.cancel(one, force=True)
    return sorted(times)[2]


def _nothing() -> Iterator[int]:
    time.sleep(600)
    yield 1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slots", type=int, nargs="+", default=[300, 1000, 10_000])
    parser.add_argument("--rounds", type=int, default=3, help="trials a slot")
    parser.add_argument("--seconds", type=float, default=60.0, help="of a trial, half as many to half as many more")
    parser.add_argument("--reports", type=int, default=10, help="of a trial")
    parser.add_argument("--stopping", help="a stop policy")
    parser.add_argument("--streams", type=int, nargs="*", default=[100, 1000], help="that are looked at")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    print(machine())
    found = []
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as folder:
        simulated(2, asked, Path(folder), charged=True)  # what is imported late takes time once
        for slots in asked.slots:
            one, free = (simulated(slots, asked, Path(folder), charged=charged) for charged in (True, False))
            one["busy"] = free["seconds"] / one["seconds"]
            found.append(one)
            budget = BUDGETS.get(slots, inf)
            within = "" if budget == inf else f"   budgets ≤ {budget:.0%} with the drain, ≥ {LEAST_BUSY:.0%}"
            print(f"{slots} slots × {asked.seconds:g} s × {asked.reports} reports{within}")
            print(f"  the driver {one['load']:.1%} of a core, {one['ms_a_trial']:.1f} ms a trial")
            print(
                f"  {one['seconds']:,.0f} s, and {free['seconds']:,.0f} s if it took no time: {one['busy']:.1%} as busy"
            )
            print(f"  {window_of(slots, ahead=True)} streams", flush=True)
    looks = {}
    if asked.streams:
        with RaySession(cpus=1):
            for streams in asked.streams:
                looks[streams] = look(streams)
    for streams, cost in looks.items():
        rest = rest_after(cost)
        share = cost / (cost + rest)
        print(
            f"a look at {streams} streams {1000 * cost:.1f} ms, a rest of {1000 * rest:.0f} ms: {share:.0%} of a core"
        )
    write_json(asked.json, {"simulated": found, "looks": looks})


if __name__ == "__main__":
    main()
