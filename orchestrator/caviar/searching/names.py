"""The searchers' names, for those who describe a sweep and need not pay for the models."""

from __future__ import annotations

from caviar.errors import SpecError
from caviar.space import did_you_mean

NAMES = ("local", "gp", "optuna:tpe", "optuna:gp", "optuna:cmaes")


def check_searcher(name: object) -> str:
    """Return the name; SpecError when there is no such searcher."""
    if not isinstance(name, str) or name not in NAMES:
        word = str(name).casefold()
        theirs = f"optuna:{word}"
        hint = f"; did you mean {theirs!r}?" if theirs in NAMES and word not in NAMES else did_you_mean(name, NAMES)
        raise SpecError(f"there is no searcher {name!r}{hint}")
    return name
