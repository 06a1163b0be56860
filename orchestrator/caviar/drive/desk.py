"""Takes what other shells ask of this driver, about once a second, and has it done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from caviar.schedule.decision import Decision
from caviar.store.requests import take_requests

if TYPE_CHECKING:
    from caviar.schedule.scheduler import Scheduler
    from caviar.store import SweepDir
    from caviar.store.requests import Request

_LOOK_S = 1.0


class Desk:
    """Looks into the sweep's folder; belongs to the scheduler's loop.

    Args:
        sweep_dir: The sweep.
        epoch: Of this driver; requests to others are not for it.
    """

    def __init__(self, sweep_dir: SweepDir, epoch: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sweep_dir = sweep_dir
        self._epoch = epoch
        self._clock = clock
        self._due = clock() + _LOOK_S

    def attend(self, scheduler: Scheduler) -> None:
        """Do what was asked since the last look, if it is time for another one.

        Raises:
            StoreError: The decision cannot be published.
        """
        if self._clock() < self._due:
            return
        self._due = self._clock() + _LOOK_S
        for request in self._asked():
            _grant(request, scheduler)

    def _asked(self) -> list[Request]:
        try:
            return take_requests(self._sweep_dir, self._epoch)
        except OSError:  # the folder can be listed another time
            return []


def _grant(request: Request, scheduler: Scheduler) -> None:
    numbers = {"asked": request.made, "at_once": request.at_once}
    scheduler.decide([Decision(action=request.action, by="user", trial=request.trial, numbers=numbers)])
    if request.trial is None:
        scheduler.stop("user", at_once=request.at_once)
    elif request.at_once:
        scheduler.end_trial(request.trial)
