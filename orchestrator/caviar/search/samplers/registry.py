"""Samplers as users name them, in JSON, and made."""

from collections.abc import Mapping
from typing import TypeAlias

from caviar.errors import SpecError
from caviar.search.samplers.grid import Grid, GridSampler
from caviar.search.samplers.halton import HaltonSampler
from caviar.search.samplers.listed import List, ListSampler
from caviar.search.samplers.random import RandomSampler
from caviar.search.samplers.sampler import Sampler
from caviar.search.samplers.seeds import MOST_TRIALS
from caviar.search.samplers.sobol import SobolSampler
from caviar.space import Space, did_you_mean

SAMPLERS = ("random", "sobol", "halton", "grid", "shuffled_grid")
"""Names; a `Grid` with its levels and a `List` of configurations are samplers too."""

USUAL_TRIALS = 64

Description: TypeAlias = str | Grid | List
"""How a sweep says which sampler it wants."""


def make_sampler(sampler: Description | Mapping[str, object], space: Space, seed: int, trials: int) -> Sampler:
    """Return the sampler of a sweep.

    Args:
        sampler: one of `SAMPLERS`, a `Grid`, a `List`, or the JSON form of one of these.
        space: gives the dimensions, a grid its levels, and a list's configurations their points.
        seed: of the sweep, 0 .. 2^63 - 1; a plain grid ignores it.
        trials: how many points the sweep needs, >= 1; the default levels of a grid depend on it.

    Raises:
        SpecError: there is no such sampler, the seed, the levels or the configurations are wrong, or a grid or list
            has fewer points than trials.
    """
    chosen = _made(read_sampler(sampler), space, seed, trials)
    if isinstance(chosen, (GridSampler, ListSampler)) and chosen.size is not None and trials > chosen.size:
        raise SpecError(
            f"This {chosen.name} has {chosen.size:,} points, got trials={trials:,}; ask for fewer, or more levels"
        )
    return chosen


def usual_trials(sampler: Description | Mapping[str, object], space: Space) -> int:
    """How many trials a sweep has that does not say: 64, or as many as its grid has points, where these are fewer."""
    chosen = _made(read_sampler(sampler), space, 0, USUAL_TRIALS)
    size = chosen.size if isinstance(chosen, (GridSampler, ListSampler)) else None
    return USUAL_TRIALS if size is None else min(size, USUAL_TRIALS)


def _made(described: Description, space: Space, seed: int, trials: int) -> Sampler:
    _check_trials(trials)
    if isinstance(described, List):
        rest = trials - len(described.configs)
        then = None if described.then is None else _made(read_sampler(described.then), space, seed, max(1, rest))
        return ListSampler(described.configs, space, then)
    if isinstance(described, Grid):
        return GridSampler(space, described, trials, seed)
    return _endless(described, len(space), seed)


def read_sampler(sampler: Description | Mapping[str, object]) -> Description:
    """Return a sampler's description from that or its JSON form; "grid" is a Grid too. SpecError: there is none."""
    if isinstance(sampler, (Grid, List)):
        return sampler
    name = sampler.get("name") if isinstance(sampler, Mapping) else sampler
    whole = sampler if isinstance(sampler, Mapping) else {"name": name}
    if name == "list" and "configs" in whole:
        return List.from_json(whole)
    if name in ("grid", "shuffled_grid"):
        return Grid.from_json(whole)
    if not isinstance(name, str) or name not in SAMPLERS or set(whole) != {"name"}:
        raise SpecError(f"There is no sampler {sampler!r}{did_you_mean(sampler, SAMPLERS)}")
    return name


def sampler_json(sampler: Description) -> object:
    """Return the JSON form of a description, which `read_sampler` reads."""
    return sampler if isinstance(sampler, str) else sampler.to_json()


def _endless(name: str, dimensions: int, seed: int) -> Sampler:
    if name == "random":
        return RandomSampler(dimensions, seed)
    return SobolSampler(dimensions, seed) if name == "sobol" else HaltonSampler(dimensions, seed)


def _check_trials(trials: object) -> None:
    if isinstance(trials, bool) or not isinstance(trials, int) or not 1 <= trials <= MOST_TRIALS:
        raise SpecError(f"A sweep needs a whole number of trials in 1 .. 2^32, got {trials!r}")
