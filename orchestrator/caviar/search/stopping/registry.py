"""Stop policies as text: `asha:eta=5,first=1`, in a sweep, on the command line, and in the store."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from caviar.errors import SpecError
from caviar.search.stopping.asha import ASHA
from caviar.search.stopping.extrapolate import Extrapolate
from caviar.search.stopping.hyperband import Hyperband
from caviar.search.stopping.median import MedianStop
from caviar.search.stopping.patience import Patience
from caviar.search.stopping.pbt import PBT
from caviar.search.stopping.policy import Stopping
from caviar.space import did_you_mean

POLICIES: tuple[type[Stopping], ...] = (ASHA, Hyperband, MedianStop, Patience, Extrapolate, PBT)
"""All there are; whoever writes another one enters it here."""

KINDS = {kind.name: kind for kind in POLICIES}

PAUSING = tuple(kind.name for kind in POLICIES if kind.pauses)
"""Policies that pause trials and promote them, where trials can be paused."""


def parse_stopping(text: object) -> Stopping:
    """The policy that a text describes, or the one that was given.

    Args:
        text: `NAME` or `NAME:SETTING=NUMBER,…`, or a policy.

    Raises:
        SpecError: There is no such policy or setting, or a number breaks its rule.
    """
    if isinstance(text, POLICIES):
        return text
    if not isinstance(text, str):
        raise SpecError(f"stopping is text such as 'asha:eta=5', or ASHA(eta=5) and the like, but got {text!r:.60}")
    name, _, rest = text.partition(":")
    if name not in KINDS:
        raise SpecError(f"there is no stop policy {name!r}{did_you_mean(name, list(KINDS))}")
    kind = KINDS[name]
    known = settings_of(kind)
    settings: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if key not in known or not equals:
            example = f"{name}:{next(iter(known))}={next(iter(known.values()))}"
            raise SpecError(f"{name} has the settings {', '.join(known)}, as {example}, but got {part!r}")
        settings[key] = _number(name, key, value)
    return kind(**settings)


def stopping_text(stopping: Stopping) -> str:
    """The shortest text that `parse_stopping` reads as this policy."""
    changed = [(key, getattr(stopping, key), default) for key, default in settings_of(type(stopping)).items()]
    listed = [f"{key}={value!r}" for key, value, default in changed if value != default or key == "eta"]
    return stopping.name + (":" + ",".join(listed) if listed else "")


def settings_of(kind: type[Stopping]) -> dict[str, Any]:
    """The settings of a policy, with their defaults."""
    return {item.name: item.default for item in fields(kind)}  # type: ignore[arg-type]  # a dataclass, each of them


def _number(name: str, key: str, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            raise SpecError(f"{key} of {name} is a number, but got {text!r}") from None
