"""What readers take from the plan that a sweep's description holds, as attributes.

Whoever runs a sweep reads all of it as a `caviar.spec.plan.Plan`, which makes the space and its samplers. Who shows one
needs neither, and must show plans that a later version wrote too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan as it was stored; what an older version did not store is at its default. See `Plan` for the fields."""

    metric: str
    trials: int
    name: str = ""
    mode: str = "min"
    rule: str = "last"
    stopping: str = ""
    pausing: bool = False
    parent: str | None = None
    relation: str | None = "zoom"
    """What it is to its parent: there was no other relation."""
    round: int = 0
    tags: Sequence[str] = ()
    space: Mapping[str, Any] = field(default_factory=dict)
    """As JSON values."""
    held: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name → the parameter as it was declared, as JSON values."""

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """Name → parameter as JSON values, in the order of the space."""
        found: Mapping[str, Mapping[str, Any]] = self.space.get("parameters", {})
        return found


def stored_plan(data: Mapping[str, Any]) -> StoredPlan:
    """The plan out of a description that `record.described` has seen: each value is of its kind."""
    known = {item.name: data[item.name] for item in fields(StoredPlan) if item.name in data}
    return StoredPlan(**{**known, "name": data.get("name") or ""})
