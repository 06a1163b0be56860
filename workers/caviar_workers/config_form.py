"""The form in which a train function gets its configuration: a dict, nested by dots; or the class that it declares.

`{"optim.lr": 0.1}` is `{"optim": {"lr": 0.1}}` for train. A parameter that is called as a column of the store, such as
`seed` or `step`, is kept as `config.seed`, and train gets it by its own name. Where its first parameter is annotated
with a dataclass, or with a class of attrs or pydantic, it gets an object of that: what is not searched is as the class
says.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import typing
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from caviar_workers.tables import RESERVED_NAMES

NOTHING = object()
"""In the place of a default: there is none."""

ROOM = "config."
"""Before the names of parameters that are called as columns of the store."""

Form = Callable[[Mapping[str, Any]], Any]


def nested(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as dicts within dicts, by the dots in its names.

    A name is left as it is where a part of it would be empty, as in `.5` and `a.`.
    """
    if not any("." in name for name in config):
        return config if type(config) is dict else dict(config)
    config = own_names(config)
    found: dict[str, Any] = {}
    for name, value in config.items():
        *rooms, last = name.split(".")
        if not all((*rooms, last)):
            found[name] = value
            continue
        room = found
        for one in rooms:
            room = room.setdefault(one, {})
        room[last] = value
    return found


def flat(config: Mapping[str, Any], whole: Container[str] = (), before: str = "") -> dict[str, Any]:
    """The reverse of `nested`: dicts within a configuration as dotted names.

    Args:
        config: What is nested.
        whole: Dotted names whose values stay as they are: an option may be a dict.
        before: Of the dotted names.
    """
    found: dict[str, Any] = {}
    for name, value in config.items():
        dotted = f"{before}{name}" if before else name
        room = isinstance(value, Mapping) and value and all(isinstance(one, str) for one in (dotted, *value))
        if room and dotted not in whole:
            found |= flat(value, whole, f"{dotted}.")
        else:
            found[dotted if before else kept_name(dotted)] = value
    return found


def kept_name(name: Any) -> Any:
    """The name by which the store keeps a parameter that the user calls so."""
    return f"{ROOM}{name}" if isinstance(name, str) and name.casefold() in RESERVED_NAMES else name


def own_name(name: str) -> str:
    """The reverse of `kept_name`: what the user calls it."""
    short = name.removeprefix(ROOM)
    return short if short.casefold() in RESERVED_NAMES else name


def own_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with dotted names, each as the user wrote it."""
    return {own_name(name): value for name, value in config.items()}


def clash(names: Iterable[str]) -> tuple[str, str] | None:
    """Two names of which one would be a value and the room of the other, as `optim` and `optim.lr`; None: there are
    none.
    """
    known = set(names)
    rooms = ((name, name[:at]) for name in known for at in range(len(name)) if name[at] == ".")
    return next(((room, name) for name, room in sorted(rooms) if room in known), None)


def form_of(function: Callable[..., Any]) -> Form:
    """What makes of a configuration that which a function takes."""
    if getattr(function, "takes_dots", False):
        return own_names
    declared = config_class(function)
    return nested if declared is None else partial(_made, declared)


def config_class(function: Callable[..., Any]) -> type | None:
    """The class that a function's first parameter is annotated with; None: it takes a dict."""
    try:
        first = next(iter(inspect.signature(function).parameters.values()), None)
    except (TypeError, ValueError):
        return None
    declared = None if first is None else first.annotation
    if isinstance(declared, str):
        declared = _named(declared, function)
    return declared if isinstance(declared, type) and _has_fields(declared) else None


def leaves(declared: type, before: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and default of each value of a class; `NOTHING`: it has to be given."""
    for name, (kind, default) in _fields(declared).items():
        if kind is not None:
            inner = {} if default is NOTHING else {one: getattr(default, one, NOTHING) for one in _fields(kind)}
            for below, usual in leaves(kind, f"{before}{name}."):
                yield below, inner.get(below.removeprefix(f"{before}{name}."), usual)
        else:
            yield f"{before}{name}", default


def _named(annotation: str, function: Callable[..., Any]) -> Any:
    while isinstance(function, partial):
        function = function.func
    plain = inspect.unwrap(function)
    namespace = getattr(plain, "__globals__", None) or vars(sys.modules.get(getattr(plain, "__module__", ""), object))
    try:
        return eval(annotation, dict(namespace))  # the user's own file, which runs anyway
    except Exception:
        return None


def _has_fields(declared: Any) -> bool:
    if dataclasses.is_dataclass(declared) or hasattr(declared, "__attrs_attrs__"):
        return True
    return isinstance(getattr(declared, "model_fields", None), Mapping)


def _fields(declared: Any) -> dict[str, tuple[type | None, Any]]:
    """Name → the class of what is nested there, or None; and the default."""
    try:
        kinds = typing.get_type_hints(declared)
    except Exception:
        kinds = {}
    inner = {name: kind for name, kind in kinds.items() if isinstance(kind, type) and _has_fields(kind)}
    return {name: (inner.get(name), default) for name, default in _defaults(declared)}


def _defaults(declared: Any) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(declared):
        for one in dataclasses.fields(declared):
            if one.init:
                factory = one.default_factory
                usual = one.default if factory is dataclasses.MISSING else factory()
                yield one.name, NOTHING if usual is dataclasses.MISSING else usual
    elif hasattr(declared, "__attrs_attrs__"):
        for one in declared.__attrs_attrs__:
            if one.init:
                usual = one.default
                yield one.alias, NOTHING if repr(usual) == "NOTHING" else getattr(usual, "factory", lambda u=usual: u)()
    else:
        for name, one in declared.model_fields.items():
            yield name, NOTHING if one.is_required() else one.get_default(call_default_factory=True)


def _made(declared: type, config: Mapping[str, Any]) -> Any:
    return _filled(declared, nested(config), NOTHING)


def _filled(declared: type, values: Mapping[str, Any], usual: Any) -> Any:
    """An object with these values; the others are those of `usual`, or of the class."""
    fields = _fields(declared)
    given = dict(values)
    for name, (kind, default) in fields.items():
        own = default if usual is NOTHING else getattr(usual, name, default)
        if kind is not None and isinstance(given.get(name), Mapping):
            given[name] = _filled(kind, given[name], own)
        elif name not in given and own is not NOTHING and usual is not NOTHING:
            given[name] = own
    return declared(**given)
