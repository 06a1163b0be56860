"""Caviar: train many models in parallel, keep the best curve.

from caviar import Sweep, Float, Int, Choice

sweep = Sweep(train, space={"lr": Float(1e-4, 1.0, scale="log")}, metric="val_loss", mode="min", trials=64)
result = sweep.run()
"""

from caviar.errors import CaviarError, SpecError
from caviar.sampling import Grid
from caviar.space import Choice, Float, Int, Space
from caviar.sweep import Sweep

__all__ = ["CaviarError", "Choice", "Float", "Grid", "Int", "Space", "SpecError", "Sweep"]
