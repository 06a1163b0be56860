"""The curves that are replayed: of a sweep that ran, or of a table in a numpy file."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
from numpy.lib.npyio import NpzFile

from caviar.display.numbers import counted
from caviar.errors import NoResultError, SpecError
from caviar.results.edited import edited_trials, left_out
from caviar.results.selector import select
from caviar.run.executors.simulated import Recorded
from caviar.store.read.sql import name as quoted
from caviar.store.sweep_dir import stored_plan

_NEEDS = "a replay needs at least two whole curves"
_NO_TABLE = "is no numpy file of named arrays: numpy.savez(FILE, curves=array) writes one"

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
        SpecError: It has fewer than two completed trials, or none that could be chosen.
    """
    plan = stored_plan(description["plan"])
    metric = plan.metric
    edited = edited_trials(views)
    kept = f" AND trial NOT IN ({', '.join(map(str, sorted(edited)))})" if edited else ""
    ended = f"SELECT trial FROM trials WHERE state = 'COMPLETED'{kept}"
    asked = f"SELECT trial, attempt, min(epoch(started)) FROM attempts WHERE trial IN ({ended}) GROUP BY trial, attempt"
    began = {(trial, attempt): at for trial, attempt, at in views.execute(asked).fetchall() if at is not None}
    value = quoted(metric)
    columns = views.execute(
        f"SELECT trial, attempt, step, epoch_ms(time) AS time, {value} FROM curves "
        f"WHERE trial IN ({ended}) AND {value} IS NOT NULL"
    ).fetchnumpy()
    rows = pa.table({name: pa.array(column) for name, column in columns.items()})
    recorded = Recorded(rows, began)
    numbers = list(recorded.trials())
    trials = [
        tuple((seconds, step, found[metric]) for seconds, step, found in recorded.stages(trial)) for trial in numbers
    ]
    chosen = select(views, description, k=max(1, len(numbers)), steps=False)
    values = {row.trial: row.value for row in chosen.rows}
    curves = Curves(
        name=title,
        mode=plan.mode,
        trials=tuple(trials),
        values=tuple(values.get(trial, math.nan) for trial in numbers),
        pausing=plan.pausing,
    )
    if len(trials) < 2:
        also = f" ({left_out(edited)})" if edited else ""
        raise NoResultError(f"{title} has {counted(len(trials), 'completed trial')}{also}: {_NEEDS}")
    return _checked(curves, f"{title} has {counted(len(trials), 'completed trial')}")


def curves_of_table(path: Path, name: str | None, steps: Sequence[int] | None, mode: str) -> Curves:
    """An array of curves, [n, steps], in a numpy file; a step takes a minute.

    Args:
        path: The .npz file.
        name: The array; None: the only one of two dimensions.
        steps: First and last column that count; a column's number is its step. None: all.
        mode: `min` or `max`.

    Raises:
        SpecError: There is no such file, array or column, or nothing to be chosen from.
    """
    arrays = _arrays(path)
    flat = [key for key, one in arrays.items() if one.ndim == 2 and one.shape[1] > 1 and one.dtype.kind in "fiu"]
    if name is None and len(flat) == 1:
        name = flat[0]
    if not flat or (name is not None and name not in flat):
        raise SpecError(f"{path} has no array {name or '[trials, steps]'}: its tables are {', '.join(flat) or 'none'}")
    if name is None:
        raise SpecError(f"{path} has the tables {', '.join(flat)}: say which, as --table {flat[0]}")
    table = np.asarray(arrays[name], np.float64)
    title, end = f"{path.name}:{name}", table.shape[1] - 1
    first, last = (0, end) if steps is None else (steps[0], steps[-1])
    if last > end:
        raise SpecError(f"{title} has the columns 0 to {end}, but got --columns {first}:{last}")
    trials = tuple(
        tuple((60.0, step, value) for step, value in enumerate(row, first))
        for row in table[:, first : last + 1].tolist()
    )
    values = tuple(table[:, last].tolist())
    return _checked(
        Curves(name=title, mode=mode, trials=trials, values=values), f"{title} has {counted(len(trials), 'row')}"
    )


def _arrays(path: Path) -> dict[str, Any]:
    """The arrays of an .npz file by their names, without those of Python objects."""
    if not path.is_file():
        raise SpecError(f"there is no file {path}")
    try:
        with path.open("rb") as raw:
            return _named(path, np.load(raw, allow_pickle=False))
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror or error}") from error
    except SpecError:
        raise
    except (ValueError, EOFError, BadZipFile) as error:
        raise SpecError(f"{path} {_NO_TABLE}") from error


def _named(path: Path, file: Any) -> dict[str, Any]:
    if not isinstance(file, NpzFile):
        raise SpecError(f"{path} holds one array without a name, and {_NO_TABLE}")
    found = {}
    for key in file.files:
        try:
            found[key] = file[key]
        except (BadZipFile, zlib.error, EOFError) as error:
            raise SpecError(f"{path} is damaged: its array {key} cannot be read") from error
        except ValueError:  # it holds Python objects, and so is no table
            continue
    return found


def _checked(curves: Curves, what: str) -> Curves:
    """The curves, if anything can be said of them."""
    if len(curves.trials) < 2:
        raise SpecError(f"{what}: {_NEEDS}")
    if not any(map(math.isfinite, curves.values)):
        raise SpecError(f"{what}, and none ends with a finite value: nobody could be chosen")
    return curves
