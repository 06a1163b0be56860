"""The environment variables that a sweep's trials find: how they are given, and what may be one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from caviar.errors import SpecError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = {"CUDA_VISIBLE_DEVICES": "write gpus=…, and Ray sets it for each trial"}


def variables(given: Any) -> dict[str, str]:
    """Name → value of each variable: of a mapping, or of words such as `NAME=VALUE`, or `NAME`, which means `env:NAME`.

    Raises:
        SpecError: One has no name that a variable can have, or its value is neither text nor a number.
    """
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        pairs = [_pair(word) for word in given]
    else:
        raise SpecError(f"env is a dict of variables, or a list of their names, but got {given!r:.60}")
    found: dict[str, str] = {}
    for name, given_value in pairs:
        value = _value(_name(name), given_value)
        if found.setdefault(name, value) != value:
            raise SpecError(f"a variable has one value, but env names {name} twice: leave one out")
    return found


def _pair(word: Any) -> tuple[Any, Any]:
    if not isinstance(word, str):
        return word, ""
    name, equals, value = word.partition("=")
    return name, value if equals else f"env:{name}"


def _name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SpecError(f"a variable's name is letters, digits and _, but env has {name!r:.60}")
    if name in _OURS:
        raise SpecError(f"env cannot set {name}: {_OURS[name]}")
    return name


def _value(name: str, value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise SpecError(f"env.{name} is text, or a number, but got a {type(value).__name__}: write it as text")
    if "\0" in value:
        raise SpecError(f"env.{name} has a NUL character, which no variable can hold: leave it out")
    return value
