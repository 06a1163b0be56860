"""Whether the function that a worker imports is the one that was given: the same code, the same values in its sight.

A worker imports the experiment's file under another name than `__main__`. What the script did after its imports, such
as `train = partial(train, …)`, or setting a global from the command line, has not happened there.
"""

from __future__ import annotations

import argparse
import dis
import enum
import math
import sys
import types
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

_MOST_LOOKS = 100_000
"""Pairs of objects that are compared; a table of millions is believed."""
_ATOMS = (int, float, complex, str, bytes, PurePath)


class Comparison:
    """Compares what a process has with what an import of the same files gives.

    Args:
        here: Name of the experiment's module in this process, such as `__main__`.
        there: Its name where it was imported.
        beside: Names of the other modules of the experiment.
        rewritten: The code here is not what Python makes of the file: pytest's loader, say, changes it.
    """

    def __init__(self, here: str, there: str, beside: Collection[str], *, rewritten: bool = False) -> None:
        self._names = {here: there}
        self._own = {here, there, *beside}
        self._beside = set(beside)
        self._rewritten = rewritten
        self._seen: dict[tuple[int, int], tuple[Any, Any]] = {}

    def difference(self, one: Any, other: Any, where: str) -> str | None:
        """Where the first difference is, as a dotted name; None: there is none that matters.

        Args:
            one: From this process.
            other: From the import.
            where: What to call them.
        """
        pair = id(one), id(other)
        if one is other or pair in self._seen or len(self._seen) > _MOST_LOOKS:
            return None
        self._seen[pair] = one, other  # which also keeps their ids from being used again
        if not self._same_type(one, other):
            return where
        for part, name in self._parts(one, other, where):
            if part is None:
                return name
            if (found := self.difference(*part, name)) is not None:
                return found
        return None

    def _same_type(self, one: Any, other: Any) -> bool:
        first, second = type(one), type(other)
        return first is second or (first.__qualname__ == second.__qualname__ and self._same_module(first, second))

    def _same_module(self, one: Any, other: Any) -> bool:
        name = getattr(one, "__module__", None)
        return self._names.get(str(name), name) == getattr(other, "__module__", None)

    def _parts(self, one: Any, other: Any, where: str) -> Iterator[tuple[tuple[Any, Any] | None, str]]:
        """Pairs of parts with their names; None in place of a pair: there they differ."""
        if isinstance(one, types.FunctionType):
            yield from self._function_parts(one, other, where)
        elif isinstance(one, types.ModuleType):
            yield from self._module_parts(one, other, where)
        elif isinstance(one, type):
            yield from self._class_parts(one, other, where)
        elif isinstance(one, types.MethodType):
            yield (one.__func__, other.__func__), where
            yield (one.__self__, other.__self__), where
        elif isinstance(one, partial):
            yield (one.func, other.func), where
            yield (one.args, other.args), where
            yield (one.keywords, other.keywords), where
        elif isinstance(one, (staticmethod, classmethod)) or hasattr(one, "__wrapped__"):
            yield (one.__wrapped__, other.__wrapped__), where
        elif isinstance(one, enum.Enum):
            yield (one.name, other.name), where
        else:
            yield from self._value_parts(one, other, where)

    def _value_parts(self, one: Any, other: Any, where: str) -> Iterator[tuple[tuple[Any, Any] | None, str]]:
        if isinstance(one, (Mapping, list, tuple)):
            keys, others = ([*x] if isinstance(x, Mapping) else [*range(len(x))] for x in (one, other))
            if keys != others:
                yield None, where
                return
            for key in keys:
                yield (one[key], other[key]), f"{where}[{key!r:.40}]"
        elif is_dataclass(one):
            for field in fields(one):
                yield (getattr(one, field.name, None), getattr(other, field.name, None)), f"{where}.{field.name}"
        elif self._is_open(one):
            for name in vars(one).keys() | vars(other).keys():
                yield _pair(vars(one), vars(other), name), f"{where}.{name}"
        elif not self._equal(one, other):
            yield None, where

    def _equal(self, one: Any, other: Any) -> bool:
        """Whether values without parts are equal; of objects that nobody knows, such as a logger, it is believed."""
        if isinstance(one, _ATOMS):
            return bool(one == other or self._names.get(str(one)) == other or _both_nan(one, other))
        if isinstance(one, (set, frozenset)):
            return one == other or not all(isinstance(item, _ATOMS) for item in one | other)
        if _is_array(one):
            return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())
        return True

    def _is_open(self, value: Any) -> bool:
        """Whether an object is one of the user's own classes, or of those that do nothing but hold values."""
        own = type(value).__module__ in self._own or isinstance(value, (argparse.Namespace, types.SimpleNamespace))
        return own and hasattr(value, "__dict__")

    def _function_parts(self, one: Any, other: Any, where: str) -> Iterator[tuple[tuple[Any, Any] | None, str]]:
        if not self._same_code(one.__code__, other.__code__):
            yield None, where
            return
        yield (one.__defaults__, other.__defaults__), f"the defaults of {where}"
        yield (one.__kwdefaults__, other.__kwdefaults__), f"the defaults of {where}"
        for name, mine, theirs in zip(
            one.__code__.co_freevars, one.__closure__ or (), other.__closure__ or (), strict=True
        ):
            yield (_content(mine), _content(theirs)), f"{name} in {where}"
        if (module := one.__module__) not in self._own:
            return
        prefix = f"{module}." if module in self._beside else ""
        for name in sorted(global_names(one.__code__)):
            mine, theirs = one.__globals__, other.__globals__
            if name in mine or name in theirs:
                yield _pair(mine, theirs, name), f"{prefix}{name}"

    def _module_parts(self, one: Any, other: Any, where: str) -> Iterator[tuple[tuple[Any, Any] | None, str]]:
        name = one.__name__
        if self._names.get(name, name) != other.__name__:
            yield None, where
        elif name in self._own:
            for key in vars(one).keys() | vars(other).keys():
                if not key.startswith("__") and not isinstance(vars(one).get(key), types.ModuleType):
                    yield _pair(vars(one), vars(other), key), f"{name}.{key}"

    def _class_parts(self, one: Any, other: Any, where: str) -> Iterator[tuple[tuple[Any, Any] | None, str]]:
        if one.__qualname__ != other.__qualname__ or not self._same_module(one, other):
            yield None, where
        elif one.__module__ in self._own:
            for key in vars(one).keys() | vars(other).keys():
                if key not in {"__dict__", "__weakref__", "__doc__", "__module__"} and not key.startswith("_abc"):
                    yield _pair(vars(one), vars(other), key), f"{where}.{key}"

    def _same_code(self, one: types.CodeType, other: types.CodeType) -> bool:
        if self._rewritten:
            return (one.co_name, one.co_firstlineno) == (other.co_name, other.co_firstlineno)
        return bool(_code_key(one) == _code_key(other))


def global_names(code: types.CodeType) -> set[str]:
    """Names of globals that a function, or one within it, reads."""
    names = {str(step.argval) for step in dis.get_instructions(code) if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    return names.union(*(global_names(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)))


def rewrites(module: types.ModuleType) -> bool:
    """Whether the module's loader makes other code of a file than Python does."""
    loader = getattr(module, "__loader__", None)
    return loader is not None and type(loader).__module__.partition(".")[0] not in {
        "_frozen_importlib_external",
        "importlib",
        "caviar_workers",
    }


def _code_key(code: types.CodeType) -> Any:
    """What a function does, whatever the lines that it stands in."""
    inner = [_code_key(one) for one in code.co_consts if isinstance(one, types.CodeType)]
    constants = [(type(one), repr(one)) for one in code.co_consts if not isinstance(one, types.CodeType)]
    arguments = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return code.co_name, arguments, code.co_code, inner, constants, names


def _pair(mine: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> tuple[Any, Any] | None:
    return (mine[name], theirs[name]) if name in mine and name in theirs else None


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None


def _both_nan(one: Any, other: Any) -> bool:
    return isinstance(one, float) and math.isnan(one) and math.isnan(other)


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)) and bool(value.dtype != object)
