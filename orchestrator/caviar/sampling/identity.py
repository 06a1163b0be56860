"""What a sampler's points hang on, stored so that extending a sweep with other points is refused."""

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError

FIRST_POINTS = 16
VERSIONS = ("numpy", "scipy")


def digest(points: npt.NDArray[np.float64]) -> str:
    """Return the SHA-256, in hex, of points [n, d] as little-endian float64, row by row."""
    return hashlib.sha256(np.ascontiguousarray(points, dtype="<f8").tobytes()).hexdigest()


def check_identity(stored: Mapping[str, object], current: Mapping[str, object]) -> None:
    """Raise SpecError when the sampler draws other points than it did when the sweep was made.

    Another version of a library is no reason by itself: it may draw the same points.

    Args:
        stored: what `identity()` gave when the sweep was made.
        current: what it gives now.
    """
    if _essence(stored) == _essence(current):
        return
    raise SpecError(
        f"A sweep is extended only with the points it began with, those of {_named(stored)}, got others from "
        f"{_named(current)}; use what it began with, or start a new sweep"
    )


def _essence(identity: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in identity.items() if key not in VERSIONS}


def _named(identity: Mapping[str, object]) -> str:
    versions = ", ".join(f"{key} {identity[key]}" for key in VERSIONS if key in identity)
    return f"{identity.get('name')}" + (f" ({versions})" if versions else "")
