"""How much fits into a cluster at a time."""

from __future__ import annotations

from collections.abc import Mapping


def slots_of(resources: Mapping[str, float], demand: Mapping[str, float]) -> int:
    """How many times `demand` fits into `resources`, each by Ray's names (`CPU`, `GPU`)."""
    fits = [int(resources.get(name, 0.0) / amount + 1e-9) for name, amount in demand.items() if amount > 0]
    return min(fits, default=0)
