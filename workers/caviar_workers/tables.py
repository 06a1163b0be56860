"""The schema of the results store, in one file: what every Parquet segment of a table holds.

Five tables are recorded. Beyond the fixed fields below, `configs` has one column per parameter, `curves`
one float64 column per metric, and `attempts` three per metric (`last_<m>`, `min_<m>`, `max_<m>`). A null
metric was not reported in that row; NaN and infinities are kept as reported. Times are UTC, milliseconds.

Readers of the store use the plain facts here and never pay for the import of pyarrow; `schema()` loads it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

FORMAT = 2
"""Version of the layout and of these tables; a store with a higher one is refused."""

Kind = Literal["float", "int", "bool", "text"]
"""Kind of a parameter, which decides the type of its column."""

TABLES = ("configs", "logs", "curves", "decisions", "attempts")
"""Order of publication: a terminal attempt is never visible before its rows, and before what ended it."""

RESERVED_METRICS = frozenset({"sweep", "trial", "attempt", "step", "time"})
"""Metric names (case-blind) that are columns of the views."""

METRIC_FORMS = ("last_", "min_", "max_")
"""Prefixes of a metric's three columns in `attempts`: last value reported, extremes of the finite ones."""

MAX_NAME = 128
"""Characters of a name, at most."""

MOST_METRICS = 1000
"""Metrics of a report, and of a sweep, at most: each is a column of the store."""

TOO_MANY_METRICS = f"a sweep has at most {MOST_METRICS} metrics: give varying things a step, not a name"
"""Why a trial fails that reports more than there is room for."""

FIELDS: dict[str, dict[str, str]] = {
    "configs": {
        "trial": "int64",  # from 0
        "seed": "int64",  # 0 … 2³²−1
        "index": "int64",  # raw index in the sampler, from 0
        "u": "floats",  # unit point, one number per parameter, in the order of the space
    },
    "curves": {
        "trial": "int64",
        "attempt": "int16",  # from 0
        "_seq": "int32",  # row number within the attempt, from 0
        "_start": "int64",  # first step of the attempt: 0 unless it was restored from a checkpoint
        "step": "int64",
        "time": "time",
    },
    "attempts": {
        "trial": "int64",
        "attempt": "int16",
        "state": "text",  # RUNNING | PAUSED | COMPLETED | STOPPED | FAILED | CANCELLED | LOST
        "cause": "text",  # first | retry | promote | stop (while paused: nothing ran)
        "kind": "text",  # error | oom | timeout | lost; null unless it failed
        "error": "text",  # traceback, at most 16 KiB
        "started": "time",
        "ended": "time",  # null while it runs
        "busy": "float",  # seconds inside the user's function; null while it runs
        "host": "text",
        "pid": "int32",
        "devices": "text",  # "" | "0" | "0,1"
        "rows": "int64",  # rows of this attempt in curves
        "step": "int64",  # of its last row; null without rows
        "start": "int64",  # as _start in curves; null: not known, or no step can follow
        "diverged": "bool",  # the sweep's metric was NaN or infinite, in the curve that it carries on
    },
    "logs": {
        "trial": "int64",
        "attempt": "int16",
        "_seq": "int32",
        "time": "time",
        "stream": "text",  # out | err
        "text": "text",
    },
    "decisions": {
        "n": "int64",  # running number in the sweep, from 0
        "time": "time",
        "trial": "int64",  # null: the whole sweep
        "attempt": "int16",  # the execution that it was about; null: none
        "action": "text",  # stop | pause | promote | retry | time_limit | extend | …
        "decided_by": "text",  # user | asha:eta=5 | max_attempts=3 | …
        "step": "int64",  # at which it compared; null: none
        "value": "float",  # what the trial had there, if there was something to compare
        "bar": "float",  # what it had to reach
        "numbers": "text",  # JSON: all that was looked at, so that the decision can be made again
    },
}
"""Fixed fields of each table and the word for their type, in the order of the columns."""


@cache
def arrow_type(word: str) -> pa.DataType:
    """Arrow type of a type word of `FIELDS`, or of a parameter's kind."""
    import pyarrow as pa  # noqa: PLC0415 - readers of the store do not pay for it

    return {
        "float": pa.float64(),
        "int": pa.int64(),
        "int64": pa.int64(),
        "int32": pa.int32(),
        "int16": pa.int16(),
        "bool": pa.bool_(),
        "text": pa.string(),
        "time": pa.timestamp("ms", tz="UTC"),
        "floats": pa.list_(pa.float64()),
    }[word]


@cache
def schema(table: str) -> pa.Schema:
    """Fixed fields of a recorded `table` as an Arrow schema."""
    import pyarrow as pa  # noqa: PLC0415 - readers of the store do not pay for it

    return pa.schema([(name, arrow_type(word)) for name, word in FIELDS[table].items()])


def configs_schema(kinds: dict[str, Kind]) -> pa.Schema:
    """Schema of `configs` for a space whose parameters have these kinds, in the order of the space."""
    import pyarrow as pa  # noqa: PLC0415 - readers of the store do not pay for it

    return pa.schema([*schema("configs"), *((name, arrow_type(kind)) for name, kind in kinds.items())])


def check_metric_name(name: str, taken: Iterable[str] = ()) -> None:
    """Refuse a metric name that cannot be a column of its own.

    Args:
        name: The name as reported.
        taken: Metric names already in use in the sweep; the same spelling is no clash.

    Raises:
        ValueError: The name is no string, is empty, is longer than 128 characters, holds a control
            character, starts with "_", is reserved, or differs from a taken name in case only.
    """
    if not isinstance(name, str):
        raise ValueError(f"a metric's name must be a string, got {name!r}: write trial.report(step, loss=…)")  # noqa: TRY004 - a wrong report is one kind of error
    if not 0 < len(name) <= MAX_NAME:
        raise ValueError(f"a metric's name must have 1 to {MAX_NAME} characters, got {len(name)}: shorten it")
    if not name.isprintable():
        raise ValueError(f"a metric's name must hold no control characters, got {name!r}: rename it")
    if name.startswith("_"):
        raise ValueError(f'a metric\'s name must not start with "_", got {name!r}: write {name.strip("_")!r}')
    if name.casefold() in RESERVED_METRICS:
        raise ValueError(f"the metric name {name!r} is a column of every curve: call it {name + '_value'!r}")
    for other in taken:
        if other != name and other.casefold() == name.casefold():
            raise ValueError(f"the metrics {other!r} and {name!r} differ in case only: use one spelling")


def __getattr__(name: str) -> pa.Schema:
    """CONFIGS, CURVES, ATTEMPTS, LOGS and DECISIONS: the schemas by name, made when they are first asked for."""
    if name.isupper() and name.lower() in FIELDS:
        return schema(name.lower())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
