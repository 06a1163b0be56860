"""What every progress display is shown (`SweepStatus`), and the contract that each keeps (`ProgressDisplay`).

Contract of the seam: `start` is called first, before anything slow, and again for what comes later (the
winner's last test); it shows its text at once. `update` may be called as often as the caller likes, from
one thread at a time, never blocks for long and shows something at most four times a second. `end` is called also
after a failure; it leaves the terminal as it was found, with the last state in view, and calling it twice
does no harm. A stream that cannot be written any more (the terminal was closed) never fails a sweep. All of
it goes to stderr: stdout carries data.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestRow:
    """One of the best trials so far.

    Attributes:
        trial: its number, from 0.
        value: the sweep's metric by the sweep's rule.
        config: its parameters.
        curve: the metric at each report, in the order of the steps; None where it is not at hand.
    """

    trial: int
    value: float
    config: Mapping[str, object]
    curve: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReport:
    """The newest report of a trial that runs.

    Attributes:
        trial: its number, from 0.
        step: of the report.
        value: the sweep's metric.
    """

    trial: int
    step: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStatus:
    """A sweep at one moment.

    Attributes:
        sweep: its id.
        name: its name.
        planned: trials in all.
        done: trials that ended, failed ones included.
        running: trials that run now.
        no_room: whether there is no room for a single trial just now.
        lack: what a trial needs then, and what the cluster has; empty: not known.
        failed: trials that ended FAILED; counted in `done` too.
        stopped: trials that were ended early; counted in `done` too.
        elapsed_s: seconds since the sweep (or its resumption) began.
        eta_s: seconds to its end, None while unknown.
        busy: share of the slots' time spent in trials, 0 … 1, None while unknown.
        metric: name of the metric that ranks the trials.
        mode: whether less or more of it is better.
        best: the best trials, best first.
        newest: the newest report of a trial that runs; None: none of them has reported.
        last_reports: of each trial that runs and has reported, newest first; a few, or none where they are not at hand.
        reasons: why trials failed, and how many did of each, most frequent first; a few.
    """

    sweep: str
    name: str
    planned: int
    done: int
    running: int
    no_room: bool = False
    lack: str = ""
    failed: int
    stopped: int = 0
    elapsed_s: float
    eta_s: float | None = None
    busy: float | None = None
    metric: str
    mode: Literal["min", "max"]
    best: tuple[BestRow, ...] = field(default=())
    newest: LastReport | None = None
    last_reports: tuple[LastReport, ...] = ()
    reasons: tuple[tuple[str, int], ...] = ()


class ProgressDisplay(Protocol):
    """The display of one sweep while it runs; see the module's contract."""

    @property
    def curves(self) -> bool:
        """Whether it shows the curves of the best trials, so that it is worth fetching them."""

    def start(self, text: str) -> None:
        """Show what is being started (`starting Ray…`), at once, with the time that it takes."""

    def update(self, status: SweepStatus) -> None:
        """Take over the newest state, to be shown soon."""

    def note(self, text: str) -> None:
        """Show a line that stays: a warning, or the address of something. From any thread."""

    def end(self, status: SweepStatus | None = None) -> None:
        """Show the last state (None: the one before) and stop."""


MOMENT_S = 2.0


@contextmanager
def slowly(progress: ProgressDisplay, text: str, *, after: float = MOMENT_S) -> Iterator[None]:
    """Show the text while the block lasts, if it lasts for longer than a moment: what is quick needs no word."""
    timer = threading.Timer(after, progress.start, [text])
    timer.daemon = True
    timer.start()
    try:
        yield
    except BaseException:
        _cancel(timer)
        progress.end()
        raise
    _cancel(timer)


def _cancel(timer: threading.Timer) -> None:
    timer.cancel()
    timer.join()
