"""What an object is made of, so that two of them can be compared piece by piece, whatever their types.

Functions, classes and modules are taken apart here; of nearly everything else Python's own protocol of copying and
pickling tells what it is made of (`__reduce_ex__`), so that no list of types is ever complete or needs to be.
"""

from __future__ import annotations

import builtins
import contextvars
import copyreg
import enum
import functools
import importlib
import io
import pickle
import sys
import threading
import types
import weakref
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from caviar.spec.code_names import FINDERS, attribute_names, finds_modules, global_names

ABSENT = object()
"""In the place of a piece that there is on one side only."""
_ATOMS = (bool, int, str, bytes, type(None), type(...), type(NotImplemented))
_PLAIN = (list, tuple, dict, set, frozenset)
_LONG = 1_000
_ANY_NAME = {"globals", "eval", "exec"}
_NAMESPACES = {"__globals__", "f_globals"}
"""A function that calls one of the former, or has such an attribute, may read any global."""
_UNTOLD = {"__dict__", "__weakref__", "__doc__", "__module__", "__annotations__"}
_SAID = (types.FunctionType, classmethod, staticmethod, property, functools.cached_property, *_ATOMS, tuple)
"""What a class may say under a name with two underscores that is compared; the rest its metaclass has put there."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """The parts of an object."""

    head: Any = None
    """A number, a text or a tuple of such: equal, if the objects are."""
    parts: tuple[tuple[str, Any], ...] = ()
    """What else it holds, each with what to write behind the object's name."""
    ordered: bool = False
    """Whether the order of the parts, and that they are as many, belongs to it."""


def pieces(value: Any, own: Collection[str]) -> Pieces | None:
    """Take an object apart; None: nobody can say what it is made of, such as a connection to a database.

    Args:
        value: Anything.
        own: Names of the experiment's modules: what others hold is the same for everybody.
    """
    kind = type(value)
    parts_of = _KNOWN.get(kind) or next((_KNOWN[one] for one in _OPEN if isinstance(value, one)), None)
    if parts_of is not None:
        return parts_of(value)
    if kind is types.FunctionType:
        return _of_function(value, own)
    if isinstance(value, types.ModuleType):
        return of_module(value, None, own) if value.__name__ in own else Pieces(head=id(value))
    return _of_numbers(value) or _of_protocol(value, own)


def of_module(module: types.ModuleType, names: Collection[str] | None, own: Collection[str]) -> Pieces:
    """A module's attributes, of these dotted names; None: all but the modules of others that it has imported."""
    held = vars(module)
    if names is not None:
        chosen = {name.partition(".")[0] for name in names} & held.keys()
    else:
        chosen = {
            key
            for key, one in held.items()
            if not key.startswith("__") and (not isinstance(one, types.ModuleType) or one.__name__ in own)
        }
    return Pieces(parts=tuple((f".{key}", held[key]) for key in sorted(chosen)))


def long_and_plain(value: Any) -> bytes | None:
    """The bytes of a long container of numbers and texts; None: it is short, or holds other things."""
    if type(value) not in _PLAIN or len(value) < _LONG:
        return None
    buffer = io.BytesIO()
    try:
        _PlainPickler(buffer, protocol=5).dump(value)
    except Exception:
        return None
    return buffer.getvalue()


class _PlainPickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        raise pickle.PicklingError


def _of_container(value: Any) -> Pieces:
    if isinstance(value, dict):
        parts: list[tuple[str, Any]] = []
        for number, (key, one) in enumerate(value.items()):
            plain = type(key) in (*_ATOMS, float)
            parts.append((f"[{key!r}]" if plain else f"[the value of key {number}]", one))
            if not plain:
                parts.append((f"[key {number}]", key))
        return Pieces(parts=tuple(parts), ordered=True)
    items = list(value)
    if isinstance(value, (set, frozenset)):
        items.sort(key=lambda one: (hash(one), type(one).__qualname__, repr(one) if type(one) in _ATOMS else ""))
    return Pieces(parts=tuple((f"[{number}]", one) for number, one in enumerate(items)), ordered=True)


def _of_class(value: type) -> Pieces:
    held = {
        key: one
        for key, one in vars(value).items()
        if key not in _UNTOLD and not key.startswith("_abc") and (not _dunder(key) or isinstance(one, _SAID))
    }
    held.pop("__firstlineno__", None)
    parts = [(f".{key}", held[key]) for key in sorted(held)]
    over = (("'s metaclass", type(value)), ("'s bases", value.__bases__))
    return Pieces(head=value.__qualname__, parts=(*over, *parts))


def _of_member(value: enum.Enum) -> Pieces:
    """A member of an enumeration, with what it was given beside its value; `_hash_` and the like are Python's."""
    given = {key: one for key, one in vars(value).items() if not key.startswith("_") or key == "_value_"}
    return Pieces(
        head=value.name, parts=(("'s class", type(value)), *((f".{key}", given[key]) for key in sorted(given)))
    )


def _dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _of_function(value: types.FunctionType, own: Collection[str]) -> Pieces:
    code = value.__code__
    parts = [("'s defaults", value.__defaults__), ("'s keyword defaults", value.__kwdefaults__)]
    parts.append(("'s attributes", vars(value)))
    for name, cell in zip(code.co_freevars, value.__closure__ or (), strict=True):
        parts.append((f"'s {name}", _content(cell)))
    if home_of(value) in own:
        held = value.__globals__
        names = global_names(code)
        if names & _ANY_NAME or attribute_names(code) & _NAMESPACES or reaches_any_module(value):
            names |= {name for name in held if not name.startswith("__")}
        parts += [(f":{name}", held[name]) for name in sorted(names) if name in held]
    return Pieces(head=code, parts=tuple(parts))


def home_of(function: types.FunctionType) -> Any:
    """The module that a function is written in, whatever function it says it wraps."""
    return function.__globals__.get("__name__")


def reaches_any_module(function: types.FunctionType) -> bool:
    """Whether a function may look modules up by name, and so depend on any module that is loaded."""
    code, held = function.__code__, function.__globals__
    if finds_modules(code):
        return True
    names = global_names(code)
    values = [held[name] for name in names - FINDERS if name in held]
    if any(one is sys for one in values) and "modules" in attribute_names(code):
        return True
    return any(one is way for one in values for way in (sys.modules, importlib.import_module, builtins.__import__))


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return ABSENT


def _of_protocol(value: Any, own: Collection[str]) -> Pieces | None:
    """The pieces that pickling would send."""
    kind = type(value)
    try:
        reducer = copyreg.dispatch_table.get(kind)
        found = reducer(value) if reducer is not None else value.__reduce_ex__(4)
    except Exception:
        wrapped = getattr(value, "__wrapped__", None)
        return None if wrapped is None else Pieces(head=kind.__qualname__, parts=(("", wrapped),))
    if isinstance(found, str):  # it is known by its name, as a function of C: there is one of it
        here = getattr(value, "__module__", None) in own
        return Pieces(head=found if here else id(value))
    state, items, pairs, *_ = (*tuple(found)[2:], None, None, None)
    parts: list[tuple[str, Any]] = [("", found[0]), ("", found[1])]
    for one in state if isinstance(state, tuple) and len(state) == 2 else (state,):
        if type(one) is dict and all(type(key) is str for key in one):
            parts += [(f".{key}", one[key]) for key in sorted(one) if not _derived(kind, key)]
        else:
            parts.append(("", one))
    if items is not None:
        parts.append(("", list(items)))
    if pairs is not None:
        parts.append(("", dict(pairs)))
    return Pieces(parts=tuple(parts))


def _derived(kind: type, name: str) -> bool:
    """Whether an attribute is a value that was worked out from the others and kept."""
    return any(isinstance(vars(one).get(name), functools.cached_property) for one in kind.__mro__)


def _of_numbers(value: Any) -> Pieces | None:
    """An array, for speed, or one of torch's tensors and generators, whose pickles hold addresses; None: it is none."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(value) is numpy.ndarray and not value.dtype.hasobject:
        return Pieces(head=(repr(value.dtype), value.shape, value.tobytes()))
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, (torch.Tensor, torch.Generator)):
        return None
    if isinstance(value, torch.Generator):
        return Pieces(head=str(value.device), parts=(("", value.get_state()),))
    try:
        numbers = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    except Exception:  # a sparse one, say
        return None
    head = type(value).__qualname__, str(value.dtype), tuple(value.shape), str(value.device), value.requires_grad
    return Pieces(head=(*head, numbers))


def _of_file(value: Any) -> Pieces | None:
    try:
        where = None if value.closed else value.tell()
    except (OSError, ValueError):
        return None
    return Pieces(head=(repr(getattr(value, "name", None)), getattr(value, "mode", None), where))


def _of_builtin(value: Any) -> Pieces:
    if value.__self__ is None or isinstance(value.__self__, types.ModuleType):
        return Pieces(head=id(value))  # there is one of it
    return Pieces(head=value.__name__, parts=(("", value.__self__),))


def _of_descriptor(value: Any) -> Pieces:
    return Pieces(head=(value.__objclass__.__qualname__, value.__name__))


def _nothing(value: Any) -> Pieces:
    """Of a lock only its type counts; an object of weak references holds nothing itself."""
    return Pieces()


def _listed(value: Any) -> Pieces:
    return Pieces(parts=(("", list(value)),))


_KNOWN: Mapping[Any, Callable[[Any], Pieces | None]] = {
    **dict.fromkeys(_ATOMS, lambda value: Pieces(head=value)),
    **dict.fromkeys((float, complex), lambda value: Pieces(head=repr(value))),  # -0.0 is not 0.0, but nan is nan
    **dict.fromkeys(_PLAIN, _of_container),
    type: _of_class,
    types.MethodType: lambda value: Pieces(parts=(("", value.__func__), ("", value.__self__))),
    types.BuiltinFunctionType: _of_builtin,
    types.MethodWrapperType: _of_builtin,
    types.WrapperDescriptorType: _of_descriptor,
    types.MethodDescriptorType: _of_descriptor,
    types.ClassMethodDescriptorType: _of_descriptor,
    types.GetSetDescriptorType: _of_descriptor,
    types.MemberDescriptorType: _of_descriptor,
    types.CodeType: lambda value: Pieces(head=value),
    types.CellType: lambda value: Pieces(parts=(("", _content(value)),)),
    types.MappingProxyType: lambda value: Pieces(parts=(("", dict(value)),)),
    staticmethod: lambda value: Pieces(parts=(("", value.__func__),)),
    classmethod: lambda value: Pieces(parts=(("", value.__func__),)),
    property: lambda value: Pieces(parts=(("", value.fget), ("'s setter", value.fset), ("'s deleter", value.fdel))),
    functools._lru_cache_wrapper: lambda value: Pieces(
        parts=(("", value.__wrapped__), ("", value.cache_parameters() if hasattr(value, "cache_parameters") else None))
    ),
    type({}.keys()): _listed,
    type({}.values()): _listed,
    type({}.items()): _listed,
    memoryview: lambda value: Pieces(head=(value.format, value.shape, value.tobytes())),
    contextvars.ContextVar: lambda value: Pieces(head=value.name, parts=(("", value.get(ABSENT)),)),
    type(threading.Lock()): _nothing,
    type(threading.RLock()): _nothing,
    weakref.WeakKeyDictionary: _nothing,
    weakref.WeakValueDictionary: _nothing,
    weakref.WeakSet: _nothing,
    weakref.ref: lambda value: Pieces(parts=(("", value()),)),
    threading.local: lambda value: Pieces(parts=(("", dict(vars(value))),)),
    io.TextIOWrapper: _of_file,
    io.BufferedIOBase: lambda value: _of_protocol(value, ()) if isinstance(value, io.BytesIO) else _of_file(value),
    io.RawIOBase: _of_file,
    enum.Enum: _of_member,
}
"""Types that pickle does not take, or whose pickles say too much."""
_OPEN = (type, enum.Enum, threading.local, io.TextIOWrapper, io.BufferedIOBase, io.RawIOBase)
"""Those whose subclasses are taken apart in the same way."""
