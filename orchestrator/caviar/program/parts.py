"""What an object is made of: items, attributes, what a function finds, and else what pickle would take of it."""

from __future__ import annotations

import argparse
import copyreg
import dis
import enum
import sys
import types
from collections.abc import Collection, ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from functools import cached_property, partial
from typing import Any

_FLAT = (int, float, complex, str, bytes)
_MANY = 10_000
"""A list of more than these is not searched for functions."""

WRAPPERS: dict[type, tuple[str, ...]] = {
    types.MethodType: ("__func__", "__self__"),
    partial: ("func", "args", "keywords"),
    staticmethod: ("__wrapped__",),
    classmethod: ("__wrapped__",),
    property: ("fget", "fset", "fdel"),
    cached_property: ("func",),
    enum.Enum: ("name", "value"),
}
"""What leads to another object → the names of what it leads to."""
OPEN = (argparse.Namespace, types.SimpleNamespace)
"""They do nothing but hold values."""
HOLDERS = (dict, list, tuple, set, frozenset)
_VIEWS = (KeysView, ValuesView, ItemsView)
_PLAIN = {*_FLAT, bool, types.NoneType}

Pair = tuple[Any, Any]
Parts = Iterator[tuple[Pair | None, str]]
"""Pairs of parts with their names; None in place of a pair: there they differ."""


def attributes(value: Any) -> dict[str, Any]:
    """The attributes that an object itself has, in its dict and in slots; of a dataclass, its fields too."""
    state = object.__getstate__(value)
    inside, slots = state if isinstance(state, tuple) else (state, None)
    named = {name: getattr(value, name, None) for name in getattr(type(value), "__dataclass_fields__", ())}
    return named | dict(inside or {}) | dict(slots or {})


def taken_apart(value: Any) -> dict[str, Any] | None:
    """What would be pickled of an object: any key → part; None: it cannot be pickled.

    Its parts are not pickled here, so that they may be anything.
    """
    getattr(value, "__dict__", None)  # some objects make it when it is first looked for, and differ by that
    reduce = copyreg.dispatch_table.get(type(value))
    try:
        made = reduce(value) if reduce is not None else value.__reduce_ex__(4)
        if isinstance(made, str):  # a global of its module
            return {"": (getattr(value, "__module__", None), made)}
        make, arguments, state, items, pairs = (*made, None, None, None, None)[:5]
        parts = {"": (make, arguments, list(items or ()), list(pairs or ()))}
    except Exception:
        return None
    if isinstance(state, dict):
        return parts | {f".{name}": part for name, part in state.items()}
    return parts | {" ": state}


def item_parts(one: Any, other: Any, where: str) -> Parts:
    """Pairs of the items of mappings, lists or tuples, and of keys."""
    if not isinstance(one, Mapping):
        yield from pairs(one, other, where)
        return
    keys, others = list(one), list(other)
    if not _same_flat(keys, others):
        yield from pairs(keys, others, where)
    if len(keys) == len(others):
        mine, theirs = [one[key] for key in keys], [other[key] for key in others]
        if not _same_flat(mine, theirs):
            named = [f"{where}[{key!r:.40}]" for key in keys]
            yield from zip(zip(mine, theirs, strict=True), named, strict=True)


def pairs(one: Sequence[Any], other: Sequence[Any], where: str) -> Parts:
    """Pairs of the items of two lists."""
    if len(one) != len(other):
        yield None, where
    elif not _same_flat(one, other):
        yield from ((pair, f"{where}[{i}]") for i, pair in enumerate(zip(one, other, strict=True)))


def _same_flat(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether these are the same numbers and texts, and nothing else: quick, for a table may have millions."""
    kinds = [*map(type, one)]
    return kinds == [*map(type, other)] and {*kinds} <= _PLAIN and [*map(repr, one)] == [*map(repr, other)]


def known_parts(one: Any, other: Any) -> Pair | None:
    """A pair to compare in place of two arrays, tensors or views, of which pickle tells too much or nothing."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and type(one) in (numpy.ndarray, numpy.ma.MaskedArray):
        return _array(one), _array(other)
    if torch is not None and isinstance(one, torch.Tensor):
        return _tensor(one), _tensor(other)
    if isinstance(one, _VIEWS):
        return list(one), list(other)
    if isinstance(one, memoryview):
        return (one.format, one.shape, one.tobytes()), (other.format, other.shape, other.tobytes())
    return None


def _array(value: Any) -> Any:
    items = value.tolist() if value.dtype.hasobject else value.tobytes()
    return str(value.dtype), value.shape, items, getattr(value, "mask", None), getattr(value, "fill_value", None)


def _tensor(value: Any) -> Any:
    plain = value.detach().cpu()
    try:
        held = plain.contiguous().view(-1).view(sys.modules["torch"].uint8).numpy().tobytes()
    except (RuntimeError, TypeError):  # sparse, quantized, without values
        held = repr(plain)
    return str(value.dtype), str(value.device), tuple(value.shape), value.requires_grad, held


def held_by(value: Any, own: Collection[str]) -> list[Any]:
    """What a function, or what leads to one, holds and finds.

    Args:
        value: It, or anything else, which holds its class.
        own: Names of the modules whose functions and classes are looked into.
    """
    if isinstance(value, types.FunctionType):
        if value.__globals__.get("__name__") not in own and value.__module__ not in own:
            return []
        found = [value.__globals__.get(name) for name in global_names(value.__code__)]
        return [*found, *map(content, value.__closure__ or ()), *(value.__defaults__ or ())]
    if isinstance(value, type):
        return [*vars(value).values()] if value.__module__ in own else []
    if isinstance(value, HOLDERS):
        return [*(value.values() if isinstance(value, dict) else value)] if len(value) <= _MANY else []
    names = next((names for kind, names in WRAPPERS.items() if isinstance(value, kind)), ())
    known = isinstance(value, (*_FLAT, types.ModuleType, types.NoneType))
    return [getattr(value, name, None) for name in names] + ([] if known else [type(value)])


def global_names(code: types.CodeType) -> set[str]:
    """Names of globals that a function, or one within it, reads."""
    names = {str(step.argval) for step in dis.get_instructions(code) if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    return names.union(*(global_names(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)))


def imported_names(code: types.CodeType) -> set[str]:
    """Names of modules that a function, or one within it, imports as it runs."""
    names = {str(step.argval) for step in dis.get_instructions(code) if step.opname == "IMPORT_NAME"}
    return names.union(*(imported_names(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)))


def content(cell: Any) -> Any:
    """What a cell of a closure holds; None: it is not set yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None
