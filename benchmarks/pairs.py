"""Two sides of a ratio, measured in turns on one machine: first this, then that, and the other way round."""

import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil

QUIET_CORES = (os.cpu_count() or 2) / 8
"""Cores that others may use during a measurement: a quarter of one of two."""
PATIENCE_S = 300.0
"""Seconds to wait for a quiet machine, and to measure again what was disturbed, in total."""

_patience = PATIENCE_S
_ended_cpu_s = 0.0
"""CPU seconds of the processes of ours that have ended, as they were counted."""


def load() -> float:
    """Load average of the last minute."""
    return os.getloadavg()[0]


class Others:
    """CPU seconds that other processes than this one and its children use, from its making on; Linux only."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._own = own_cpu_seconds()
        self._everyone = _everyone_cpu_seconds()

    def cores(self) -> float:
        """Cores that they kept busy so far; NaN where that is not known."""
        theirs = (_everyone_cpu_seconds() - self._everyone) - (own_cpu_seconds() - self._own)
        return theirs / (time.monotonic() - self._begun)


def own_cpu_seconds() -> float:
    """CPU seconds of this process, of its children that live, and of what was counted of others."""
    me = psutil.Process()
    return _ended_cpu_s + sum(map(_cpu_seconds, [me, *me.children(recursive=True)]))


def count_ended(cpu_s: float) -> None:
    """Count these CPU seconds of processes that have ended as ours."""
    global _ended_cpu_s  # noqa: PLW0603 — one sum for the whole run
    _ended_cpu_s += cpu_s


def _everyone_cpu_seconds() -> float:
    if not os.path.exists("/proc/stat"):
        return math.nan
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + times.irq + times.softirq


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def wait_for_quiet() -> None:
    """Wait until others leave the machine alone, as long as there is patience."""
    global _patience  # noqa: PLW0603 — one budget for the whole run
    while _patience > 0:
        others = Others()
        time.sleep(1)
        if not others.cores() > QUIET_CORES:
            return
        time.sleep(1)
        _patience -= 2


def in_turns(sides: Mapping[str, Callable[[], float]], pairs: int) -> dict[str, list[float]]:
    """Measure all sides `pairs` times, every second time in reverse order; prints each measurement and the load.

    Args:
        sides: Name → a function that does the work once and returns what it measured.
        pairs: How often.
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    for pair in range(pairs):
        for name in list(sides) if pair % 2 == 0 else list(sides)[::-1]:
            found[name].append(_measure(f"  pair {pair + 1}  {name:<24}", sides[name]))
    return found


def _measure(label: str, side: Callable[[], float]) -> float:
    """Measure once; once more when others disturbed it, as long as there is patience."""
    global _patience  # noqa: PLW0603 — one budget for the whole run
    while True:
        wait_for_quiet()
        before, others, begun, used = load(), Others(), time.monotonic(), own_cpu_seconds()
        value = side()
        used = own_cpu_seconds() - used
        disturbed = others.cores()
        again = disturbed > QUIET_CORES and _patience > 0
        note = "  disturbed: once more" if again else ""
        print(
            f"{label} {value:12,.2f}   {used:5.1f} CPU s, load {before:.2f}, others {disturbed:.2f} cores{note}",
            flush=True,
        )
        if not again:
            return value
        _patience -= time.monotonic() - begun


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median, and least and greatest in brackets."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} … {high})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ours over theirs, pair by pair."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def machine() -> str:
    """Cores, system and Python, in a line."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def write_json(path: str | None, data: Mapping[str, Any]) -> None:
    """Write the figures to a file, if one is asked for."""
    if path:
        with open(path, "w") as file:
            json.dump({"machine": machine(), **data}, file, indent=2)
