"""A cached function that came by what it wraps."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any


def cached_again(function: Callable[..., Any], parameters: Mapping[str, Any]) -> Callable[..., Any]:
    """The function with an empty cache of its own, with the parameters of `functools.lru_cache`."""
    again: Callable[..., Any] = functools.lru_cache(**parameters)(function)
    return again
