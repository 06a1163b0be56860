"""The user's own configurations first, such as a known baseline; then another sampler goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.search.samplers.grid import Grid
from caviar.search.samplers.sampler import VERSIONS, Sampler, digest
from caviar.search.samplers.seeds import check_range
from caviar.space import Space, did_you_mean
from caviar.space.option import option_from_json, option_to_json
from caviar.space.scale import IntArray


@dataclass(frozen=True, slots=True)
class List:
    """Configurations to try first, and what to try after them.

    Args:
        configs: at least one dict of values; a parameter that is left out has its default.
        then: "sobol", "random", "halton", "grid", "shuffled_grid", a `Grid`, or None: nothing.

    Raises:
        SpecError: `configs` is empty or not of dicts. (`make_sampler` compares them with the space.)
    """

    configs: Sequence[Mapping[str, Any]]
    then: str | Grid | None = "sobol"

    def __post_init__(self) -> None:
        if isinstance(self.configs, Mapping):
            raise SpecError(f"Configurations to try first are a list of dicts: write [{dict(self.configs)!r:.80}]")
        if not isinstance(self.configs, (list, tuple)) or not self.configs:
            raise SpecError(f"A list of configurations to try first has at least one, got {self.configs!r:.80}")
        for one in self.configs:
            if not isinstance(one, Mapping):
                raise SpecError(f"A configuration to try first is a dict of values, got {one!r:.80}")
        object.__setattr__(self, "configs", tuple(dict(one) for one in self.configs))

    def plain(self, space: Space) -> List:
        """Return the same configurations with each value as its parameter has it, such as an int for numpy's.

        Args:
            space: of which they are, as `make_sampler` sees.
        """
        return List(
            [{name: space[name].plain(value) for name, value in one.items()} for one in self.configs], self.then
        )

    def to_json(self) -> dict[str, object]:
        """Return {"name": "list", "configs": …, "then": …}, which `from_json` and `make_sampler` read."""
        configs = [{name: option_to_json(value) for name, value in one.items()} for one in self.configs]
        then = self.then.to_json() if isinstance(self.then, Grid) else self.then
        return {"name": "list", "configs": configs, "then": then}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> List:
        """Return the list that `to_json` described; SpecError when a field is unknown."""
        for key in data:
            if key not in {"name", "configs", "then"}:
                raise SpecError(f"A list in JSON has no field {key!r}{did_you_mean(key, ['configs', 'then'])}")
        configs = [{name: option_from_json(value) for name, value in one.items()} for one in data["configs"]]
        then = data.get("then", "sobol")
        return cls(configs, Grid.from_json(then) if isinstance(then, Mapping) else then)


class ListSampler:
    """Point i is that of configuration i while there are any, and then the other sampler's points from its first.

    Args:
        configs: the configurations.
        space: of which they are.
        then: the sampler that goes on; None: none.

    Raises:
        SpecError: a configuration is not one of the space.
    """

    name = "list"

    def __init__(self, configs: Sequence[Mapping[str, Any]], space: Space, then: Sampler | None) -> None:
        self.own = configs
        self._listed = np.array([_point(number, one, space) for number, one in enumerate(configs)])
        self._then = then
        more = 0 if then is None else then.size
        self.size = None if more is None else len(configs) + more

    def points(self, start: int, count: int) -> npt.NDArray[np.float64]:
        """Return points start .. start + count - 1, float64 [count, d]; SpecError beyond the end."""
        check_range(start, count)
        if self.size is not None and start + count > self.size:
            raise SpecError(f"This list has {self.size:,} points, got a request for {start + count:,}")
        listed = self._listed[start : start + count]
        if len(listed) == count or self._then is None:
            return listed.copy()
        return np.concatenate([listed, self._then.points(max(0, start - len(self.own)), count - len(listed))])

    def identity(self) -> dict[str, object]:
        """Return the name, the SHA-256 of the listed points, and the identity of what goes on, flat with "then_"."""
        after = {} if self._then is None else self._then.identity()
        then = {key if key in VERSIONS else f"then_{key}": value for key, value in after.items()}
        return {"name": self.name, "first_points": digest(self._listed)} | then


def typed(own: Sequence[Mapping[str, Any]], index: IntArray) -> dict[int, Mapping[str, Any]]:
    """Position → configuration as it was typed, of those draws that a user listed; see `Space.columns`.

    Args:
        own: the sampler's.
        index: raw indices of draws in the sampler, increasing, [n].
    """
    return {k: own[raw] for k, raw in enumerate(index[: len(own)].tolist()) if raw < len(own)}


def _point(number: int, config: Mapping[str, Any], space: Space) -> npt.NDArray[np.float64]:
    try:
        return space.unit(config)
    except SpecError as error:
        raise SpecError(f"first[{number}]: {error}") from None
