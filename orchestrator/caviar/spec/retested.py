"""What a retest trains: configurations that other sweeps found to be their best, each on several fresh seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caviar.errors import SpecError

LOOKS = (5, 10, 20)
"""Seeds of each configuration at which a verdict is given."""
MOST_CONFIGURATIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Retested:
    """The trials of a retest: trial i trains configuration i % k, with seed i.

    So what has come of it at any moment is of all configurations about alike.

    Raises:
        SpecError: The fields do not fit each other.
    """

    origins: tuple[tuple[str, int], ...]
    """Sweep and trial that each of the k configurations comes from."""
    seeds: tuple[int, ...]
    """Of the trials; k times as many as each configuration has in this sweep."""
    looks: tuple[int, ...]
    """How many seeds each configuration has in all when this sweep has ended, and when each of those has that are to
    follow while nothing is decided."""

    def __post_init__(self) -> None:
        rising = self.looks == tuple(sorted(set(self.looks))) and set(self.looks) <= set(LOOKS)
        fits = 0 < len(self.origins) <= MOST_CONFIGURATIONS and not len(self.seeds) % len(self.origins)
        if not (rising and self.looks and fits and self.seeds and len(set(self.seeds)) == len(self.seeds)):
            raise SpecError(
                f"a retest has up to {MOST_CONFIGURATIONS} configurations, as many different seeds for each, and looks "
                "at 5, 10, 20"
            )

    @property
    def repeats(self) -> int:
        """How many seeds each configuration has in this sweep."""
        return len(self.seeds) // len(self.origins)

    def origin(self, trial: int) -> tuple[str, int]:
        """Sweep and trial that a trial's configuration comes from."""
        return self.origins[trial % len(self.origins)]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, from which `from_json` makes the same."""
        return {"origins": [list(one) for one in self.origins], "seeds": list(self.seeds), "looks": list(self.looks)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Retested:
        """Read what `to_json` wrote, of which `store.untrusted_json` has seen the types."""
        origins = tuple((str(sweep), int(trial)) for sweep, trial in data["origins"])
        return cls(origins=origins, seeds=tuple(data["seeds"]), looks=tuple(data["looks"]))


def looks_up_to(repeats: int) -> tuple[int, ...]:
    """Return the looks of a retest with so many seeds of each configuration."""
    return tuple(look for look in LOOKS if look <= repeats)
