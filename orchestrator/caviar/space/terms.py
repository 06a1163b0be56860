"""What every parameter may carry beside its values: a default, a condition, a prior, a tier, whether it is live."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from caviar.errors import SpecError
from caviar.space.condition import Condition, condition_from_json
from caviar.space.option import option_from_json, option_to_json
from caviar.space.prior import Prior, prior_from_json

TERMS = ("default", "when", "prior", "tier", "live")
TIERS = (1, 2, 3)


class Unset(Enum):
    """The default of a parameter that has none: None itself may be an option."""

    NO_DEFAULT = "no default"

    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT = Unset.NO_DEFAULT


def settle_terms(parameter: Any) -> None:
    """Check the terms of a parameter whose values are settled, and put them into their plain form.

    Raises:
        SpecError: the default or the prior's centre is not one of its values, the condition or the tier is none, a
            parameter of tier 2 or 3 has no default to stay at, or `live` is no truth value.
    """
    owner = type(parameter).__name__

    def put(name: str, value: object) -> None:
        object.__setattr__(parameter, name, value)

    if parameter.default is not NO_DEFAULT:
        put("default", _plain(parameter, "default", parameter.default))
    if parameter.when is not None and not isinstance(parameter.when, Condition):
        put("when", Condition(parameter.when))
    if parameter.prior is not None:
        prior = parameter.prior if isinstance(parameter.prior, Prior) else Prior(parameter.prior)
        put("prior", Prior(_plain(parameter, "prior's center", prior.center), prior.confidence))
    tier = parameter.tier
    if isinstance(tier, bool) or tier not in TIERS:
        raise SpecError(f"{owner} has a tier of 1 (tuned first), 2 or 3, got tier={tier!r}")
    if not isinstance(parameter.live, bool):
        raise SpecError(f"{owner} is live=True or live=False, got live={parameter.live!r:.40}")
    if tier > 1 and parameter.default is NO_DEFAULT:
        raise SpecError(f"{owner} of tier {tier} needs a default=, at which it stays when the budget is small")


def terms_json(parameter: Any) -> dict[str, object]:
    """Return the terms that are not as they are by themselves, as JSON values."""
    terms: dict[str, object] = {}
    if parameter.default is not NO_DEFAULT:
        terms["default"] = option_to_json(parameter.default)
    if parameter.when is not None:
        terms["when"] = parameter.when.to_json()
    if parameter.prior is not None:
        terms["prior"] = parameter.prior.to_json()
    if parameter.tier != 1:
        terms["tier"] = parameter.tier
    return terms | ({"live": True} if parameter.live is True else {})


def terms_from_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords that `terms_json` described; other keys are as they are."""
    read = {"default": option_from_json, "when": condition_from_json, "prior": prior_from_json}
    return {key: read[key](value) if key in read else value for key, value in data.items()}


def shown(parameter: Any, *positional: object, **keywords: tuple[object, object]) -> str:
    """Return the repr of a parameter, as a user would write it.

    Args:
        parameter: the parameter.
        positional: its first arguments.
        keywords: name → (value, value that need not be written).
    """
    words = [repr(one) for one in positional]
    words += [f"{name}={value!r}" for name, (value, usual) in keywords.items() if value != usual]
    usual = {"default": NO_DEFAULT, "when": None, "prior": None, "tier": 1, "live": False}
    names = (name for name in usual if name not in keywords and hasattr(parameter, name))
    terms = ((name, getattr(parameter, name)) for name in names)
    words += [f"{name}={value!r}" for name, value in terms if value is not usual[name] and value != usual[name]]
    return f"{type(parameter).__name__}({', '.join(words)})"


def _plain(parameter: Any, role: str, value: object) -> object:
    try:
        return parameter.plain(value)
    except SpecError as error:
        raise SpecError(f"{error} (the {role})") from None
