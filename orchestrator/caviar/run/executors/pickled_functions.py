"""How cached functions and weak references travel with the functions that use them, and what cannot travel."""

from __future__ import annotations

import copyreg
import functools
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from caviar.spec.object_parts import pieces
from caviar_workers.load import cached_again, weak_again

_CACHED = functools._lru_cache_wrapper
_WEAK: tuple[type, ...] = (weakref.ref, WeakKeyDictionary, WeakSet, WeakValueDictionary)
_DEEP = 12
"""Steps from a function to what is at fault in it, at most."""


@contextmanager
def caches_by_value(modules: Collection[str]) -> Iterator[None]:
    """Pickle cached functions of these modules by what they wrap, as other functions of theirs are, while this lasts.

    Weak references, such as those of `functools.singledispatch`, are pickled as what they refer to.

    Pickle knows such a function by its name only, and workers cannot import it from there.
    """

    def reduced(value: Any) -> str | tuple[Any, ...]:
        if value.__module__ in modules or "<locals>" in value.__qualname__:
            return cached_again, (value.__wrapped__, value.cache_parameters())
        return str(value.__qualname__)

    with _reduced_by(dict.fromkeys(_WEAK, _weak) | {_CACHED: reduced}):
        yield


def _weak(value: Any) -> tuple[Any, ...]:
    """What it refers to at present; on the other side that lives for as long as something else there holds it."""
    held = value() if isinstance(value, weakref.ref) else list(value) if isinstance(value, WeakSet) else dict(value)
    return weak_again, (type(value), held)


@contextmanager
def _reduced_by(ways: Mapping[type, Callable[[Any], Any]]) -> Iterator[None]:
    """Pickle these types in these ways while this lasts."""
    before = {kind: copyreg.dispatch_table[kind] for kind in ways if kind in copyreg.dispatch_table}
    for kind, way in ways.items():
        copyreg.pickle(kind, way)
    try:
        yield
    finally:
        for kind in ways:
            del copyreg.dispatch_table[kind]
        copyreg.dispatch_table.update(before)


def at_fault(value: Any, name: str, own: Collection[str], dumps: Callable[[Any], Any]) -> str:
    """Name the smallest part of a function that cannot be pickled, such as `train:model.lock`; empty: it can be."""
    if _is_sent(value, dumps):
        return ""
    for _ in range(_DEEP):
        found = pieces(value, own)
        for label, part in () if found is None else found.parts:
            if not _is_sent(part, dumps):
                value, name = part, name + label
                break
        else:
            return name
    return name


def _is_sent(value: Any, dumps: Callable[[Any], Any]) -> bool:
    try:
        dumps(value)
    except Exception:
        return False
    return True
