"""Whether the function that a worker imports is the one that was given: the same code, the same values in its sight.

A worker imports the experiment's file under another name than `__main__`. What the script did after its imports, such
as `train = partial(train, …)`, or setting a global from the command line, has not happened there.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import PurePath
from typing import Any

from caviar.program.parts import (
    HOLDERS,
    OPEN,
    WRAPPERS,
    Parts,
    attributes,
    content,
    global_names,
    held_by,
    imported_names,
    item_parts,
    known_parts,
    pairs,
    taken_apart,
)

_ATOMS = (int, float, complex, str, bytes, PurePath)
_DEEPEST = 10_000
"""Levels of parts within parts; what is deeper counts as different."""


class Comparison:
    """Compares what a process has with what an import of the same files gives.

    Args:
        here: Name of the experiment's module in this process, such as `__main__`.
        there: Its name where it was imported.
        beside: The other modules of the experiment that were imported, by name.
        rewritten: The code here is not what Python makes of the file: pytest's loader, say, changes it.
    """

    def __init__(
        self, here: str, there: str, beside: Mapping[str, types.ModuleType], *, rewritten: bool = False
    ) -> None:
        self._names = {here: there}
        self._own = {here, there, *beside}
        self._beside = beside
        self._rewritten = rewritten
        self._seen: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._believed = 0
        """Objects that could not be compared."""

    def differences(self, one: Any, other: Any, where: str) -> Iterator[str]:
        """Where they differ, as dotted names, in order.

        Args:
            one: From this process.
            other: From the import.
            where: What to call them.
        """
        yield from self._walk(iter([((one, other), where)]))

    def differences_beside(self, functions: Iterable[Any]) -> Iterator[str]:
        """Where what functions find in the other modules of the experiment is not what the import gives."""
        waiting = list(functions)
        seen = {id(one): one for one in waiting}
        while waiting:
            value = waiting.pop()
            home = str(value.__globals__.get("__name__")) if isinstance(value, types.FunctionType) else ""
            if home in self._beside:
                yield from self._walk(self._globals_parts(value, vars(self._beside[home])))
            elif home in self._own:
                yield from self._walk(self._late_parts(value))
            elif isinstance(value, types.ModuleType) and value.__name__ in self._beside:
                yield from self.differences(value, self._beside[value.__name__], value.__name__)
            for part in held_by(value, self._own):
                if id(part) not in seen:
                    seen[id(part)] = part
                    waiting.append(part)

    def _walk(self, parts: Parts) -> Iterator[str]:
        stack = [parts]
        while stack:
            for part, name in stack[-1]:
                if part is None:
                    yield name
                    continue
                one, other = part
                pair = id(one), id(other)
                if one is other or pair in self._seen:
                    continue
                if not isinstance(one, _ATOMS):
                    self._seen[pair] = part  # which also keeps their ids from being used again
                if not self._same_type(one, other) or len(stack) > _DEEPEST:
                    yield name
                    continue
                stack.append(self._parts(one, other, name))
                break
            else:
                stack.pop()

    def _same_type(self, one: Any, other: Any) -> bool:
        first, second = type(one), type(other)
        return first is second or (first.__qualname__ == second.__qualname__ and self._same_module(first, second))

    def _same_module(self, one: Any, other: Any) -> bool:
        name = getattr(one, "__module__", None)
        return self._names.get(str(name), name) == getattr(other, "__module__", None)

    def _parts(self, one: Any, other: Any, where: str) -> Parts:
        if isinstance(one, types.FunctionType):
            yield from self._function_parts(one, other, where)
        elif isinstance(one, types.ModuleType):
            yield from self._module_parts(one, other, where)
        elif isinstance(one, type):
            yield from self._class_parts(one, other, where)
        elif (names := next((names for kind, names in WRAPPERS.items() if isinstance(one, kind)), None)) is not None:
            for name in names:
                yield (getattr(one, name, None), getattr(other, name, None)), where
        elif "__wrapped__" in (getattr(one, "__dict__", None) or {}) and hasattr(other, "__wrapped__"):
            yield (one.__wrapped__, other.__wrapped__), where
        else:
            yield from self._value_parts(one, other, where)

    def _value_parts(self, one: Any, other: Any, where: str) -> Parts:
        own = type(one).__module__ in self._own
        if isinstance(one, _ATOMS):
            if not self._equal(one, other):
                yield None, where
        elif isinstance(one, (Mapping, list, tuple)):
            yield from item_parts(one, other, where)
        elif isinstance(one, (set, frozenset)):
            yield from pairs(sorted(one, key=self._key), sorted(other, key=self._key), where)
        elif (known := known_parts(one, other)) is not None:
            yield known, where
        elif not own and not isinstance(one, OPEN) and not is_dataclass(one):
            yield from self._unknown_parts(one, other, where)
        if own or is_dataclass(one) or isinstance(one, OPEN):
            mine, theirs = attributes(one), attributes(other)
            yield from ((_pair(mine, theirs, name), f"{where}.{name}") for name in mine | theirs)
            if any(base.__module__ not in self._own and base is not object for base in type(one).__mro__):
                yield from self._unknown_parts(one, other, where)
        elif isinstance(one, HOLDERS) and type(one) not in HOLDERS:
            yield from self._unknown_parts(one, other, where)

    def _unknown_parts(self, one: Any, other: Any, where: str) -> Parts:
        """What pickle would take of an object that nobody knows; what it cannot take, such as a lock, is believed.

        For that could not be sent to the workers either, and they make it themselves.
        """
        mine, theirs = taken_apart(one), taken_apart(other)
        if mine is None or theirs is None:
            self._believed += 1
            return
        before, known = self._believed, len(self._seen)
        try:
            differ = any([*self._walk((_pair(mine, theirs, key), where) for key in mine | theirs)])
        except RecursionError:
            self._believed += 1
        if self._believed == before and differ:
            yield None, where
        while self._believed != before and len(self._seen) > known:
            self._seen.popitem()

    def _equal(self, one: Any, other: Any) -> bool:
        if isinstance(one, (float, complex)):  # NaN is itself, and -0.0 is not 0.0
            kind = float if isinstance(one, float) else complex
            return kind.__repr__(one) == kind.__repr__(other)
        return bool(one == other) or (isinstance(one, str) and self._renamed(one) == other)

    def _renamed(self, text: str) -> str:
        """What a text that begins with the module's name here is there, such as the name of a logger."""
        for here, there in self._names.items():
            if text == here or text.startswith(f"{here}."):
                return there + text[len(here) :]
        return text

    def _key(self, value: Any) -> str:
        """Sorts the items of sets, which have no order."""
        text = re.sub(r" at 0x\w+", "", repr(value))
        for here, there in self._names.items():
            text = text.replace(here, there)
        return f"{type(value).__qualname__} {text}"

    def _function_parts(self, one: Any, other: Any, where: str) -> Parts:
        if not self._same_code(one.__code__, other.__code__):
            yield None, where
            return
        yield (one.__defaults__, other.__defaults__), f"the defaults of {where}"
        yield (one.__kwdefaults__, other.__kwdefaults__), f"the defaults of {where}"
        for name, mine, theirs in zip(
            one.__code__.co_freevars, one.__closure__ or (), other.__closure__ or (), strict=True
        ):
            yield (content(mine), content(theirs)), f"{name} in {where}"
        if one.__module__ in self._own:
            mine, theirs = vars(one), vars(other)
            yield from ((_pair(mine, theirs, key), f"{where}.{key}") for key in mine | theirs if key != "__wrapped__")
            yield from self._globals_parts(one, other.__globals__)

    def _globals_parts(self, one: types.FunctionType, theirs: Mapping[str, Any]) -> Parts:
        prefix = f"{one.__module__}." if one.__module__ in self._beside else ""
        mine = one.__globals__
        for name in sorted(global_names(one.__code__)):
            if name in mine or name in theirs:
                yield _pair(mine, theirs, name), f"{prefix}{name}"
        yield from self._late_parts(one)

    def _late_parts(self, one: types.FunctionType) -> Parts:
        """The modules that a function imports as it runs."""
        for name in sorted(imported_names(one.__code__) & self._beside.keys() & sys.modules.keys()):
            yield (sys.modules[name], self._beside[name]), name

    def _module_parts(self, one: Any, other: Any, where: str) -> Parts:
        name = one.__name__
        if self._names.get(name, name) != other.__name__:
            yield None, where
        elif name in self._own:
            for key in vars(one).keys() | vars(other).keys():
                if not key.startswith("__") and not isinstance(vars(one).get(key), types.ModuleType):
                    yield _pair(vars(one), vars(other), key), f"{name}.{key}"

    def _class_parts(self, one: Any, other: Any, where: str) -> Parts:
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
