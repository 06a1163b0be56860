"""What a user believes about a parameter's best value, and the warping of [0, 1] that follows from it.

The warping's density is a mixture of a uniform one and a peak, as in πBO (Hvarfner et al. 2022, "πBO: augmenting
acquisition functions with user beliefs") and PriorBand (Mallik et al. 2023), whose uniform part is what keeps a wrong
prior from doing lasting harm. Ours is linear between knots: then its integral and the inverse of that have closed
forms in +, −, ·, / and √, which give the same bits for one point as for a million.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.space.bounds import real
from caviar.space.call_hints import called_as
from caviar.space.option import option_from_json, option_to_json
from caviar.space.scale import FloatArray, unit_points


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """A density on [0, 1], linear between knots, and the map of even points to points that follow it.

    Args:
        knots: from 0 to 1, increasing, [m + 1].
        left: the density just right of each knot but the last, > 0, [m].
        right: the density just left of each knot but the first, > 0, [m].
    """

    knots: FloatArray
    left: FloatArray
    right: FloatArray

    @property
    def _below(self) -> FloatArray:
        """How much of the density lies below each knot, [m + 1]; 1 at the last."""
        steps = np.diff(self.knots) * (self.left + self.right) / 2
        below = np.concatenate([[0.0], np.cumsum(steps)])
        return np.asarray(below / below[-1])

    def places(self, u: npt.ArrayLike) -> FloatArray:
        """Map even points `u` in [0, 1], shape [n], to points that are dense where the density is high."""
        points = unit_points(u)
        below = self._below
        part = np.minimum(np.searchsorted(below, points, side="right") - 1, len(self.left) - 1)
        left, slope = self.left[part], self._slopes()[part]
        more = points - below[part]
        place = self.knots[part] + 2.0 * more / (left + np.sqrt(np.maximum(left * left + 2.0 * slope * more, 0.0)))
        place = np.minimum(np.maximum(place, self.knots[part]), self.knots[part + 1])
        np.copyto(place, 1.0, where=points >= 1.0)
        return np.asarray(place)

    def unit(self, place: float) -> float:
        """Return the u in [0, 1] whose place is `place`."""
        part = min(int(np.searchsorted(self.knots, place, side="right")) - 1, len(self.left) - 1)
        along = place - float(self.knots[part])
        u = float(self._below[part]) + along * (float(self.left[part]) + float(self._slopes()[part]) * along / 2.0)
        return min(max(u, 0.0), 1.0)

    def _slopes(self) -> FloatArray:
        return np.asarray((self.right - self.left) / np.diff(self.knots))


def peak(center: float, confidence: float) -> Warp:
    """Return the warp whose density is 1 − confidence everywhere, and a triangle of that area round `center` above it.

    Args:
        center: in [0, 1].
        confidence: in (0, 1): the triangle's share of the draws; it reaches (1 − confidence) / 2 to each side.
    """
    reach = (1.0 - confidence) / 2.0
    inside = [at for at in (center - reach, center, center + reach) if 0.0 < at < 1.0]
    knots = np.unique(np.array([0.0, *inside, 1.0]))
    height = np.maximum(0.0, 1.0 - np.abs(knots - center) / reach)
    area = float(np.sum(np.diff(knots) * (height[1:] + height[:-1]) / 2.0))
    density = (1.0 - confidence) + confidence * height / area
    return Warp(knots, density[:-1], density[1:])


def favourite(number: int, count: int, confidence: float) -> Warp:
    """Return the warp that gives cell `number` of `count` equal ones `confidence` more than its share of the rest."""
    knots = np.unique(np.array([0.0, number / count, (number + 1) / count, 1.0]))
    density = np.full(len(knots) - 1, 1.0 - confidence)
    density[int(np.searchsorted(knots, number / count))] += confidence * count
    return Warp(knots, density, density)


MOST_CONFIDENCE = 0.9


@called_as("Prior(center)")
@dataclass(frozen=True, slots=True)
class Prior:
    """A belief that tilts sampling and can be wrong without ruin.

    A share `confidence` of the draws comes from a peak round `center` on the parameter's scale, which reaches
    (1 − confidence) / 2 of the range to each side; of a Choice, from that option alone. The rest is spread as without
    a prior. So every value stays possible, and a wrong prior costs at most a factor 1 / (1 − confidence) in trials:
    2 at 0.5, 10 at 0.9.

    Args:
        center: the best guess, a value of the parameter.
        confidence: > 0, at most 0.9.

    Raises:
        SpecError: the confidence is not in that range.
    """

    center: Any = field(hash=False)
    confidence: float = 0.5

    def __post_init__(self) -> None:
        confidence = real("Prior", "confidence", self.confidence)
        if not 0.0 < confidence <= MOST_CONFIDENCE:
            raise SpecError(
                f"Prior needs a confidence > 0 and at most {MOST_CONFIDENCE}, so that a wrong one costs at most a "
                f"factor of 10, got {confidence!r}"
            )
        object.__setattr__(self, "confidence", confidence)

    def to_json(self) -> dict[str, object]:
        """Return {"center": …, "confidence": …}, which `prior_from_json` reads."""
        return {"center": option_to_json(self.center), "confidence": self.confidence}


def prior_from_json(data: Any) -> Prior:
    """Return the prior that `to_json` described; SpecError when it is malformed."""
    if not isinstance(data, Mapping) or not {"center"} <= set(data) <= {"center", "confidence"}:
        raise SpecError(f"A prior in JSON is an object with center and confidence, got {data!r}")
    return Prior(option_from_json(data["center"]), data.get("confidence", 0.5))
