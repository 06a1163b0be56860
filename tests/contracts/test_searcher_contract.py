"""What every searcher must keep, whichever it is: the contract at the head of caviar/search/searchers/searcher.py."""

import math
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from caviar.errors import SpecError
from caviar.search.searchers import SEARCHERS, Searcher, Thompson
from caviar.search.searchers.optuna import PACKAGES, OptunaSearch

GOAL = np.array([0.2, 0.7, 0.5])
POOL = np.random.default_rng(5).random((3000, 3))
KINDS: dict[str, Callable[..., Searcher]] = {
    "pool": lambda **given: Thompson(dimensions=3, pool=POOL, **given),
    **{name: partial(kind.maker(), dimensions=3) for name, kind in SEARCHERS.items() if name != "optuna:gp"},  # torch
}


def loss(u: np.ndarray, step: int) -> float:
    return float(((u - GOAL) ** 2).sum() + 1.0 / (step + 1))


def played(searcher: Searcher, trials: int, sign: float = 1.0, **odd: Any) -> list[np.ndarray]:
    """Trials of three steps, one after the other, with another one pending."""
    points = [searcher.ask(0).u]
    for trial in range(trials):
        points.append(searcher.ask(trial + 1).u)
        for step in (1, 3, 9):
            searcher.tell(trial, step, odd.get(f"t{trial}", sign * loss(points[trial], step)))
        searcher.end(trial, state="FAILED" if odd.get(f"t{trial}") == math.inf else "COMPLETED")
    return points


GUIDED = tuple(name for name in KINDS if not name.startswith("optuna:"))
"""Those that must find the goal: Optuna's need not be as good."""


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[..., Searcher]:
    if request.param.startswith("optuna"):
        pytest.importorskip("optuna", reason="the extra `optuna` is not installed")

    def make(mode: str = "min", seed: int = 3) -> Searcher:
        return KINDS[request.param](mode=mode, seed=seed)

    return make


def test_points_are_in_the_cube_and_all_different(make: Callable[..., Searcher]) -> None:
    points = np.array(played(make(), 40))

    assert points.shape == (41, 3)
    assert ((points >= 0) & (points < 1)).all()
    assert len(np.unique(points, axis=0)) == 41


def test_the_same_events_give_the_same_points(make: Callable[..., Searcher]) -> None:
    assert np.array_equal(played(make(), 35), played(make(), 35))
    assert not np.array_equal(played(make(), 5), played(make(seed=4), 5))


@pytest.mark.parametrize("name", GUIDED)
def test_it_finds_the_goal_where_chance_would_not(name: str) -> None:
    make = partial(KINDS[name], mode="min", seed=3)
    points = np.array(played(make(), 70))
    late = ((points[45:] - GOAL) ** 2).sum(axis=1)

    assert np.median(late) < 0.06  # of random points: 0.27
    assert late.min() < 0.01


def test_max_is_the_mirror_of_min(make: Callable[..., Searcher]) -> None:
    assert np.allclose(played(make(), 30), played(make(mode="max"), 30, sign=-1.0))


def test_failures_nan_and_infinities_disturb_nothing(make: Callable[..., Searcher]) -> None:
    odd = {
        f"t{trial}": value for trial, value in zip(range(0, 40, 4), [math.nan, math.inf, -math.inf] * 4, strict=False)
    }
    points = np.array(played(make(), 70, **odd))

    assert np.isfinite(points).all()
    assert ((points[45:] - GOAL) ** 2).sum(axis=1).min() < 0.05


def test_only_bad_news_is_no_error(make: Callable[..., Searcher]) -> None:
    points = played(make(), 30, **{f"t{trial}": math.nan for trial in range(30)})

    assert np.isfinite(points).all()


@pytest.mark.parametrize("name", [*GUIDED, "optuna:tpe"])
def test_a_resumed_search_knows_what_the_first_one_knew(name: str) -> None:
    """Recorded points and rows, told in the store's order, guide it as before; but for CMA-ES, which begins anew."""
    if name.startswith("optuna"):
        pytest.importorskip("optuna", reason="the extra `optuna` is not installed")
    medians = []
    for seed in range(3):
        make = partial(KINDS[name], mode="min", seed=seed)
        points = played(make(), 50)
        resumed = make()
        for trial, u in enumerate(points):
            resumed.restore(trial, u)
        for trial in range(50):
            for step in (1, 3, 9):
                resumed.tell(trial, step, loss(points[trial], step))
            resumed.end(trial, state="COMPLETED")
        asked = np.array([resumed.ask(51 + k).u for k in range(12)])
        medians.append(np.median(((asked - GOAL) ** 2).sum(axis=1)))
        assert len(np.unique(np.concatenate([points, asked]), axis=0)) == 63

    assert np.mean(medians) < 0.12  # of random points: 0.27


def test_a_point_is_told_with_its_origin(make: Callable[..., Searcher]) -> None:
    searcher = make()
    played(searcher, 40)
    origins = {searcher.ask(100 + k).origin for k in range(20)}

    assert origins & {"near", "model"}


def test_without_optuna_its_searchers_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(SpecError, match=r"type \S+.* optuna cmaes, or use --searcher gp"):
        OptunaSearch(dimensions=2, mode="min", seed=0)


@pytest.mark.parametrize(("sampler", "package"), [("gp", "scipy"), ("gp", "torch"), ("cmaes", "cmaes")])
def test_what_a_sampler_of_optuna_needs_is_told_before_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, sampler: str, package: str
) -> None:
    pytest.importorskip("optuna", reason="the extra `optuna` is not installed")
    for name in PACKAGES["gp"]:
        monkeypatch.setitem(sys.modules, name, sys)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SpecError, match=rf"^the searcher optuna:{sampler} needs {package} \(.*: type .* {package}, or"):
        OptunaSearch(dimensions=2, mode="min", seed=0, sampler=sampler)


def test_every_point_of_a_pool_is_asked_for_once() -> None:
    small = Thompson(dimensions=3, mode="min", seed=0, pool=POOL[:30])
    points = played(small, 29)

    assert sorted(map(tuple, points)) == sorted(map(tuple, POOL[:30]))
