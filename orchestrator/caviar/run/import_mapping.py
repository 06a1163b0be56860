"""Which column of a table is what: as the user says, and as Optuna, Ray Tune and Weights & Biases write tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Named
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pyarrow as pa

from caviar.errors import SpecError, did_you_mean
from caviar.run.import_files import MATRIX
from caviar.store.storable import check_names
from caviar_workers.tables import check_metric_name

if TYPE_CHECKING:
    from collections.abc import Callable


INDEX = "Unnamed: *"
"""What pandas calls a column without a name, such as an index that was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How another tool writes its tables."""

    tool: str = ""
    marks: frozenset[str]
    """Columns that a table of it has."""
    trial: tuple[str, ...] = ("trial", "trial_id", "run", "run_id")
    step: tuple[str, ...] = ("step", "epoch", "iteration", "training_iteration", "_step", "global_step")
    state: tuple[str, ...] = ("state", "status")
    label: str = ""
    """What people call a trial, where no column says of which trial a row is."""
    prefix: str = ""
    """What the columns of parameters begin with; empty: the user names them."""
    metric: str = ""
    """The objective."""
    others: tuple[str, ...] = ("timestamp", "date", "_runtime", "_timestamp")
    """Patterns of columns that are no metrics."""


FORMS = (
    Form(
        tool="Optuna",
        marks=frozenset({"number", "state"}),
        trial=("number",),
        step=("intermediate_step",),  # of a storage: a data frame has no curves
        prefix="params_",
        metric="value",
        others=("datetime_*", "duration", "user_attrs_*", "system_attrs_*", "intermediate_*"),
    ),
    Form(
        tool="Ray Tune",
        marks=frozenset({"trial_id", "training_iteration"}),
        step=("training_iteration",),
        state=("status",),
        prefix="config/",
        others=(
            *("timestamp", "date", "done", "pid", "hostname", "node_ip", "time_*", "iterations_since_restore"),
            *("checkpoint_dir_name", "logdir", "experiment_*", "timesteps_*", "episodes_total", "should_checkpoint"),
        ),
    ),
    Form(
        tool="Weights & Biases",
        marks=frozenset({"Name", "State", "Created"}),
        trial=("ID",),
        step=(),
        state=("State",),
        label="Name",
        others=("Notes", "User", "Tags", "Created", "Runtime", "Sweep", "End Time", "Hostname", "_*"),
    ),
    Form(marks=frozenset()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user says of a table; what is None or empty is found."""

    metric: str | None = None
    params: tuple[str, ...] = ()
    """Names of columns, or patterns such as `hp_*`."""
    metrics: tuple[str, ...] = ()
    trial: str | None = None
    step: str | None = None
    seed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which column is what; a column that is None does not exist."""

    tool: str
    """Whose table it is; empty: of none that is known."""
    metric: str
    metrics: tuple[str, ...]
    """Columns; the objective is the first of them."""
    parameters: dict[str, str]
    """Parameter → its column."""
    trial: str | None
    step: str | None
    seed: str | None
    state: str | None
    diverged: str | None
    label: str | None
    """What people call a trial."""
    left_out: tuple[str, ...]


def mapped(table: pa.Table, asked: Asked) -> Mapping:
    """Find out which column of a table is what.

    Raises:
        SpecError: It cannot be told, or there is no such column.
    """
    names = table.column_names
    form = next(one for one in FORMS if one.marks <= set(names))
    parameters = _parameters(table, form, asked)
    taken = set(parameters.values())

    def one(said: str | None, usual: Iterable[str], fits: Callable[[pa.DataType], bool] = lambda _: True) -> str | None:
        if said is not None:
            return _known(said, names)
        return next((name for name in usual if name in names and name not in taken and fits(_kind(table, name))), None)

    trial, step = one(asked.trial, form.trial, _scalar), one(asked.step, form.step, _countable)
    seed = one(asked.seed, ("seed",), pa.types.is_integer) or _of_prefix("seed", parameters)
    state, diverged = one(None, form.state, _text), one(None, ("diverged",), pa.types.is_boolean)
    parameters = {name: column for name, column in parameters.items() if column not in {trial, step, seed}}
    if not parameters:
        raise SpecError(f"which columns are parameters? name them: --params lr,units; there are {_listed(names)}")
    label = form.label if trial is None and form.label else None
    taken |= {label or "", trial or "", step or "", seed or "", state or "", diverged or ""}
    metrics = _metrics(table, form, asked, taken)
    used = {*taken, *metrics}
    return Mapping(
        tool=form.tool,
        metric=metrics[0],
        metrics=metrics,
        parameters=parameters,
        trial=trial,
        step=step,
        seed=seed,
        state=state,
        diverged=diverged,
        label=label,
        left_out=tuple(name for name in names if name not in used),
    )


def _parameters(table: pa.Table, form: Form, asked: Asked) -> dict[str, str]:
    """Parameter → column; a prefix that the tool put before its name is taken away where what is left may be a name."""
    if asked.params:
        columns = _chosen(asked.params, table)
    else:
        columns = [name for name in table.column_names if form.prefix and name.startswith(form.prefix)]
    found: dict[str, str] = {}
    for column in columns:
        short = column.removeprefix(form.prefix)
        found[short if short not in found and _may_be_named(short) else column] = column
    check_names(found)
    return found


def _of_prefix(name: str, parameters: Named[str, str]) -> str | None:
    """The column among those of parameters that is none by its name, such as `config/seed`; None: there is none."""
    return next((column for column in parameters.values() if column != name and column.endswith(f"/{name}")), None)


def _may_be_named(name: str) -> bool:
    try:
        check_names([name])
    except SpecError:
        return False
    return True


def _metrics(table: pa.Table, form: Form, asked: Asked, taken: set[str]) -> tuple[str, ...]:
    """The objective's column and those of other metrics."""
    names = table.column_names
    if asked.metrics:
        columns = _chosen(asked.metrics, table)
    else:
        columns = [one for one in names if one not in taken and _numeric(_kind(table, one)) and _may_be_metric(one)]
        columns = [one for one in columns if not any(fnmatchcase(one, pattern) for pattern in (*form.others, INDEX))]
    metric = asked.metric or (form.metric if form.metric in columns else None)
    if metric is None and len(columns) != 1:
        raise SpecError(f"which column is the metric that decides? add --metric, one of {_listed(columns or names)}")
    metric = columns[0] if metric is None else _known(metric, names)
    for name in (metric, *columns):
        _check_metric(table, name, taken)
    return tuple(dict.fromkeys((metric, *columns)))


def _check_metric(table: pa.Table, name: str, taken: set[str]) -> None:
    if name in taken:
        raise SpecError(f"the column {name!r} is a parameter or marks the trials, and cannot be a metric too")
    if not _numeric(_kind(table, name)):
        raise SpecError(f"the column {name!r} is to be a metric, but does not hold numbers: it is {_kind(table, name)}")
    try:
        check_metric_name(name)
    except ValueError as error:
        raise SpecError(f"{error}") from error


def _may_be_metric(name: str) -> bool:
    try:
        check_metric_name(name)
    except ValueError:
        return False
    return True


def _chosen(patterns: Sequence[str], table: pa.Table) -> list[str]:
    """The columns that names and patterns mean, in the order in which they are named; a matrix means all of its own."""
    names = table.column_names
    matrices = {field.name: (field.metadata or {}).get(MATRIX, b"").decode() for field in table.schema}
    found: list[str] = []
    for pattern in patterns:
        exact = [pattern] if pattern in names else [name for name in names if matrices[name] == pattern]
        found += exact or [name for name in names if fnmatchcase(name, pattern)] or [_known(pattern, names)]
    return list(dict.fromkeys(found))


def _known(name: str, names: Sequence[str]) -> str:
    if name not in names:
        raise SpecError(f"the table has no column {name!r}{did_you_mean(name, names)}")
    return name


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:12])) + (", …" if len(names) > 12 else "")


def _kind(table: pa.Table, name: str) -> pa.DataType:
    return table.schema.field(name).type


def is_list(kind: pa.DataType) -> bool:
    """Whether a column holds whole curves."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _numeric(kind: pa.DataType) -> bool:
    return _number(kind.value_type) if is_list(kind) else _number(kind)


def _countable(kind: pa.DataType) -> bool:
    return _numeric(kind)


def _text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


def _scalar(kind: pa.DataType) -> bool:
    return not is_list(kind)
