"""The schema of the results store, in one file: what every Parquet segment of a table holds.

Six tables are recorded. Beyond the fixed fields below, `configs` has one column per parameter, `curves`
one float64 column per metric, and `attempts` three per metric (`last_<m>`, `min_<m>`, `max_<m>`). A null
metric was not reported in that row; NaN and infinities are kept as reported. Times are UTC, milliseconds.

Readers of the store use the plain facts here and never pay for the import of pyarrow; `schema()` loads it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

FORMAT = 2
"""Version of the layout and of these tables; a store with a higher one is refused."""

Kind = Literal["float", "int", "bool", "text"]
"""Kind of a parameter, which decides the type of its column."""

TABLES = ("configs", "logs", "curves", "artifacts", "decisions", "attempts")
"""Order of publication: a terminal attempt is never visible before its rows, and before what ended it."""

RESERVED_METRICS = frozenset({"sweep", "trial", "attempt", "step", "time"})
"""Metric names (case-blind) that are columns of the views."""

METRIC_FORMS = ("last_", "min_", "max_")
"""Prefixes of a metric's three columns in `attempts`: last value reported, extremes of the finite ones."""

FORKED = 2**30
"""Number of the first trial that was forked from another one: all that a sampler draws are below."""

MAX_NAME = 128
"""Characters of a name, at most."""

MOST_METRICS = 1000
"""Metrics of a report, and of a sweep, at most: each is a column of the store."""

TOO_MANY_METRICS = f"a sweep has at most {MOST_METRICS} metrics: give varying things a step, not a name"
"""Why a trial fails that reports more than there is room for."""


class Field(NamedTuple):
    """A fixed field of a table. It is added by one line of `FIELDS`, and by the code that knows its values."""

    word: str
    """The word for its type; see `arrow_type`."""
    unknown: str | int | bool | None = None
    """What a row has whose writer does not say."""
    older: str | int | bool | None = None
    """What readers take files to have that were written before there was such a field."""
    shown: int = 0
    """Its place among the last columns of the view `trials`, for a field of `attempts`; 0: it is not there."""
    since: int = 1
    """All files of stores of this format, and of later ones, have it: for a new field, FORMAT + 1. One of `curves` must
    raise FORMAT, for older programs would take it for a metric; others may come without, for these leave it alone."""


FIELDS: dict[str, dict[str, Field]] = {
    "configs": {
        "trial": Field("int64"),  # from 0
        "seed": Field("int64"),  # 0 … 2³²−1
        "index": Field("int64"),  # raw index in the sampler, from 0
        "u": Field("floats"),  # unit point, one number per parameter, in the order of the space
    },
    "curves": {
        "trial": Field("int64"),
        "attempt": Field("int16"),  # from 0
        "_seq": Field("int32"),  # row number within the attempt, from 0
        "_start": Field("int64"),  # first step of the attempt: 0 unless it was restored from a checkpoint
        "step": Field("int64"),
        "time": Field("time"),
    },
    "attempts": {
        "trial": Field("int64"),
        "attempt": Field("int16"),
        "state": Field("text"),  # RUNNING | PAUSED | COMPLETED | STOPPED | FAILED | CANCELLED | LOST
        "cause": Field("text"),  # first | retry | promote | rollback | continue | fork | stop (nothing ran)
        "kind": Field("text", shown=7),  # error | oom | metric | timeout | lost; null unless FAILED or LOST
        "error": Field("text"),  # traceback, at most 16 KiB
        "started": Field("time"),  # of one that never began, the moment at which it was stopped
        "ended": Field("time"),  # null while it runs
        "busy": Field("float", shown=8),  # seconds inside the user's function; null while it runs
        "host": Field("text", unknown="", shown=1),
        "pid": Field("int32", unknown=0, shown=2),
        "devices": Field("text", unknown="", shown=3),  # "" | "0" | "0,1"
        "rows": Field("int64", unknown=0, shown=4),  # rows of this attempt in curves
        "step": Field("int64", shown=5),  # of its last row; null without rows
        "start": Field("int64"),  # as _start in curves; null: not known, or no step can follow
        "diverged": Field(
            "bool", unknown=False, shown=6
        ),  # the sweep's metric was NaN or infinite, in the curve that it carries on
        "program": Field("text", unknown="", since=3),  # digest of the code that it ran with; "": nobody knows
    },
    "logs": {
        "trial": Field("int64"),
        "attempt": Field("int16"),
        "_seq": Field("int32"),
        "time": Field("time"),
        "stream": Field("text"),  # out | err
        "text": Field("text"),
    },
    "artifacts": {
        "trial": Field("int64"),
        "attempt": Field("int16"),
        "number": Field("int32"),  # of those of the attempt, from 0
        "name": Field("text"),  # what the user calls it
        "step": Field("int64"),  # reported last when it was kept; null: nothing was
        "time": Field("time"),
        "bytes": Field("int64"),
        "checksum": Field("text"),  # CRC-32, eight hex digits
    },
    "decisions": {
        "n": Field("int64"),  # running number in the sweep, from 0
        "time": Field("time"),
        "trial": Field("int64"),  # null: the whole sweep
        "attempt": Field("int16"),  # the attempt that it was about; null: none
        "action": Field("text"),  # stop | pause | promote | go_on | ask | wait | time_limit
        "decided_by": Field("text"),  # user | signal | time_limit | cluster | stop_on_divergence | asha:eta=5 | gp | …
        "step": Field("int64"),  # at which it compared; null: none
        "value": Field("float"),  # what the trial had there, if there was something to compare
        "bar": Field("float"),  # what it had to reach
        "numbers": Field("text"),  # JSON: all that was looked at, so that the decision can be made again
    },
}
"""Fixed fields of each table, in the order of the columns."""


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

    return pa.schema([(name, arrow_type(field.word)) for name, field in FIELDS[table].items()])


RESERVED_NAMES = frozenset(
    {"sweep", "state", "attempts", "error", "started", "ended"}
    | set(FIELDS["configs"])
    | {key for key, field in FIELDS["attempts"].items() if field.shown}
)
"""Columns of the view `trials`: a parameter that is called so is kept by another name, see `config_form`."""


def arrays_of(table: str, columns: Mapping[str, Any], count: int) -> list[pa.Array]:
    """The fixed fields of some rows, in their order.

    Args:
        table: Of `TABLES`.
        columns: Field → its values, [count]; who is not given is at `unknown`.
        count: Of rows.

    Raises:
        KeyError: A field that the table has not.
    """
    import pyarrow as pa  # noqa: PLC0415 - readers of the store do not pay for it

    if odd := set(columns) - set(FIELDS[table]):
        raise KeyError(f"the table {table} has no field {min(odd)}")
    arrays = []
    for name, field in FIELDS[table].items():
        values = columns[name] if name in columns else [field.unknown] * count
        kind = arrow_type(field.word)
        arrays.append(values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind))
    return arrays


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
    """CONFIGS, CURVES, ATTEMPTS, LOGS and so on: the schemas by name, made when they are first asked for."""
    if name.isupper() and name.lower() in FIELDS:
        return schema(name.lower())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
