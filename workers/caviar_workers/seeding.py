"""The random state of a process before a trial, so that nothing leaks between the trials of a lease."""

from __future__ import annotations

import random
import sys

import numpy as np


def seed_everything(seed: int) -> None:
    """Seed `random`, numpy's global generator, and torch on all devices if it is imported.

    Args:
        seed: 0 … 2^32 − 1.
    """
    random.seed(seed)
    np.random.seed(seed)  # the legacy global state is exactly what user code may draw from
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
