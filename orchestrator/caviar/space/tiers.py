"""Tiers: with few trials, tune what matters most and leave the rest at its defaults.

The budgets are those of the Deep Learning Tuning Playbook (Godbole, Dahl, Gilmer, Shallue and Nado 2023, on
tuning Adam): fewer than 10 trials, the learning rate only; 10 to 25, the next one too; 25 or more, the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caviar.errors import SpecError
from caviar.space.constant import Constant
from caviar.space.parameter import Parameter, live_range
from caviar.space.space import Space

ENOUGH = {2: 10, 3: 25}
"""Trials from which a tier is tuned; tier 1 always is."""


def hold_lower_tiers(space: Space, trials: int) -> tuple[Space, dict[str, Parameter]]:
    """Return the space that a sweep of `trials` should search, and the parameters that it holds at their defaults.

    The held ones are Constants there, at the same coordinate of u: with more trials, the others keep their values.
    """
    held = {name: one for name, one in space.items() if one.tier > 1 and trials < ENOUGH[one.tier]}
    if not held:
        return space, {}
    kept = {name: held_at(one.default, one) if name in held else one for name, one in space.items()}
    return Space(kept), held


def held_at(value: Any, parameter: Parameter) -> Constant:
    """A parameter at one of its values, existing when it did; if it is live, so is this."""
    return Constant(value, when=parameter.when, live=live_range(parameter))


def check_listed(configs: Sequence[Mapping[str, Any]], held: Mapping[str, Parameter]) -> None:
    """Refuse configurations of a user's own that give a held parameter another value than its default."""
    for number, config in enumerate(configs):
        for name in config.keys() & held.keys():
            one, value = held[name], config[name]
            if not _is_default(one, value):
                raise SpecError(
                    f"first[{number}] sets {name} to {value!r}, but with so few trials it is held at its default "
                    f"{one.default!r} (tier {one.tier}, tuned from {ENOUGH[one.tier]} trials): leave it out, or tune "
                    f"all with --all (all_tiers=True)"
                )


def _is_default(parameter: Parameter, value: object) -> bool:
    try:
        return bool(parameter.code(value) == parameter.code(parameter.default))
    except SpecError:
        return False
