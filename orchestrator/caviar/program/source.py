"""From a function, or a file, to the program that travels: which file it is, and the names that lead to it."""

from __future__ import annotations

import dataclasses
import io
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from caviar.errors import SpecError
from caviar.installing import missing
from caviar.program.entry import entry_of
from caviar.program.sameness import Comparison, rewrites
from caviar.program.snapshot import program_of_file, program_of_functions
from caviar_workers.load import load_module, modules_apart
from caviar_workers.messages import Program

Function = Callable[..., Any]


def program_of(functions: Mapping[str, Function | None], snapshot: Program | None = None) -> Program:
    """The program of a sweep's functions.

    Args:
        functions: The train function, and by their roles (`final`, `constraint`, `data`) those others that there are.
        snapshot: The snapshot that the functions were loaded from, if they were; one that names them is the program.

    Returns:
        The sources, where importing them gives these very functions under some name; else the functions themselves.

    Raises:
        SpecError: The file cannot be read, or is not valid Python any more; or neither gives these functions.
    """
    if snapshot is not None:
        return _of_snapshot(functions, snapshot)
    module = _module_of(functions["train"])
    file = getattr(module, "__file__", None)
    if module is None or file is None or not file.endswith(".py") or _installed(Path(file)):
        return program_of_functions(functions)
    program = program_of_file(Path(file), package=_package(module, Path(file)))
    named = _named(program, module, functions)
    reason = _change(named or program, module, functions)
    if named is not None and reason is None:
        return named
    return dataclasses.replace(
        program_of_functions(functions), reason=f"of {file}, {reason or 'they have no name there'}"
    )


def _of_snapshot(functions: Mapping[str, Function | None], snapshot: Program) -> Program:
    """The program of functions that were loaded from a snapshot, or have taken the place of such."""
    module = load_module(snapshot)
    if snapshot.train:
        gone = {role: "" for role, function in functions.items() if function is None}
        found: Program = dataclasses.replace(snapshot, **gone)  # type: ignore[arg-type]  # mypy takes it for any field
        if all(getattr(found, role) for role, function in functions.items() if function is not None):
            beside = {name: sys.modules[name] for name in snapshot.files if name in sys.modules}
            comparison = Comparison(snapshot.module, snapshot.module, beside)
            if next(_differences(comparison, found, module, functions), None) is None:
                return found
    return _named(snapshot, module, functions) or program_of_functions(functions)


def _change(program: Program, module: ModuleType, functions: Mapping[str, Function | None]) -> str | None:
    """Why importing the program gives other functions; None: it gives these, or has no names for them.

    Raises:
        SpecError: What differs is in another module, and would not travel with the functions.
    """
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            there = modules_apart(program)
    except (Exception, SystemExit) as error:
        return f"which cannot be imported: {type(error).__name__}: {_one_line(error):.160}"
    fresh = there.pop(program.module)
    comparison = partial(Comparison, module.__name__, program.module, there, rewritten=rewrites(module))
    name = next(_differences(comparison(), program, fresh, functions), None) if program.train else None
    if program.train and name is None:
        return None
    # The functions are sent then, with what they find in their own module; but not what there is in others.
    lost = next(comparison().differences_beside(functions.values()), None)
    if lost is not None:
        raise SpecError(
            f"{lost} is not what it is where its file is imported, as the workers do, so train would not be the same "
            "there: hand it to train in train_args, or set it in that file"
        )
    return None if name is None else f"where importing gives another {name}"


def _differences(
    comparison: Comparison, program: Program, module: ModuleType, functions: Mapping[str, Function | None]
) -> Iterator[str]:
    for role, function in functions.items():
        if function is None:
            continue
        name = getattr(program, role)
        try:
            found = attrgetter(name)(module)
        except AttributeError:
            yield role
        else:
            yield from comparison.differences(function, found, role)


def load_file(path: Path) -> tuple[ModuleType, Program]:
    """Snapshot an experiment's file and import it from the snapshot.

    Raises:
        SpecError: There is no such file, it is not Python, or it raises at import.
    """
    if not os.path.isfile(path):  # also where the system takes no such name, such as one that is too long
        beside = f"{path}.py" if path.name else ""
        meant = f"did you mean {beside}?" if os.path.isfile(beside) else "give a Python file that holds a Sweep"
        said = f"{path} is a folder" if os.path.isdir(path) else f"there is no experiment {path}"
        raise SpecError(f"{said}: {meant}")
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


def own_modules(functions: Iterable[Function]) -> list[ModuleType]:
    """The modules, beside `__main__`, in which the user wrote these functions."""
    found = {module.__name__: module for module in map(_module_of, functions) if module is not None}
    return [module for name, module in found.items() if name != "__main__" and not _installed(_file_of(module))]


def _module_of(function: Function | None) -> ModuleType | None:
    while isinstance(function, partial):
        function = function.func
    return sys.modules.get(getattr(function, "__module__", None) or "")


def _file_of(module: ModuleType) -> Path:
    return Path(getattr(module, "__file__", None) or "")


def _installed(file: Path) -> bool:
    place = file.parts
    return "site-packages" in place or "dist-packages" in place or file.is_relative_to(sysconfig.get_path("stdlib"))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or "without a word of why"
