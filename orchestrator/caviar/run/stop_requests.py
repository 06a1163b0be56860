"""Takes what other shells ask of this driver, about once a second, and has it done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from caviar.run.engine.acts import Act
from caviar.run.engine.background import Background
from caviar.run.engine.decision_log import Decision
from caviar.store.requests import discard, pop_requests
from caviar.store.untrusted_json import numbers_of
from caviar_workers.states import USER, Action

if TYPE_CHECKING:
    from concurrent.futures import Future

    from caviar.run.engine.scheduler import Scheduler
    from caviar.store import SweepDir
    from caviar.store.requests import Request

LOOK_S = 1.0
"""Seconds between two looks."""
LIVE_LOOK_S = 0.2
"""The same of a sweep with live parameters; the loop's rounds are half as long, so that what is found waits little."""


class StopRequests:
    """Looks into the sweep's folder, in a thread of its own; all else belongs to the scheduler's loop.

    Args:
        sweep_dir: The sweep.
        epoch: Of this driver; requests to others are not for it.
        look_s: Seconds between two looks.
    """

    def __init__(
        self,
        sweep_dir: SweepDir,
        epoch: int,
        *,
        look_s: float = LOOK_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sweep_dir = sweep_dir
        self._epoch = epoch
        self._clock = clock
        self._look_s = look_s
        self._due = clock() + look_s
        self._heard: set[str] = set()
        """Tokens of acts that were answered."""
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
                if request.token:
                    self._act(request, scheduler)
                else:
                    _grant(request, scheduler)
        if self._look is None and self._clock() >= self._due:
            self._due = self._clock() + self._look_s
            self._look = self._background.do(self._asked)

    def close(self) -> None:
        """Look for requests no more."""
        self._background.close(0.0)

    def _act(self, request: Request, scheduler: Scheduler) -> None:
        """Do what is asked of a trial; its file goes when the answer is published, and not before."""
        if request.token not in self._heard:
            self._heard.add(request.token)
            scheduler.act(act_of(request))
        self._background.do(lambda: discard(self._sweep_dir, request.file))

    def _asked(self) -> list[Request]:
        try:
            return pop_requests(self._sweep_dir, self._epoch)
        except OSError:  # the folder can be listed another time
            return []


def _grant(request: Request, scheduler: Scheduler) -> None:
    if request.action == Action.PAUSE:
        scheduler.pause()
        return
    numbers: dict[str, Any] = {"asked": request.made, "slots": request.slots}
    if request.action == Action.SCALE and request.slots:
        scheduler.decide([Decision(action=Action.SCALE, by=USER, numbers=numbers)])
        scheduler.most = request.slots
    if request.action != Action.STOP:
        return
    numbers = {"asked": request.made, "at_once": request.at_once}
    scheduler.decide([Decision(action=request.action, by="user", trial=request.trial, numbers=numbers)])
    if request.trial is None:
        scheduler.stop("user", at_once=request.at_once)
    elif request.at_once:
        scheduler.end_trial(request.trial)


def act_of(request: Request) -> Act:
    """The act that a request asks for."""
    numbers = numbers_of(request.act)
    facts: dict[str, Any] = {name: numbers.pop(name, None) for name in ("attempt", "step", "value")}
    for name, kinds in (("attempt", (int,)), ("step", (int,)), ("value", (int, float))):
        facts[name] = facts[name] if type(facts[name]) in kinds else None
    seen = numbers.pop("seen", -1)
    decision = Decision(
        action=request.action, by="user", trial=request.trial, numbers={**numbers, "token": request.token}, **facts
    )
    return Act(decision=decision, token=request.token, seen=seen)
