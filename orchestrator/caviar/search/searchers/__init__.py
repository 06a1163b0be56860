"""Guided search: which point is tried next, given what was reported so far."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from caviar.search.searchers.registry import NAMES, SEARCHERS, asked, check_searcher, make_searcher
from caviar.search.searchers.searcher import Proposal, Searcher

if TYPE_CHECKING:
    from caviar.search.searchers.gp_thompson import Thompson
    from caviar.search.searchers.local import Local

__all__ = [
    "NAMES",
    "SEARCHERS",
    "Local",
    "Proposal",
    "Searcher",
    "Thompson",
    "asked",
    "check_searcher",
    "make_searcher",
]

_FILES = {"Local": "local", "Thompson": "gp_thompson"}


def __getattr__(name: str) -> Any:
    """Import a searcher when it is first asked for: who describes a sweep does not pay for scipy."""
    if name in _FILES:
        value = globals()[name] = getattr(import_module(f"caviar.search.searchers.{_FILES[name]}"), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
