"""Planted spaces: made-up sweeps of which it is known what matters, and where the best lies.

The error of a trial follows from a sum of standardised effects of the parameters, each times the root of its weight,
and noise with the rest of the variance. So a weight is the share that a parameter alone has of the variance of the sum:
strong 0.4, medium 0.18, weak 0.06. Errors are at levels like those of twelve real tables (`RATIOS`).

Two sets of twenty-four, six shapes of an effect in four layouts each. On `settled` thresholds were looked at: smooth
and steep wells, errors that grow exponentially with the sum, one cliff. `fresh` has other shapes (cusps, ladders,
ripples, the best beside a cliff), other ways from sums to errors, other noises, more parameters without effect,
parameters of five values, and options without an order.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from caviar.results.statistics.axis import Axis
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space

Effect = Callable[[np.ndarray, float], np.ndarray]
STRONG, MEDIUM, WEAK = 0.4, 0.18, 0.06
GRID = (np.arange(4000) + 0.5) / 4000
INSIDE: dict[str, dict[str, Effect]] = {
    "settled": {
        "well": lambda u, c: np.tanh(2 * (u - c)) ** 2,
        "flat bottom": lambda u, c: np.maximum(0.0, np.abs(u - c) - 0.1) ** 1.5,
        "steep on one side": lambda u, c: np.where(u < c, c - u, 3 * (u - c)),
        "two wells": lambda u, c: np.minimum((u - c) ** 2, 0.02 + (u - (c + 0.45) % 1) ** 2),
        "narrow": lambda u, c: 1 - np.exp(-0.5 * ((u - c) / 0.12) ** 2),
        "fourth power": lambda u, c: (u - c) ** 4 + 0.3 * (u - c) ** 2,
    },
    "fresh": {
        "cusp": lambda u, c: np.sqrt(np.abs(u - c)),
        "cosine": lambda u, c: 1 - np.cos(np.pi * (u - c)),
        "ladder": lambda u, c: np.floor(np.abs(u - c) * 6 + 0.5),
        "logarithm": lambda u, c: np.log1p(np.abs(u - c) / 0.08),
        "beside a cliff": lambda u, c: np.where(u <= c, c - u, 0.15 + 0.5 * (1 - np.exp((c - u) / 0.08))),
        "ripples": lambda u, c: (u - c) ** 2 + 0.015 * np.sin(22 * (u - c)) ** 2,
    },
}
"""Shapes with their smallest value at c."""
AT_AN_END: dict[str, tuple[Effect, ...]] = {
    "settled": (
        lambda u, c: np.abs(u - c) ** 1.3,
        lambda u, c: -np.exp(-2.5 * np.abs(u - c)),
        lambda u, c: np.abs(u - c),
        lambda u, c: np.abs(u - c) + 0.06 * np.cos(9 * u),
        lambda u, c: 1 / (1 + np.exp(-8 * (np.abs(u - c) - 0.6))),
        lambda u, c: (u - c) ** 2,
    ),
    "fresh": (
        lambda u, c: np.sqrt(np.abs(u - c)),
        lambda u, c: 1 - np.cos(2.2 * np.abs(u - c)),
        lambda u, c: np.floor(np.abs(u - c) * 6),
        lambda u, c: np.log1p(np.abs(u - c) / 0.3),
        lambda u, c: np.abs(u - c) + 0.4 * (np.abs(u - c) > 0.7),
        lambda u, c: np.abs(u - c) + 0.03 * np.sin(22 * u),
    ),
}
"""Shapes whose best place is an end or beyond it, c = −0.1 or 1.1."""
NOISES = {"settled": ("normal", "long tails", "worse is noisier"), "fresh": ("laplace", "outliers", "normal")}
FORMS = {"settled": ("exponential",), "fresh": ("softplus", "logistic", "power")}
RATIOS = (2.36, 1.15, 1.61, 1.18, 1.14, 1.25, 2.25, 1.32, 1.41, 1.26, 1.67, 1.27)
"""Median over best of 64 trials: AlexNet, DeBERTa, six tasks of LCBench, four of TaskSet; each for two spaces."""
OPTIONS = np.array([0.7, -0.9, 1.2, 0.1])


def _of_options(u: np.ndarray, _best: float) -> np.ndarray:
    """Effects of the four options of a choice."""
    return OPTIONS[(u * len(OPTIONS)).astype(int)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One parameter: its effect, and how much it has of the variance; `kind` says what is counted of it."""

    kind: str
    weight: float = 0.0
    best: float = 0.5
    effect: Effect | None = None
    count: int | None = None
    ordered: bool = True

    def standard(self, u: np.ndarray) -> np.ndarray:
        """The effect with mean 0 and variance 1 over the axis."""
        if self.effect is None:
            return np.zeros(len(u))
        over = self.effect(self._values(GRID), self.best)
        return (self.effect(self._values(u), self.best) - over.mean()) / over.std()

    def _values(self, u: np.ndarray) -> np.ndarray:
        return u if self.count is None else (np.floor(np.minimum(u, 1 - 1e-9) * self.count) + 0.5) / self.count

    def axis(self, u: np.ndarray) -> Axis:
        """The parameter as statistics have it."""
        return Axis(places=u, count=self.count, ordered=self.ordered)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedSpace:
    """A made-up space: parameters, noise, and how sums become errors."""

    name: str
    parameters: tuple[Planted, ...]
    noise: str
    form: str
    spread: float
    floor: float = 0.0
    together: float = 0.0
    """Weight of a product of the last two parameters, which have no effect alone."""
    cliff: float = 1.0
    """Trials whose first parameter lies above it diverge."""

    def errors(self, u: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The error of each point, [n]; +inf: it diverged."""
        effects = [math.sqrt(one.weight) * one.standard(u[:, j]) for j, one in enumerate(self.parameters)]
        total = sum(effects) + 12 * math.sqrt(self.together) * (u[:, -1] - 0.5) * (u[:, -2] - 0.5)
        left = 1 - self.together - sum(one.weight for one in self.parameters)
        total = total + math.sqrt(left) * self._noise(total, rng)
        return np.where(u[:, 0] > self.cliff, np.inf, self.floor + 0.3 * self._risen(total))

    def _noise(self, total: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n = len(total)
        normal = rng.standard_normal(n)
        if self.noise == "long tails":
            return rng.standard_t(4, n) / math.sqrt(2)
        if self.noise == "laplace":
            return rng.laplace(size=n) / math.sqrt(2)
        if self.noise == "outliers":
            return normal * np.where(rng.random(n) < 0.05, 3.0, 0.77)
        return normal * (0.6 + 0.8 / (1 + np.exp(-2 * total))) if self.noise == "worse is noisier" else normal

    def _risen(self, total: np.ndarray) -> np.ndarray:
        """What a sum adds to the floor, rising with it."""
        if self.form == "softplus":
            return np.logaddexp(0.0, 2 * self.spread * (total + 0.5))
        if self.form == "logistic":
            return 3 / (1 + np.exp(-1.5 * self.spread * (total - 1)))
        if self.form == "power":
            return np.maximum(total + 4, 0.02) ** (2.5 * self.spread) / 8
        return np.exp(self.spread * total)


def spaces(which: str) -> list[PlantedSpace]:
    """All twenty-four of a set."""
    found = []
    places = itertools.cycle((0.35, 0.68, 0.5, 0.25, 0.6, 0.82, 0.42, 0.15, 0.75))
    noises, forms = itertools.cycle(NOISES[which]), itertools.cycle(FORMS[which])
    spreads, ratios = itertools.cycle((0.5, 0.8, 1.1, 0.8, 0.6)), itertools.cycle(RATIOS)
    for number, (shape, effect) in enumerate(INSIDE[which].items()):

        def seen(kind: str, weight: float, effect: Effect = effect, **others: int) -> Planted:
            return Planted(kind=kind, weight=weight, best=next(places), effect=effect, **others)

        end = Planted(kind="edge", weight=STRONG, best=1.1 if number % 2 else -0.1, effect=AT_AN_END[which][number])
        for layout, (parameters, together, cliff) in _layouts(which, seen, end).items():
            space = PlantedSpace(
                name=f"{shape}, {layout}",
                parameters=parameters,
                noise=next(noises),
                form=next(forms),
                spread=next(spreads),
                together=together,
                cliff=cliff,
            )
            found.append(replace(space, floor=_floor(space, next(ratios))))
    return found


def _floor(space: PlantedSpace, ratio: float) -> float:
    """What is to be added to all errors for the median to be so many times the best of 64; at least 0."""
    rng = np.random.default_rng(0)
    errors = space.errors(rng.random((20_000, len(space.parameters))), rng)
    best, median = np.quantile(errors, [1 - 0.5 ** (1 / 64), 0.5])
    return max(0.0, float((median - ratio * best) / (ratio - 1)))


def _layouts(
    which: str, seen: Callable[..., Planted], end: Planted
) -> dict[str, tuple[tuple[Planted, ...], float, float]]:
    """Parameters, weight of the pair, and cliff, of each layout."""
    idle, pair = Planted(kind="idle"), (Planted(kind="together"), Planted(kind="together"))
    strong, medium, weak = ("strong", STRONG), ("medium", MEDIUM), ("weak", WEAK)
    if which == "settled":
        return {
            "one strong": ((seen(*strong), seen(*medium), seen(*weak), idle, idle, idle), 0.0, 1.0),
            "two strong": ((seen(*strong), idle, seen(*strong), idle, idle), 0.0, 1.0),
            "none strong": ((seen(*medium), seen(*medium), seen(*weak), idle, idle, *pair), 0.1, 1.0),
            "at an end": ((idle, end, seen(*medium), idle, idle), 0.0, 0.88),
        }
    option = Planted(
        kind="option", weight=0.25, effect=lambda u, c: OPTIONS[(u * 4).astype(int)], count=4, ordered=False
    )
    unused = Planted(kind="idle", count=4, ordered=False)
    few = Planted(kind="idle", count=5)
    return {
        "many idle": ((seen(*strong), seen(*medium), *(idle,) * 7), 0.0, 1.0),
        "five values": ((seen("strong", STRONG, count=5), seen(*medium), seen(*weak), few, idle), 0.0, 1.0),
        "options": ((option, unused, seen(*medium), seen(*medium), idle, *pair), 0.08, 1.0),
        "at an end": ((idle, seen(*medium), end, idle, idle, idle, idle), 0.0, 0.9),
    }


def sweeps(space: PlantedSpace, trials: int, count: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Points and errors of so many sweeps, in turns by `sobol`, as is usual, and by `random`."""
    unit = Space({f"x{j}": Float(0.0, 1.0) for j in range(len(space.parameters))})
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        sampler = make_sampler(("sobol", "random")[number % 2], unit, seed * 100_003 + number, trials)
        u = sampler.points(0, trials)
        yield u, space.errors(u, rng)
