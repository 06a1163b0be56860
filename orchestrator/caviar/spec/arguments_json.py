"""Keyword arguments of train as JSON values, and back: of the same types and the same values, or refused.

A sweep that is resumed, zoomed or goes into its next round reads its arguments from the store. JSON knows neither
tuples nor keys that are no text, so what it lacks travels as an object with one key that says what it is: (16, 4) as
{"__tuple__": [16, 4]}.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from caviar.errors import SpecError
from caviar.store.storable import LARGEST_WHOLE

_DEEPEST = 40
_HERE = type(Path())
_NUMPY = "__numpy__"


def arguments_to_json(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as JSON values.

    Raises:
        SpecError: One of them holds something that would not come back as it was.
    """
    return {name: _to_json(value, name, 0) for name, value in arguments.items()}


def arguments_from_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `arguments_to_json`; every call gives new objects."""
    return {name: _from_json(value) for name, value in data.items()}


def _to_json(value: Any, name: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise SpecError(f"train.{name} is nested more than {_DEEPEST} deep, or holds itself: let train make it")
    kind = type(value)
    if kind is int and abs(value) > LARGEST_WHOLE:
        raise SpecError(f"train.{name} cannot be stored: it holds a whole number beyond 2^64; give it as text")
    if value is None or kind in (bool, int, str) or (kind is float and math.isfinite(value)):
        return value
    if kind is list:
        return [_to_json(one, name, depth + 1) for one in value]
    if kind is dict:
        if all(type(key) is str and not key.startswith("__") for key in value):
            return {key: _to_json(one, name, depth + 1) for key, one in value.items()}
        return {"__dict__": [[_to_json(one, name, depth + 1) for one in pair] for pair in value.items()]}
    if kind in _WRITERS:
        tag, parts = _WRITERS[kind]
        written = _to_json(parts(value), name, depth + 1)
        return {tag: sorted(written, key=json.dumps) if kind in _UNORDERED else written}
    if (found := _numpy_scalar(value)) is not None:
        return {_NUMPY: [value.dtype.name, _to_json(found, name, depth + 1)]}
    raise SpecError(
        f"train.{name} is kept with the sweep, to be the same when it is resumed, but it holds {value!r:.60} "
        f"({kind.__name__}): give it as numbers, texts, lists, tuples and dicts, and let train make the object of them"
    )


def _from_json(data: Any) -> Any:
    if isinstance(data, list):
        return [_from_json(one) for one in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        ((tag, parts),) = data.items()
        if tag in _READERS:
            return _READERS[tag](_from_json(parts))
    return {key: _from_json(one) for key, one in data.items()}


def _numpy_scalar(value: Any) -> Any:
    """The Python number that a numpy scalar is exactly; None: it is none."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, (numpy.number, numpy.bool_)):
        return None
    plain = value.item()
    return plain if type(plain) in (bool, int, float, complex) else None


def _numpy_again(parts: Any) -> Any:
    import numpy as np  # noqa: PLC0415 — only for who has such arguments

    return np.dtype(parts[0]).type(parts[1])


_UNORDERED = (set, frozenset)
"""Written in an order that does not depend on hashes."""

_WRITERS: Mapping[type, tuple[str, Callable[[Any], Any]]] = {
    tuple: ("__tuple__", list),
    set: ("__set__", list),
    frozenset: ("__frozenset__", list),
    float: ("__float__", repr),
    complex: ("__complex__", lambda value: [value.real, value.imag]),
    bytes: ("__bytes__", lambda value: base64.b64encode(value).decode()),
    range: ("__range__", lambda value: [value.start, value.stop, value.step]),
    Decimal: ("__decimal__", str),
    date: ("__date__", date.isoformat),
    datetime: ("__datetime__", lambda value: [_naive(value).isoformat(), value.fold]),
    timedelta: ("__timedelta__", lambda value: [value.days, value.seconds, value.microseconds]),
    _HERE: ("__path__", str),
    PurePosixPath: ("__posixpath__", str),
    PureWindowsPath: ("__windowspath__", str),
}

_READERS: Mapping[str, Callable[[Any], Any]] = {
    "__tuple__": tuple,
    "__set__": set,
    "__frozenset__": frozenset,
    "__dict__": dict,
    "__float__": float,
    "__complex__": lambda parts: complex(*parts),
    "__bytes__": base64.b64decode,
    "__range__": lambda parts: range(*parts),
    "__decimal__": Decimal,
    "__date__": date.fromisoformat,
    "__datetime__": lambda parts: datetime.fromisoformat(parts[0]).replace(fold=parts[1]),
    "__timedelta__": lambda parts: timedelta(*parts),
    "__path__": Path,
    "__posixpath__": PurePosixPath,
    "__windowspath__": PureWindowsPath,
    _NUMPY: _numpy_again,
}


def _naive(moment: datetime) -> datetime:
    if moment.tzinfo is not None:
        raise SpecError(f"the time {moment} has a time zone, which the store does not keep: give it as text")
    return moment
