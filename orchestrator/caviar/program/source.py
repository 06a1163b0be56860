"""From a function, or a file, to the program that travels: which file it is, and the names that lead to it."""

from __future__ import annotations

import dataclasses
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from caviar.errors import SpecError
from caviar.installing import missing
from caviar.program.entry import entry_of
from caviar.program.snapshot import program_of_file, program_of_functions
from caviar_workers.load import load_module
from caviar_workers.messages import Program

Function = Callable[..., Any]


def program_of(functions: Mapping[str, Function | None], snapshot: Program | None = None) -> Program:
    """The program of a sweep's functions.

    Args:
        functions: The train function, and by their roles (`final`, `constraint`, `data`) those others that there are.
        snapshot: The snapshot that the functions were loaded from, if they were; one that names them is the program.

    Returns:
        The sources, where the functions can be found in their file by name; else the functions themselves.

    Raises:
        SpecError: The file cannot be read, or is not valid Python any more.
    """
    train = functions["train"]
    if snapshot is not None:
        if snapshot.train:
            gone = {role: "" for role, function in functions.items() if function is None}
            return dataclasses.replace(snapshot, **gone)  # type: ignore[arg-type]  # mypy takes it for any field
        return _named(snapshot, load_module(snapshot), functions) or program_of_functions(functions)
    inner = train
    while isinstance(inner, partial):
        inner = inner.func
    module = sys.modules.get(getattr(inner, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if module is None or file is None or not file.endswith(".py") or _installed(Path(file)):
        return program_of_functions(functions)
    program = program_of_file(Path(file), package=_package(module, Path(file)))
    return _named(program, module, functions) or program_of_functions(functions)


def load_file(path: Path) -> tuple[ModuleType, Program]:
    """Snapshot an experiment's file and import it from the snapshot.

    Raises:
        SpecError: There is no such file, it is not Python, or it raises at import.
    """
    if not path.is_file():
        raise SpecError(f"there is no experiment {path}: give a Python file that holds a Sweep")
    program = program_of_file(path)
    try:
        return load_module(program), program
    except SpecError:
        raise
    except (Exception, SystemExit) as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path.resolve()]
        where = f" (line {frames[-1].lineno})" if frames else ""
        word = f"{path} raised {type(error).__name__} at import{where}: {_one_line(error)}"
        raise SpecError(word + (missing(str(error)) if isinstance(error, ImportError) else "")) from error


def _named(program: Program, module: ModuleType, functions: Mapping[str, Function | None]) -> Program | None:
    """The program with the names of the functions; None: one of them has no name in the module."""
    given = {role: function for role, function in functions.items() if function is not None}
    names = {role: entry_of(vars(module), function) for role, function in given.items()}
    if None in names.values():
        return None
    return dataclasses.replace(program, **names)  # type: ignore[arg-type]  # mypy takes them for any field


def _package(module: ModuleType, file: Path) -> str:
    """The package that a module was imported as part of; empty: of none, or its folders are not called so."""
    package = module.__package__ or ""
    parts = package.split(".")
    return package if package and list(file.resolve().parent.parts[-len(parts) :]) == parts else ""


def _installed(file: Path) -> bool:
    return "site-packages" in file.parts or "dist-packages" in file.parts


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or "without a word of why"
