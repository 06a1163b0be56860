"""Caviar: train many models in parallel, keep the best curve.

>>> from caviar import Float, Sweep
>>> sweep = Sweep(train, space={"lr": Float(1e-4, 1.0, scale="log")}, metric="val_loss", mode="min", trials=64)
>>> result = sweep.run()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from caviar.errors import (
    CaviarError,
    ClusterError,
    NoResultError,
    NotFoundError,
    SpecError,
    StoreError,
    SweepInterrupted,
)

if TYPE_CHECKING:
    from caviar.run.executors.ray_session import shutdown
    from caviar.search.samplers import Grid
    from caviar.search.stopping import ASHA, PBT, Extrapolate, Guard, Hyperband, MedianStop, Patience
    from caviar.space import Choice, Constant, Float, Int, Prior, Space
    from caviar.sweep import Sweep
    from caviar.sweep.result import Result
    from caviar.sweep.whole_store import Store
    from caviar_workers.command import Command
    from caviar_workers.trial import Trial, TrialInterrupted

__all__ = [
    "ASHA",
    "PBT",
    "CaviarError",
    "Choice",
    "ClusterError",
    "Command",
    "Constant",
    "Extrapolate",
    "Float",
    "Grid",
    "Guard",
    "Hyperband",
    "Int",
    "MedianStop",
    "NoResultError",
    "NotFoundError",
    "Patience",
    "Prior",
    "Result",
    "Space",
    "SpecError",
    "Store",
    "StoreError",
    "Sweep",
    "SweepInterrupted",
    "Trial",
    "TrialInterrupted",
    "shutdown",
]

_ROOMS = {
    "ASHA": "caviar.search.stopping",
    "Choice": "caviar.space",
    "Command": "caviar_workers.command",
    "Constant": "caviar.space",
    "Extrapolate": "caviar.search.stopping",
    "Float": "caviar.space",
    "Grid": "caviar.search.samplers",
    "Guard": "caviar.search.stopping",
    "Hyperband": "caviar.search.stopping",
    "Int": "caviar.space",
    "MedianStop": "caviar.search.stopping",
    "PBT": "caviar.search.stopping",
    "Patience": "caviar.search.stopping",
    "Prior": "caviar.space",
    "Result": "caviar.sweep.result",
    "Space": "caviar.space",
    "Store": "caviar.sweep.whole_store",
    "Sweep": "caviar.sweep",
    "Trial": "caviar_workers.trial",
    "TrialInterrupted": "caviar_workers.trial",
    "shutdown": "caviar.run.executors.ray_session",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `caviar --help` needs none of them."""
    if name in _ROOMS:
        value = getattr(import_module(_ROOMS[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
