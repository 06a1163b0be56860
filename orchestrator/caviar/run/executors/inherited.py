"""What Ray's processes, and so trials, inherit from the process that starts them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

_OF_LIBRARIES = "KMP_", "PYTHONBREAKPOINT", "RAY_AUTH_MODE"
"""How variables begin that OpenMP's and Ray's code sets by itself, in each process, as it is imported or starts."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """It, at one moment."""

    environment: Mapping[str, str]
    folder: str
    path: tuple[str, ...]

    @classmethod
    def now(cls) -> Inherited:
        """Those of this process."""
        try:
            folder = os.getcwd()
        except OSError:  # it was deleted
            folder = ""
        mine = {name: value for name, value in os.environ.items() if not name.startswith(_OF_LIBRARIES)}
        return cls(mine, folder, tuple(sys.path))
