"""Two sides of a ratio, measured in turns on one machine: first this, then that, and the other way round."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

QUIET_LOAD = 1.0
PATIENCE_S = 300.0
"""Seconds to wait for a quiet machine, in total."""

_patience = PATIENCE_S


def load() -> float:
    """Load average of the last minute."""
    return os.getloadavg()[0]


def busy_share(seconds: float = 1.0) -> float | None:
    """CPU cores that are busy just now with anybody's work; None where /proc/stat is not there."""
    before = _busy_ticks()
    if before is None:
        return None
    time.sleep(seconds)
    return (_busy_ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds


def _busy_ticks() -> int | None:
    try:
        with open("/proc/stat") as file:
            fields = [int(word) for word in file.readline().split()[1:9]]
    except OSError:
        return None
    return sum(fields) - fields[3] - fields[4]  # all but idle and waiting for the disk


def wait_for_quiet(most: float = 0.3) -> None:
    """Wait until less than `most` of a core is busy, but no longer than five minutes in one run of a benchmark."""
    global _patience  # noqa: PLW0603 — one budget for the whole run
    while _patience > 0:
        begun = time.monotonic()
        busy = busy_share()
        if busy is None or busy < most:
            return
        time.sleep(2)
        _patience -= time.monotonic() - begun


def in_turns(sides: Mapping[str, Callable[[], float]], pairs: int) -> dict[str, list[float]]:
    """Measure all sides `pairs` times, every second time in reverse order; prints each measurement and the load.

    Args:
        sides: Name → a function that does the work once and returns what it measured.
        pairs: How often.
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    for pair in range(pairs):
        for name in list(sides) if pair % 2 == 0 else list(sides)[::-1]:
            wait_for_quiet()
            before = load()
            found[name].append(sides[name]())
            print(f"  pair {pair + 1}  {name:<28} {found[name][-1]:12,.2f}   load {before:.2f}", flush=True)
    return found


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
