"""Searchers by name: our own, and Optuna's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from caviar.searching.local import Local
from caviar.searching.names import check_searcher
from caviar.searching.optuna_search import SAMPLERS, OptunaSearch
from caviar.searching.searcher import Searcher
from caviar.searching.thompson import Thompson
from caviar.space import Choice, Space

SEARCHERS: dict[str, Callable[..., Searcher]] = {
    "local": Local,
    "gp": Thompson,
    **{f"optuna:{sampler}": partial(OptunaSearch, sampler=sampler) for sampler in SAMPLERS},
}


def make_searcher(name: str, space: Space, *, mode: str, seed: int) -> Searcher:
    """The searcher of a sweep.

    Args:
        name: One of `SEARCHERS`.
        space: Its parameters; a Choice of more than two options without an order is drawn anew, not moved.
        mode: `min` or `max`.
        seed: Of the sweep.
    """
    unordered = [
        j for j, one in enumerate(space.values()) if isinstance(one, Choice) and one.count > 2 and not one.ordered
    ]
    return SEARCHERS[check_searcher(name)](dimensions=len(space), mode=mode, seed=seed, unordered=unordered)
