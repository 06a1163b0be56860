"""What a user believes about a parameter's best value before anything was tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caviar.errors import SpecError
from caviar.space.number import real
from caviar.space.option import option_from_json, option_to_json

MOST_CONFIDENCE = 0.9


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
