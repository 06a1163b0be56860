"""The curves that are replayed: of a sweep that ran, or of a table in a numpy file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from caviar.errors import SpecError
from caviar.execute.recorded import Recorded
from caviar.select import select
from caviar.select.rule import identifier

Stages = tuple[tuple[float, int, float], ...]
"""Of one trial: seconds that a step takes, its number, and the metric there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Whole curves: what the trials do when nobody stops them."""

    name: str
    mode: str
    trials: tuple[Stages, ...]
    values: tuple[float, ...]
    """By which each trial that is trained to its end is compared, as the sweep's rule says; NaN: it is not."""
    pausing: bool = False
    """The trials were said to save and load checkpoints."""


def curves_of(views: Any, description: Any, title: str) -> Curves:
    """The completed trials of a sweep, each step as long as it took.

    Args:
        views: The store's views, of this sweep.
        description: The sweep's, as JSON values.
        title: What to call it.

    Raises:
        SpecError: It has fewer than two completed trials.
    """
    plan = description["plan"]
    metric = plan["metric"]
    ended = "SELECT trial FROM trials WHERE state = 'COMPLETED'"
    began = views.execute(f"SELECT trial, epoch(started) FROM trials WHERE trial IN ({ended})").fetchall()
    if len(began) < 2:
        raise SpecError(f"{title} has {len(began)} completed trials: a replay needs at least two whole curves")
    value = identifier(metric)
    columns = views.execute(
        f"SELECT trial, step, epoch_ms(time) AS time, {value} FROM curves "
        f"WHERE trial IN ({ended}) AND {value} IS NOT NULL"
    ).fetchnumpy()
    rows = pa.table({name: pa.array(column) for name, column in columns.items()})
    recorded = Recorded(rows, dict(began))
    numbers = list(recorded.trials())
    trials = [
        tuple((seconds, step, found[metric]) for seconds, step, found in recorded.stages(trial)) for trial in numbers
    ]
    chosen = select(views, description, k=len(began), steps=False)
    values = {row.trial: row.value for row in chosen.rows}
    return Curves(
        name=title,
        mode=plan["mode"],
        trials=tuple(trials),
        values=tuple(values.get(trial, math.nan) for trial in numbers),
        pausing=plan.get("pausing", False),
    )


def curves_of_table(path: Path, name: str | None, steps: Sequence[int] | None, mode: str) -> Curves:
    """An array of curves, [n, steps], in a numpy file; a step takes a minute.

    Args:
        path: The .npz file.
        name: The array; None: the only one of two dimensions.
        steps: First and last column that count; a column's number is its step. None: all.
        mode: `min` or `max`.

    Raises:
        SpecError: There is no such file or array.
    """
    if not path.is_file():
        raise SpecError(f"there is no file {path}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (OSError, ValueError, AttributeError) as error:  # a single array, as of np.save, has no files
        raise SpecError(f"{path} is no numpy file of named arrays: {error}") from error
    flat = [key for key, one in arrays.items() if one.ndim == 2 and one.shape[1] > 1 and one.dtype.kind in "fiu"]
    if name is None and len(flat) == 1:
        name = flat[0]
    if not flat or (name is not None and name not in flat):
        raise SpecError(f"{path} has no array {name or '[trials, steps]'}: its tables are {', '.join(flat) or 'none'}")
    if name is None:
        raise SpecError(f"{path} has the tables {', '.join(flat)}: say which, as --table {flat[0]}")
    table = np.asarray(arrays[name], np.float64)
    first, last = (0, table.shape[1] - 1) if steps is None else (steps[0], min(steps[-1], table.shape[1] - 1))
    trials = tuple(
        tuple((60.0, step, value) for step, value in enumerate(row, first))
        for row in table[:, first : last + 1].tolist()
    )
    values = tuple(table[:, last].tolist())
    return Curves(name=f"{path.name}:{name}", mode=mode, trials=trials, values=values)
