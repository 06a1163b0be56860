"""Loads the user's program from its snapshot, so that editing a file in mid-sweep changes nothing."""

from __future__ import annotations

import functools
import importlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.resources.readers import FileReader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType, SimpleNamespace
from typing import Any

from caviar_workers.extra_packages import find_last, packages_beside
from caviar_workers.messages import Program


def cached_again(function: Callable[..., Any], parameters: Mapping[str, Any]) -> Callable[..., Any]:
    """The function with an empty cache of its own, with the parameters of `functools.lru_cache`."""
    again: Callable[..., Any] = functools.lru_cache(**parameters)(function)
    return again


class _Nobody:
    """Gone at once."""


def weak_again(kind: Callable[..., Any], held: Any) -> Any:
    """A weak reference, or a container of such, to what the one referred to that was sent."""
    return kind(_Nobody() if held is None else held)


@contextmanager
def handlers_passed_over() -> Iterator[None]:
    """While the calling thread imports, and is not the main one, let it install signal handlers in vain.

    To raise would fail a file that is right as a script; and the signals of a process of trials are not the user's.
    """
    importer: int | None = threading.get_ident()
    if threading.current_thread() is threading.main_thread():
        yield
        return
    install = signal.signal

    def passing_over(number: Any, handler: Any) -> Any:
        if threading.get_ident() == importer:
            return signal.getsignal(number)
        return install(number, handler)  # whoever has kept this function

    signal.signal = passing_over  # type: ignore[assignment]  # as much of it as is used
    try:
        yield
    finally:
        importer = None
        signal.signal = install


_installed: SnapshotFinder | None = None
_functions: dict[bytes, Mapping[str, Callable[..., Any]]] = {}
"""By their mark, the functions that were sent here last."""
_this = threading.local()
"""`importing`: whether this thread imports from a snapshot; others may start sweeps meanwhile."""
one_at_a_time = threading.RLock()
"""Held by who imports from a snapshot: which modules there are, and the command line, are all threads'."""


class SnapshotFinder(MetaPathFinder, InspectLoader):
    """Imports modules from source text; `__file__` stays the path that they had, so that data beside them is found."""

    def __init__(self, program: Program) -> None:
        self.digest = program.digest
        self.folder = _Folder(root_of(program)) if program.module else None
        self._files = program.files
        self._packages = program.packages
        self._root = program.root

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of the snapshot by its full name."""
        if fullname not in self._files:
            return None
        origin = self._files[fullname][0]
        spec = spec_from_loader(fullname, self, origin=origin, is_package=self.is_package(fullname))
        assert spec is not None
        spec.has_location = True
        if self.is_package(fullname):
            # What the snapshot lacks, such as an extension module, or one whose name is made up, is found on the disk.
            spec.submodule_search_locations = [os.path.dirname(origin)]
        return spec

    def is_package(self, fullname: str) -> bool:
        """Whether the module is a package."""
        return fullname in self._packages

    def get_source(self, fullname: str) -> str:
        """Source text as it was; tracebacks show these lines."""
        return self._files[fullname][1]

    def get_data(self, path: str) -> bytes:
        """Bytes of a file beside a module, as it is now (for `pkgutil.get_data`)."""
        with open(path, "rb") as file:
            return file.read()

    def get_resource_reader(self, fullname: str) -> FileReader:
        """Reads files beside a module, as they are now (for `importlib.resources`)."""
        return FileReader(SimpleNamespace(path=self._files[fullname][0]))  # type: ignore[arg-type]  # it asks for no more

    def exec_module(self, module: ModuleType) -> None:
        """Compile and run the module."""
        path, source = self._files[module.__name__]
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)

    def forget(self) -> None:
        """Take the snapshot's modules out of this process."""
        for name in self._files:
            sys.modules.pop(name, None)
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in (self, self.folder)]

    def install(self) -> None:
        """Find the snapshot's modules first, and those that only lie beside them last of all."""
        if (packages := packages_beside(self._root)) is not None:
            find_last(packages)
        sys.meta_path.insert(0, self)
        if self.folder is not None:
            sys.meta_path.append(self.folder)


class _Folder(MetaPathFinder):
    """Finds what nobody else does in the experiment's folder, where the name of a module was made up as it ran."""

    def __init__(self, path: str) -> None:
        self._path = path

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a top-level module of the folder."""
        return PathFinder.find_spec(fullname, [self._path], target) if path is None else None


def root_of(program: Program) -> str:
    """The folder that Python itself would have looked into first."""
    name = program.module
    folder = os.path.dirname(program.files[name][0])
    for _ in range(name.count(".") + (name in program.packages)):
        folder = os.path.dirname(folder)
    return folder


def importing() -> bool:
    """Whether the user's file is being imported from a snapshot just now: nobody may start a sweep from there."""
    return getattr(_this, "importing", False)


def load_module(program: Program) -> ModuleType:
    """Import the program's module, once per process and snapshot; an older snapshot's modules make way.

    Raises:
        Exception: Whatever the user's module raises at import.
    """
    with _importing(program):
        return importlib.import_module(program.module)


@contextmanager
def _importing(program: Program) -> Iterator[None]:
    """Import from the program's snapshot, once per process and snapshot; after an error, from the beginning again."""
    global _installed  # noqa: PLW0603 — sys.modules is global too
    with one_at_a_time:
        finder = _finder_of(program)
        try:
            with _wordless(program):
                yield
        except BaseException:
            finder.forget()
            _installed = None
            raise


def adopt(program: Program, name: str) -> ModuleType:
    """Take the program for this process, a child that began afresh, where one of its modules is just being imported."""
    spec = _finder_of(program).find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = module_from_spec(spec)
    with _marked():
        spec.loader.exec_module(module)
    return module


def _finder_of(program: Program) -> SnapshotFinder:
    global _installed  # noqa: PLW0603 — sys.meta_path is global too
    if _installed is None or _installed.digest != program.digest:
        if _installed is not None:
            _installed.forget()
        _installed = SnapshotFinder(program)
        _installed.install()
    return _installed


def import_apart(program: Program) -> ModuleType:
    """Import the program's module anew, as a worker would; the modules of this process stay what they are.

    Raises:
        Exception: Whatever the user's module raises at import.
    """
    return modules_apart(program, program.module)[program.module]


def modules_apart(program: Program, name: str) -> dict[str, ModuleType]:
    """Import one of the program's modules anew, as a worker would: it and those of them that it imports, by name.

    Raises:
        Exception: Whatever the user's modules raise at import.
    """
    with one_at_a_time:
        finder = SnapshotFinder(program)
        kept = {name: sys.modules.pop(name) for name in program.files if name in sys.modules}
        finder.install()
        try:
            with _wordless(program):
                importlib.import_module(name)
            return {name: sys.modules[name] for name in program.files if name in sys.modules}
        finally:
            finder.forget()
            sys.modules.update(kept)


@contextmanager
def _wordless(program: Program) -> Iterator[None]:
    """Let the program's modules, which are being imported, find no words on their command line, wherever that is."""
    words = sys.argv
    sys.argv = [program.files[program.module][0] if program.module else ""]
    try:
        with _marked(), handlers_passed_over():
            yield
    finally:
        sys.argv = words


@contextmanager
def _marked() -> Iterator[None]:
    """Say of this thread that it imports."""
    before = importing()
    _this.importing = True
    try:
        yield
    finally:
        _this.importing = before


def load_function(program: Program, name: str) -> Callable[..., Any]:
    """The function `name` of the program.

    Raises:
        AttributeError: The module has no such name.
        TypeError: It is not a function.
    """
    if program.pickled:
        return _opened(program)[name]
    if name in program.functions:
        return program.functions[name]
    value: Any = load_module(program)
    for part in name.split("."):
        value = getattr(value, part)
    if not callable(value):
        raise TypeError(f"'{name}' in {program.module} is not a function")
    return value  # type: ignore[no-any-return]


def _opened(program: Program) -> Mapping[str, Callable[..., Any]]:
    """Unpickle the functions that were sent, once a process: what they share lives as long as a module would."""
    mark, data, *buffers = program.pickled
    with _importing(program):
        if mark not in _functions:
            _functions.clear()
            _functions[mark] = pickle.loads(data, buffers=buffers)
    return _functions[mark]
