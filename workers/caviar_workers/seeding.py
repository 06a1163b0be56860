"""The random state of a process before a trial, so that nothing leaks between the trials of a lease."""

from __future__ import annotations

import random
import sys

import numpy as np

# What random.seed does with a whole number, without asking what else it might be, which takes a microsecond.
_seed = super(random.Random, random._inst).seed


def seed_everything(seed: int) -> None:
    """Seed `random`, numpy's global generator, and torch on all devices if it is imported.

    Args:
        seed: 0 … 2^32 − 1.
    """
    _seed(seed)
    random._inst.gauss_next = None  # type: ignore[attr-defined]
    np.random.seed(seed)  # the legacy global state is exactly what user code may draw from
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
