"""Stop policies as text: `asha:eta=5,first=1`, in a sweep, on the command line, and in the store."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeAlias

from caviar.errors import SpecError
from caviar.space import did_you_mean
from caviar.stopping.asha import ASHA
from caviar.stopping.extrapolate import Extrapolate
from caviar.stopping.hyperband import Hyperband
from caviar.stopping.median import MedianStop
from caviar.stopping.patience import Patience

Stopping: TypeAlias = ASHA | Hyperband | MedianStop | Patience | Extrapolate

KINDS: dict[str, type[Stopping]] = {
    "asha": ASHA,
    "hyperband": Hyperband,
    "median": MedianStop,
    "patience": Patience,
    "extrapolate": Extrapolate,
}


PAUSING = ("asha", "hyperband")
"""Policies that pause trials and promote them, where trials can be paused."""


def parse_stopping(text: object) -> Stopping:
    """The policy that a text describes, or the one that was given.

    Args:
        text: `NAME` or `NAME:SETTING=NUMBER,…`, or a policy.

    Raises:
        SpecError: There is no such policy or setting, or a number breaks its rule.
    """
    if isinstance(text, (ASHA, Hyperband, MedianStop, Patience, Extrapolate)):
        return text
    if not isinstance(text, str):
        raise SpecError(f"stopping is text such as 'asha:eta=5', or ASHA(eta=5) and the like, but got {text!r:.60}")
    name, _, rest = text.partition(":")
    if name not in KINDS:
        raise SpecError(f"there is no stop policy {name!r}{did_you_mean(name, list(KINDS))}")
    kind = KINDS[name]
    known = [item.name for item in fields(kind)]
    settings: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if key not in known or not equals:
            example = f"{name}:{known[0]}={fields(kind)[0].default}"
            raise SpecError(f"{name} has the settings {', '.join(known)}, as {example}, but got {part!r}")
        settings[key] = _number(name, key, value)
    return kind(**settings)


def stopping_text(stopping: Stopping) -> str:
    """The shortest text that `parse_stopping` reads as this policy."""
    name = next(name for name, kind in KINDS.items() if isinstance(stopping, kind))
    changed = [(item.name, getattr(stopping, item.name), item.default) for item in fields(stopping)]
    listed = [f"{key}={value!r}" for key, value, default in changed if value != default or key == "eta"]
    return name + (":" + ",".join(listed) if listed else "")


def _number(name: str, key: str, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            raise SpecError(f"{key} of {name} is a number, but got {text!r}") from None
