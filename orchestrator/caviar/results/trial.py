"""Everything about one trial, as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from caviar.results.checkpoint import artifacts_of
from caviar.results.curves_sql import Points, exact_metrics
from caviar.results.selector import as_given

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from caviar.results.open_sweep import OpenSweep

# The end of what a trial printed: lines, pieces as they were caught, characters.
TAIL = 20
MOST_PIECES = 200
MOST_TEXT = 20_000


class Summary(TypedDict):
    """The value of a metric at the last report of it; and of the sweep's own, its smallest or largest, by its mode."""

    last: float | None
    best: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDocument:
    """One trial.

    Attributes:
        sweep: id of its sweep.
        name: name of its sweep.
        trial: its number.
        state: PENDING, RUNNING, PAUSED, COMPLETED, STOPPED, FAILED, CANCELLED or LOST.
        seed: what its random numbers began with; None: not known, of an imported trial.
        config: parameter → value as it was given to train.
        held: parameter → its tier, of those that are at their defaults for want of trials.
        metric: what ranks the sweep's trials.
        started: when its first attempt did; None: none has.
        ended: when its newest attempt did.
        busy: seconds that its newest attempt trained.
        host: where its newest attempt ran.
        pid: of the process that it ran in.
        devices: numbers of the GPUs that it had, such as `0,1`.
        rows: reports of its curve.
        step: of the last of them.
        diverged: whether the sweep's metric was ever NaN or infinite.
        kind: of failure: error, oom, timeout or lost.
        error: the traceback.
        metrics: metric → its last value, and its best one; None of metrics that the sweep is not judged by.
        curves: metric → all its reports.
        attempts: its rows in the view `attempts`.
        output: the last lines that its newest attempt printed, oldest first.
        artifacts: name → bytes of the files that it kept.
    """

    sweep: str
    name: str
    trial: int
    state: str
    seed: int | None
    config: dict[str, Any]
    held: dict[str, int]
    metric: str
    started: datetime | None
    ended: datetime | None
    busy: float | None
    host: str | None
    pid: int | None
    devices: str | None
    rows: int | None
    step: int | None
    diverged: bool | None
    kind: str | None
    error: str | None
    metrics: dict[str, Summary]
    curves: dict[str, Points]
    attempts: list[dict[str, Any]]
    output: list[str]
    artifacts: dict[str, int]


_OF_THE_ROW = ("started", "ended", "busy", "host", "pid", "devices", "rows", "step", "diverged", "kind", "error")


def trial_document(opened: OpenSweep, trial: int) -> TrialDocument:
    """Everything about one trial.

    Raises:
        NotFoundError: The sweep has no such trial.
    """
    row = opened.trial(trial)
    curves = exact_metrics(opened, trial)
    return TrialDocument(
        sweep=opened.sweep.id,
        name=opened.plan.name,
        trial=trial,
        state=row["state"],
        seed=row["seed"],
        config=as_given(opened.plan.parameters, row),
        held={name: one["tier"] for name, one in opened.plan.held.items()},
        metric=opened.plan.metric,
        **{name: row[name] for name in _OF_THE_ROW},
        metrics={metric: _summary(row, metric, opened.plan.metric) for metric in curves},
        curves=curves,
        attempts=opened.rows("SELECT * EXCLUDE (sweep) FROM attempts WHERE trial = ? ORDER BY attempt", [trial]),
        output=_tail(opened, trial),
        artifacts={name: one.bytes for name, one in artifacts_of(opened.views, opened.sweep, trial).items()},
    )


def _summary(row: Mapping[str, Any], metric: str, own: str) -> Summary:
    """The view has a best value by the sweep's mode of all metrics: of others nobody said which values are good."""
    return Summary(last=row.get(f"last_{metric}"), best=row.get(f"best_{metric}") if metric == own else None)


def _tail(opened: OpenSweep, trial: int) -> list[str]:
    """The last lines that the newest attempt printed, oldest first."""
    pieces = opened.rows(
        """SELECT right(text, ?) AS text FROM logs
            WHERE trial = ? AND attempt = (SELECT max(attempt) FROM logs WHERE trial = ?)
            ORDER BY _seq DESC LIMIT ?""",
        [MOST_TEXT, trial, trial, MOST_PIECES],
    )
    return "".join(piece["text"] for piece in reversed(pieces))[-MOST_TEXT:].splitlines()[-TAIL:]


class Piece(TypedDict):
    """Something that a trial printed, as it was caught; `piece` counts within the attempt, `stream` is out or err."""

    attempt: int
    piece: int
    time: datetime
    stream: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDocument:
    """The output of one trial.

    Attributes:
        trial: its number.
        state: as in `TrialDocument`.
        output: in the order in which it was printed, attempt after attempt.
    """

    trial: int
    state: str
    output: tuple[Piece, ...]


def output_document(opened: OpenSweep, trial: int, *, stream: str | None = None) -> OutputDocument:
    """Return what one trial printed to both streams, or to one: `out` or `err`.

    Raises:
        NotFoundError: The sweep has no such trial.
    """
    state = opened.trial(trial)["state"]
    pieces = opened.rows(
        "SELECT attempt, _seq AS piece, time, stream, text FROM logs WHERE trial = ? AND (? IS NULL OR stream = ?) "
        "ORDER BY attempt, _seq",
        [trial, stream, stream],
    )
    return OutputDocument(trial=trial, state=str(state), output=tuple(pieces))  # type: ignore[arg-type]  # rows are dicts
