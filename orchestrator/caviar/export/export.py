"""Hands a sweep over to another tool, in that tool's own form; the sweep in the store stays as it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING
from uuid import uuid4

from caviar.display.whole_file import check_free, to_file
from caviar.errors import CaviarError, SpecError, did_you_mean, to_install
from caviar.export import to_mlflow, to_optuna, to_table, to_tensorboard, to_wandb
from caviar.export.exported import Exported

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDocument:
    """A sweep that was handed over.

    Attributes:
        sweep: its id.
        to: the tool, or the form of the table.
        file: the file, folder or server that it went to.
        trials: how many went over.
        edited: how many trials of the sweep were edited while they trained, or forked: their values did not come of the
            configuration that goes over, which is the one that they began with.
        left_out: state → how many did not, for they had not ended or never began.
    """

    sweep: str
    to: str
    file: str
    trials: int
    edited: int
    left_out: dict[str, int]


Write = Callable[[Exported, str], int]

PACKAGES = {"optuna": ("optuna",), "tensorboard": ("tensorboard",), "mlflow": ("mlflow",), "wandb": ("wandb",)}
"""Tool → what it needs."""
TABLES: dict[str, Callable[[OpenSweep, str], int]] = {
    "csv": to_table.all_columns,
    "latex": to_table.LATEX,
    "markdown": to_table.MARKDOWN,
}
TOOLS = (*PACKAGES, *TABLES)


def export(opened: OpenSweep, to: str, where: str, *, force: bool = False) -> ExportDocument:
    """Hand a sweep over.

    Args:
        opened: The sweep.
        to: One of `TOOLS`.
        where: A file; for TensorBoard and W&B a folder; for MLflow a server too.
        force: Replace a file that is there; a folder never is.

    Raises:
        SpecError: There is no such tool, it is not installed, or the place does not suit it, or is taken.
    """
    if to not in TOOLS:
        raise SpecError(f"there is no export to {to!r}{did_you_mean(to, TOOLS)}")
    if not to_mlflow.is_server(where):
        check_free(where, force=force)
    sweep = Exported(opened)
    edited = len(sweep.edited)
    if to in TABLES:
        count = 0

        def table(path: str) -> None:
            nonlocal count
            count = TABLES[to](opened, path)

        to_file(where, table)
        return ExportDocument(sweep=sweep.sweep, to=to, file=where, trials=count, edited=edited, left_out={})
    _need(to)
    count = _WRITERS[to](sweep, where)
    return ExportDocument(sweep=sweep.sweep, to=to, file=where, trials=count, edited=edited, left_out=sweep.left_out)


def _need(tool: str) -> None:
    for package in PACKAGES[tool]:
        if find_spec(package) is None:
            raise SpecError(f"an export to {tool} needs {package}, which is not installed: type {to_install(package)}")


def _optuna(sweep: Exported, where: str) -> int:
    to_optuna.check_place(where)
    with _new_file(where) as path:
        return to_optuna.write(sweep, path)


def _mlflow(sweep: Exported, where: str) -> int:
    to_mlflow.check_place(where)
    if to_mlflow.is_server(where):
        return to_mlflow.write(sweep, where)
    with _new_file(where) as path:
        return to_mlflow.write(sweep, path)


def _tensorboard(sweep: Exported, where: str) -> int:
    with _new_folder(where):
        return to_tensorboard.write(sweep, where)


def _wandb(sweep: Exported, where: str) -> int:
    with _new_folder(where):
        return to_wandb.write(sweep, where)


_WRITERS: dict[str, Write] = {
    "optuna": _optuna,
    "tensorboard": _tensorboard,
    "mlflow": _mlflow,
    "wandb": _wandb,
}


@contextmanager
def _new_file(where: str) -> Iterator[str]:
    """A name beside the file, which gets the file's own when the block ends."""
    stem, ending = os.path.splitext(os.path.abspath(where))
    aside = f"{stem}.{uuid4().hex[:8]}.tmp{ending}"
    try:
        with open(aside, "xb"):  # so that a folder that is not there is told by its name
            pass
        yield aside
        os.replace(aside, where)
    except CaviarError:  # of the store, not of the file
        raise
    except OSError as error:
        raise SpecError(f"cannot write {where}: {error.strerror or error}; name another file") from error
    finally:
        for left in (aside, f"{aside}-journal", f"{aside}-wal", f"{aside}-shm"):
            with suppress(OSError):
                os.unlink(left)


@contextmanager
def _new_folder(where: str) -> Iterator[None]:
    """A folder that is removed where the block does not come to its end."""
    try:
        os.makedirs(where)
    except OSError as error:
        raise SpecError(f"cannot write {where}: {error.strerror or error}; name another folder") from error
    try:
        yield
    except BaseException:
        shutil.rmtree(where, ignore_errors=True)
        raise
