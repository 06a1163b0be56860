"""What trials are told, and told again until they end: a message may be lost with the process that held it."""

from __future__ import annotations

from caviar.execute.clock import Clock
from caviar.execute.executor import Executor
from caviar.schedule.adviser import Adviser
from caviar.schedule.ledger import Ledger
from caviar.schedule.lost import cancelled_row, stopped_row
from caviar.schedule.paused import Paused
from caviar.schedule.sink import Sink
from caviar.schedule.supply import Supply
from caviar.schedule.tally import Tally
from caviar_workers.messages import Action, Message

AGAIN_S = 10.0
"""Seconds after which a message that has had no effect is sent once more."""


class Voice:
    """Speaks to trials, wherever they are; belongs to the scheduler's loop.

    Args:
        executor: Where they run.
        ledger: Who is in which lease.
        supply: Who has not begun.
        sink: Where it is recorded that a trial will not begin.
        tally: Where it is counted.
        paused: Who waits at a rung.
        adviser: Hears of who is stopped there.
        clock: The time.
    """

    def __init__(  # noqa: PLR0913 — one for each who may have the trial
        self,
        executor: Executor,
        ledger: Ledger,
        supply: Supply,
        sink: Sink,
        tally: Tally,
        clock: Clock,
        *,
        paused: Paused,
        adviser: Adviser,
    ) -> None:
        self._executor = executor
        self._ledger = ledger
        self._supply = supply
        self._sink = sink
        self._tally = tally
        self._clock = clock
        self._paused = paused
        self._adviser = adviser
        self._said: dict[int, tuple[float, Message]] = {}

    def tell(self, trial: int, action: Action) -> None:
        """Send a message to a trial that runs; one that is paused, or has not begun, ends if it is to stop."""
        place = self._ledger.where(trial)
        if place is not None:
            message = Message(trial=trial, attempt=place[1], action=action)
            self._said[trial] = self._clock.monotonic(), message
            self._executor.tell(place[0], message)
        elif action == "stop":
            self._cancel(trial)

    def repeat(self) -> None:
        """Tell those again who run on after ten seconds."""
        now = self._clock.monotonic()
        for _, message in [said for said in self._said.values() if now - said[0] >= AGAIN_S]:
            del self._said[message.trial]
            place = self._ledger.where(message.trial)
            if place is not None and place[1] == message.attempt:
                self.tell(message.trial, message.action)

    def _cancel(self, trial: int) -> None:
        """End a trial that is in no lease: one that ran before is STOPPED, one that never did is CANCELLED."""
        for who in (self._paused, self._ledger, self._supply):
            attempt = who.drop(trial)
            if attempt is not None:
                row = (stopped_row if attempt else cancelled_row)(trial, attempt, self._clock.time())
                self._sink.add("attempts", row)
                self._adviser.hear(None, row)
                self._tally.stop(trial)
                return
