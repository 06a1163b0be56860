"""How a cached function of the user's travels with the functions that call it, where these are sent as they are."""

from __future__ import annotations

import copyreg
import functools
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from caviar_workers.load import cached_again

_CACHED = functools._lru_cache_wrapper


@contextmanager
def caches_by_value(modules: Collection[str]) -> Iterator[None]:
    """Pickle cached functions of these modules by what they wrap, as other functions of theirs are, while this lasts.

    Pickle knows such a function by its name only, and workers cannot import it from there.
    """

    def reduced(value: Any) -> str | tuple[Any, ...]:
        if value.__module__ in modules or "<locals>" in value.__qualname__:
            return cached_again, (value.__wrapped__, value.cache_parameters())
        return str(value.__qualname__)

    before = copyreg.dispatch_table.get(_CACHED)
    copyreg.pickle(_CACHED, reduced)
    try:
        yield
    finally:
        del copyreg.dispatch_table[_CACHED]
        if before is not None:
            copyreg.dispatch_table[_CACHED] = before
