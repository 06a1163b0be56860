"""Takes what other shells ask of this driver, about once a second, and has it done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from caviar.run.engine.background import Background
from caviar.run.engine.decision_log import Decision
from caviar.store.requests import pop_requests

if TYPE_CHECKING:
    from concurrent.futures import Future

    from caviar.run.engine.scheduler import Scheduler
    from caviar.store import SweepDir
    from caviar.store.requests import Request

LOOK_S = 1.0
"""Seconds between two looks."""


class StopRequests:
    """Looks into the sweep's folder, in a thread of its own; all else belongs to the scheduler's loop.

    Args:
        sweep_dir: The sweep.
        epoch: Of this driver; requests to others are not for it.
    """

    def __init__(self, sweep_dir: SweepDir, epoch: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sweep_dir = sweep_dir
        self._epoch = epoch
        self._clock = clock
        self._due = clock() + LOOK_S
        self._background = Background("caviar-requests")
        self._look: Future[list[Request]] | None = None

    def attend(self, scheduler: Scheduler) -> None:
        """Do what was asked, as far as it was seen, and have another look when it is time to.

        Raises:
            StoreError: The decision cannot be published.
        """
        if self._look is not None and self._look.done():
            asked, self._look = self._look.result(), None
            for request in asked:
                _grant(request, scheduler)
        if self._look is None and self._clock() >= self._due:
            self._due = self._clock() + LOOK_S
            self._look = self._background.do(self._asked)

    def close(self) -> None:
        """Look for requests no more."""
        self._background.close(0.0)

    def _asked(self) -> list[Request]:
        try:
            return pop_requests(self._sweep_dir, self._epoch)
        except OSError:  # the folder can be listed another time
            return []


def _grant(request: Request, scheduler: Scheduler) -> None:
    numbers = {"asked": request.made, "at_once": request.at_once}
    scheduler.decide([Decision(action=request.action, by="user", trial=request.trial, numbers=numbers)])
    if request.trial is None:
        scheduler.stop("user", at_once=request.at_once)
    elif request.at_once:
        scheduler.end_trial(request.trial)
