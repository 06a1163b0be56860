"""Whether there is room for a trial: what it needs, and what this machine or the nodes of a cluster have."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from caviar.run.executors.servers import watched

_MANY = 1e6
_MOST_KINDS = 3
"""Of machines that are told apart, where none has room."""
_GPUS = ("nvidia0", "nvidiactl", "nvidia-caps", "dxg", "kfd", "dri", "accel")
"""What is in /dev where a GPU, of whichever make, may be: on Linux, none of them is a proof that there is none."""


def most_of_this_machine(devices: Path = Path("/dev")) -> dict[str, float]:
    """Return what Ray finds here at most, by its names; a number of GPUs that only Ray could tell is taken as large."""
    none = sys.platform == "darwin" or not any((devices / name).exists() for name in _GPUS)
    return {"CPU": float(os.cpu_count() or 1), "GPU": 0.0 if none else _MANY}


def slots_of(resources: Mapping[str, float], demand: Mapping[str, float]) -> int:
    """How many times `demand` fits into `resources`, each by Ray's names (`CPU`, `GPU`)."""
    fits = [int(resources.get(name, 0.0) / amount + 1e-9) for name, amount in demand.items() if amount > 0]
    return min(fits, default=0)


def lack(demand: Mapping[str, float], machines: Sequence[Mapping[str, float]], where: str) -> str:
    """Say what a trial needs and what there is, if no machine has room for it; empty: one has.

    Args:
        demand: What a trial needs, by Ray's names.
        machines: What each of them has.
        where: What they are together: `machine` or `cluster`.
    """
    if any(slots_of(one, demand) for one in machines):
        return ""
    needed = [name for name, amount in demand.items() if amount > 0]
    kinds = sorted({tuple(one.get(name, 0.0) for name in needed) for one in machines}, reverse=True)
    has = [_listed(zip(needed, kind, strict=True)) for kind in kinds]
    there = f"this {where} has {has[0] if has else 'no machine'}"
    if len(machines) > 1:
        there = f"the machines of this {where} have {', or '.join(has[:_MOST_KINDS])} each"
    return f"a trial needs {_listed((name, demand[name]) for name in needed)}, but {there}"


def _listed(amounts: Iterable[tuple[str, float]]) -> str:
    return " and ".join(f"{amount:g} {name}" for name, amount in amounts)


def machines() -> list[Mapping[str, float]]:
    """Return what each machine has of the cluster that this process is connected to, by Ray's names.

    Raises:
        ClusterError: It was started here, and is gone.
    """
    import ray  # noqa: PLC0415

    return [node["Resources"] for node in watched(ray.nodes) if node["Alive"]]
