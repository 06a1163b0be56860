"""What the drivers of a sweep said, as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.store.driver_logs import driver_logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.store import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverOutput:
    """The log of one driver.

    Attributes:
        driver: counts those who owned the sweep, from 1.
        lines: each with its time, oldest first; a line says how many are left out.
    """

    driver: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverLogDocument:
    """The logs of a sweep's drivers.

    Attributes:
        sweep: its id.
        state: running, finished, failed or interrupted.
        drivers: their logs, oldest first; of those that left one.
    """

    sweep: str
    state: str
    drivers: tuple[DriverOutput, ...]


def driver_log_document(sweep: SweepDir) -> DriverLogDocument:
    """What the drivers of a sweep said.

    Raises:
        StoreError: It cannot be read.
    """
    state = sweep.state()  # first: what a driver wrote last is among its lines
    logs = driver_logs(sweep).items()
    drivers = tuple(DriverOutput(driver=epoch, lines=tuple(text.splitlines())) for epoch, text in logs)
    return DriverLogDocument(sweep=sweep.id, state=state, drivers=drivers)


def lines_since(before: Sequence[str], now: Sequence[str]) -> Sequence[str]:
    """The lines of a log that came since it was read last, although its middle may be left out by now."""
    if not before:
        return now
    at = next((at for at in range(len(now) - 1, -1, -1) if now[at] == before[-1]), -1)
    return now[at + 1 :]
