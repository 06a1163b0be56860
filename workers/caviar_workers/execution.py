"""One attempt while it lasts: what the training thread and the recorder know of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from caviar_workers.trial import Trial


@dataclass(slots=True)
class Summary:
    """Running last value and extremes of one metric over the reports so far; None: no such value yet."""

    last: float | None = None
    low: float | None = None
    high: float | None = None

    def extend(self, last: float | None, low: float | None, high: float | None) -> None:
        """Take in the summary of the rows that follow."""
        self.last = self.last if last is None else last
        self.low = low if self.low is None else self.low if low is None else min(self.low, low)
        self.high = high if self.high is None else self.high if high is None else max(self.high, high)


@dataclass(slots=True, kw_only=True)
class Execution:
    """Mutable, of one worker process; the recorder alone writes the fields below the line."""

    trial: Trial
    started: float
    """Seconds since 1970."""
    ended: float | None = None
    busy: float = 0.0
    """Seconds that train took."""
    error: str | None = None
    """Traceback or sentence; None: train returned."""
    kind: str | None = None
    """`error`, `oom` or `metric`; None: train returned."""
    returned: str = ""
    """Type name of what train returned, if that was not None."""
    # ----
    announced: bool = False
    rows: int = 0
    step: int | None = None
    diverged: bool = False
    metrics: dict[str, Summary] = field(default_factory=dict)
    fault: str | None = None
    """Why rows were refused; the attempt fails with it."""

    def outcome(self, objective: str) -> tuple[str, str | None, str | None]:
        """Final (state, kind, error) of an attempt that ended."""
        if self.error is not None:
            return "FAILED", self.kind, self.error
        if self.fault is not None:
            return "FAILED", "error", self.fault
        if objective not in self.metrics:
            return "FAILED", "metric", never_reported(objective, self.metrics, self.returned)
        return "COMPLETED", None, None


def never_reported(objective: str, reported: Iterable[str], returned: str) -> str:
    """The sentence for a trial that ended without one value of the sweep's metric."""
    names = list(reported)
    if not names:
        hint = f"train returned a {returned} but reported" if returned else "train reported"
        return f"the metric '{objective}' was never reported: {hint} nothing; call trial.report(step, {objective}=…)"
    close = get_close_matches(objective, names, n=1, cutoff=0.5)
    ask = f"did you mean metric='{close[0]}'?" if close else "set metric= to one of them or report it"
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"the metric '{objective}' was never reported, only {listed}: {ask}"
