"""From a function, or a file, to the program that travels: which file it is, and the names that lead to it."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from caviar.errors import SpecError, missing
from caviar.spec.code_snapshot import (
    entry_of,
    package_of,
    program_of_file,
    program_of_functions,
    program_of_module,
    program_of_modules,
)
from caviar.spec.command_source import command_of, command_program
from caviar.spec.object_parts import ABSENT
from caviar.spec.same_function import Comparison, resolved, rewrites
from caviar.spec.user_modules import OURS, folder_elsewhere, installed
from caviar_workers.command import Command
from caviar_workers.load import load_module, modules_apart, one_at_a_time
from caviar_workers.messages import Program
from caviar_workers.surroundings import Surroundings, working_folder


@contextmanager
def muted() -> Iterator[None]:
    """Drop what the present thread prints meanwhile; one thread at a time."""
    before = sys.stdout, sys.stderr
    ours = _Muted(before[0]), _Muted(before[1])
    sys.stdout, sys.stderr = ours
    try:
        yield
    finally:
        if sys.stdout is ours[0]:
            sys.stdout = before[0]
        if sys.stderr is ours[1]:
            sys.stderr = before[1]


class _Muted:
    """A stream as it is, but for what the thread writes that has made this: a handler that it keeps stays dumb too."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread = threading.get_ident()

    def write(self, text: Any) -> int:
        """Write the text, or drop it where the thread is muted."""
        if threading.get_ident() == self._thread or self._stream is None:
            return len(text)
        return int(self._stream.write(text))

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write the lines one by one."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what was written."""
        if self._stream is not None:
            self._stream.flush()

    @property
    def buffer(self) -> Any:
        """The stream's bytes, as dumb."""
        return _Muted(self._stream.buffer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


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
    with one_at_a_time:
        before = Surroundings(mask=False)
        try:
            program = _program_of(functions, snapshot)
            moved = working_folder() != before.folder
        finally:
            before.restore()  # the user's modules are imported anew, and that is to change nothing here
    return dataclasses.replace(program, folder=before.folder) if moved else program


def _program_of(functions: Mapping[str, Function | None], snapshot: Program | None) -> Program:
    if (command := command_of(functions)) is not None:
        return command_program(command)
    if snapshot is not None:
        return _of_snapshot(functions, snapshot)
    module = _module_of(functions["train"])
    file = getattr(module, "__file__", None)
    ours = module is not None and _top(module.__name__) in OURS
    if module is None or file is None or not file.endswith(".py") or installed(Path(file)) or ours:
        return program_of_functions(functions, _neighbours(functions))
    program = program_of_file(Path(file), package=_package(module, Path(file)))
    named = _named(program, module, functions)
    reason = _change(program, named, module, functions)
    if named is not None and reason is None:
        return named
    return dataclasses.replace(program_of_functions(functions, program), reason=f"of {file}, {reason}")


def _of_snapshot(functions: Mapping[str, Function | None], snapshot: Program) -> Program:
    """The program of functions that were loaded from a snapshot, or have taken the place of such."""
    module = load_module(snapshot)
    if snapshot.train:
        gone = {role: "" for role, function in functions.items() if function is None}
        found: Program = dataclasses.replace(snapshot, **gone)  # type: ignore[arg-type]  # mypy takes it for any field
        if all(getattr(found, role) for role, function in functions.items() if function is not None):
            comparison = Comparison(snapshot.module, snapshot.module, (), fresh=sys.modules.__getitem__)
            _look(comparison, found, module, functions)
            if comparison.changed is None:
                return found
    if (named := _named(snapshot, module, functions)) is not None:
        return named
    beside = snapshot.files.keys() - {snapshot.module}
    _compare(
        functions,
        lambda: Comparison(snapshot.module, snapshot.module, beside, fresh=partial(_fresh, snapshot)),
        None,
        None,
    )
    return program_of_functions(functions, snapshot)


def _change(
    program: Program, named: Program | None, module: ModuleType, functions: Mapping[str, Function | None]
) -> str | None:
    """Say why importing the program would give other functions; None: it would give the same.

    Args:
        program: The module's file, and what it imports.
        named: The same with the names of the functions; None: one of them has none.
        module: The module in this process.
        functions: By their roles.

    Raises:
        SpecError: What differs is in another module, and would not travel with the functions.
    """
    reason = "they have no name there" if named is None else None
    try:
        fresh = _apart(program, program.module)
    except (Exception, SystemExit) as error:
        reason = f"which cannot be imported: {type(error).__name__}: {_one_line(error):.160}"
        named, fresh = None, {}

    def of(name: str) -> ModuleType:
        return fresh[name] if name in fresh else _fresh(program, name)

    changed = _compare(
        functions,
        lambda: Comparison(
            module.__name__,
            program.module,
            program.files.keys() - {program.module},
            fresh=of,
            sent=[one.__name__ for one in own_modules(filter(None, functions.values()))],
            rewritten=rewrites(module),
        ),
        named,
        fresh.get(program.module),
    ).changed
    return reason or (None if changed is None else f"where importing gives another {changed}, or may give one")


def _neighbours(functions: Mapping[str, Function | None]) -> Program:
    """The snapshot of the modules beside a notebook: those that were imported, and those that its functions import.

    Raises:
        SpecError: One of them is not what it is where its file is imported, or cannot be read.
    """
    roots = {Path.cwd(), Path(sys.path[0] or ".").resolve()}
    elsewhere = functools.cache(_elsewhere)
    written = {name: root for name in list(sys.modules) if (root := _root(name)) is not None}
    beside = {name: root for name, root in written.items() if root in roots or root == elsewhere(_top(name))}
    here = getattr(functions["train"], "__module__", None) or "__main__"

    def of(name: str) -> ModuleType:
        return _fresh(program_of_module(name, beside[name]), name)

    found = _compare(functions, lambda: Comparison(here, here, beside.keys() - {here}, fresh=of), None, None)
    names: dict[Path, set[str]] = {root: {name for name in beside if beside[name] == root} for root in sorted(roots)}
    looked_into = {Path(path or ".").resolve() for path in sys.path}
    for root in roots & looked_into:
        if not installed(root / "module.py"):
            names[root] |= set(found.imports)
    for name in sorted(found.imports | found.met):
        folder = beside.get(name) or elsewhere(_top(name))
        if folder is not None:
            names.setdefault(folder, set()).add(name)
    return program_of_modules(names)


def _elsewhere(top: str) -> Path | None:
    folder = folder_elsewhere(top)
    return None if folder is None else folder.resolve()


def _top(name: str) -> str:
    return name.partition(".")[0]


def _compare(
    functions: Mapping[str, Function | None],
    comparison: Callable[[], Comparison],
    named: Program | None,
    module: ModuleType | None,
) -> Comparison:
    """Compare the functions with those of the same names in a module that was imported anew.

    Raises:
        SpecError: Something differs, or may differ, that would not be sent with the functions.
    """
    found = comparison()
    _look(found, named, module, functions)
    lost = found.lost
    if found.exhausted:
        again = comparison()
        again.look_beside()
        lost = lost or again.lost
    if lost is not None:
        raise SpecError(
            f"{lost} is not what it is where its file is imported, as the workers do, or cannot be compared, so train "
            "may not be the same there: hand it to train in train_args, or set it in that file"
        )
    return found


def _look(
    comparison: Comparison, program: Program | None, module: ModuleType | None, functions: Mapping[str, Function | None]
) -> None:
    for role, function in functions.items():
        if function is not None:
            name = getattr(program, role, "")
            comparison.look(function, resolved(module, name) if name else ABSENT, role)


def _fresh(program: Program, name: str) -> ModuleType:
    """One of the program's modules, imported anew."""
    try:
        return _apart(program, name)[name]
    except (Exception, SystemExit) as error:
        raise SpecError(
            f"{name}, which train uses, cannot be imported anew, as the workers do: {type(error).__name__}: "
            f"{_one_line(error):.160}"
        ) from error


def _apart(program: Program, name: str) -> dict[str, ModuleType]:
    with one_at_a_time, muted():
        return modules_apart(program, name)


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
    package = package_of(path)
    program = program_of_file(path, package=package)
    before, places = Surroundings(mask=False), list(sys.path)
    try:
        module = load_module(program)
        if sys.path != places:  # the file has said where else its modules lie
            before.go_back()
            program = program_of_file(path, package=package)
            module = load_module(program)
    except SpecError as error:
        where = _line(error, path, program)
        raise SpecError(f"{path}{where}: {error}" if where else str(error)) from error
    except (Exception, SystemExit) as error:
        where = _line(error, path, program)
        word = f"{path} raised {type(error).__name__} at import{where}: {_one_line(error)}"
        if isinstance(error, ImportError):
            relative = f": give its package's folders an __init__.py, or type python -m PACKAGE.{path.stem}"
            word += relative if "relative import" in str(error) else missing(str(error))
        raise SpecError(word) from error
    finally:
        before.go_back()  # workers begin here too, and the import leads them to where it leads a script
    return module, program


def _line(error: BaseException, path: Path, program: Program) -> str:
    """` (line 3)`, or ` (line 3 of space.py)` where that is another file of the program; empty: none of its lines."""
    files = {str(Path(file).resolve()) for file, _ in program.files.values()}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in files]
    if not frames:
        return ""
    other = "" if Path(frames[-1].filename) == path.resolve() else f" of {Path(frames[-1].filename).name}"
    return f" (line {frames[-1].lineno}{other})"


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
    return [module for name, module in found.items() if name != "__main__" and not installed(_file_of(module))]


def _root(name: str) -> Path | None:
    """The folder that a module which somebody has written, or its outermost package, lies in."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if name == "__main__" or not isinstance(file, str) or not file.endswith(".py") or installed(Path(file)):
        return None
    path = Path(file).resolve()
    depth = name.count(".") + (path.name == "__init__.py")
    return path.parents[depth] if depth < len(path.parents) else None


def _module_of(function: Function | None) -> ModuleType | None:
    while isinstance(function, partial):
        function = function.func
    own = None if isinstance(function, Command) else getattr(function, "__module__", None)
    return sys.modules.get(own or "")


def _file_of(module: ModuleType) -> Path:
    return Path(getattr(module, "__file__", None) or "")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or "without a word of why"
