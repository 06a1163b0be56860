"""How much fits into a cluster at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_MANY = 1e6
_GPUS = ("nvidia0", "nvidiactl", "nvidia-caps", "dxg", "kfd", "dri", "accel")
"""What is in /dev where a GPU, of whichever make, may be: on Linux, none of them is a proof that there is none."""


def most_of_this_machine(devices: Path = Path("/dev")) -> dict[str, float]:
    """What Ray finds here at most, by its names; a number of GPUs that is not known without Ray is large."""
    none = sys.platform == "darwin" or not any((devices / name).exists() for name in _GPUS)
    return {"CPU": float(os.cpu_count() or 1), "GPU": 0.0 if none else _MANY}


def slots_of(resources: Mapping[str, float], demand: Mapping[str, float]) -> int:
    """How many times `demand` fits into `resources`, each by Ray's names (`CPU`, `GPU`)."""
    fits = [int(resources.get(name, 0.0) / amount + 1e-9) for name, amount in demand.items() if amount > 0]
    return min(fits, default=0)
