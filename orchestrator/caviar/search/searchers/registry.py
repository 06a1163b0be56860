"""The searchers by name, for those who describe a sweep or read one and need not pay for the models.

Whoever adds one writes a file with its class (see `Searcher`) and enters it here; its row in the docs, what `explain`
says of its points, and its contract tests are found from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from caviar.errors import SpecError
from caviar.space import Choice, Space, did_you_mean

if TYPE_CHECKING:
    from caviar.search.searchers.searcher import Searcher


def _of_its_model(_numbers: Mapping[str, Any]) -> str:
    return "a point of its model"


@dataclass(frozen=True, slots=True)
class Kind:
    """A searcher, as far as it is known without importing it."""

    name: str
    file: str
    """The module in this package."""
    made_by: str
    """Its class there."""
    does: str
    """What it does, for the docs."""
    costs: str = ""
    """The driver's time for 250 points, for the docs."""
    why: Callable[[Mapping[str, Any]], str] = _of_its_model
    """Why it asked for a point, out of the numbers of its `Proposal`."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """What its class is given beside what every searcher gets."""

    def maker(self) -> Callable[..., Searcher]:
        """Import the searcher's class, and return what makes one."""
        return partial(getattr(import_module(f"caviar.search.searchers.{self.file}"), self.made_by), **self.given)


def _near(numbers: Mapping[str, Any]) -> str:
    return f"a step away from trial {numbers.get('parent')}, one of the best"


def _drawn(numbers: Mapping[str, Any]) -> str:
    return f"a draw of the model of {numbers.get('rows')} rows has its minimum here, at step {numbers.get('step')}"


def _optuna(sampler: str) -> Kind:
    does = "Optuna's sampler, over u; `./caviar add optuna cmaes` or `pip install 'caviar-sweep[optuna]'`"
    does += ", and torch" if sampler == "gp" else ""
    return Kind(f"optuna:{sampler}", "optuna", "OptunaSearch", does, given={"sampler": sampler})


SEARCHERS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "local",
            "local",
            "Local",
            "moves one of the best few a little, in u; every seventh point is free. numpy alone",
            "0.04 s",
            _near,
        ),
        Kind(
            "gp",
            "gp_thompson",
            "Thompson",
            "a Gaussian process over (u, step), and Thompson sampling: each point is the best of one possible truth",
            "about 0.7 s",
            _drawn,
        ),
        *map(_optuna, ("tpe", "gp", "cmaes")),
    )
}
NAMES = tuple(SEARCHERS)


def check_searcher(name: object) -> str:
    """Return the name; SpecError when there is no such searcher."""
    if not isinstance(name, str) or name not in NAMES:
        word = str(name).casefold()
        theirs = f"optuna:{word}"
        hint = f"; did you mean {theirs!r}?" if theirs in NAMES and word not in NAMES else did_you_mean(name, NAMES)
        raise SpecError(f"there is no searcher {name!r}{hint}")
    return name


def asked(name: str, numbers: Mapping[str, Any]) -> str:
    """Say who asked for a trial's point and why; the numbers are those of the stored decision."""
    why = SEARCHERS[name].why if name in SEARCHERS else _of_its_model
    return f"was asked for by {name}: {'a random point' if numbers.get('origin') == 'random' else why(numbers)}"


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
    made = SEARCHERS[check_searcher(name)].maker()
    return made(dimensions=len(space), mode=mode, seed=seed, unordered=unordered)
