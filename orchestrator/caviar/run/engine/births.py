"""What somebody asks for who wants trials from a checkpoint of another one: whether it can be, and what is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from caviar.run.engine.forks import why_unfit
from caviar.space.option import option_from_json

if TYPE_CHECKING:
    from caviar.run.engine.decision_log import Decision
    from caviar.space import Space

MOST_FORKS = 10_000
"""Trials that are forked at once, at most."""


def cannot_be_forked(space: Space, numbers: Mapping[str, Any]) -> str:
    """Why the configurations that are asked for are none of a space; empty: they are."""
    children = numbers.get("children")
    if not isinstance(children, list) or not 0 < len(children) <= MOST_FORKS:
        return "it is none that this version knows"
    for child in children:
        config = child.get("config") if isinstance(child, Mapping) else None
        if not isinstance(config, Mapping):
            return "it is none that this version knows"
        if why := why_unfit(space, {name: option_from_json(value) for name, value in config.items()}):
            return f"one of its configurations is none of this sweep's: {why}"
    return ""


def births(asked: Decision, seed: int, first: int) -> list[Decision]:
    """The decisions by which trials are born of another one.

    Args:
        asked: What somebody asked for: `children` has their configurations, and `set` and `old` of each.
        seed: Of the parent: what is random in a child is what it would have been there.
        first: Number of the first of them.
    """
    shared = {name: value for name, value in asked.numbers.items() if name != "children"}
    return [
        replace(
            asked,
            trial=first + place,
            attempt=None,
            step=asked.numbers["to"]["step"],
            numbers={**shared, **child, "parent": asked.trial, "seed": seed},
        )
        for place, child in enumerate(asked.numbers["children"])
    ]
