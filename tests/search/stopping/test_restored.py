"""A policy that is told of the past by a store judges as the one that lived through it, ties and all."""

import random

import pytest

from caviar.search.stopping import KINDS, Judgement, StopPolicy, parse_stopping

POLICIES = (
    *(kind.example for kind in KINDS.values()),
    *("asha:eta=3", "asha:eta=2,first=3", "hyperband:eta=3", "median:least=1", "extrapolate:least=1"),
)
Curve = list[tuple[int, float]]


def curve(chance: random.Random, length: int) -> Curve:
    """Of few different values, so that many are equal."""
    return [(step, chance.choice((0.2, 0.5, 0.88, 0.9))) for step in range(length)]


def lived(policy: StopPolicy, curves: dict[int, Curve], order: list[int]) -> list[Judgement]:
    """Trials train one after the other, and are judged at each step."""
    made: list[Judgement] = []
    for trial in order:
        state = "COMPLETED"
        for step, value in curves[trial]:
            policy.note(trial, step, value)
            found = policy.judge(trial)
            if found is not None:
                policy.apply(found)
                made.append(found)
                if found.action == "stop":
                    state = "STOPPED"
                    break
        policy.end(trial, state=state)
    return made


def restored(policy: StopPolicy, curves: dict[int, Curve], made: list[Judgement]) -> None:
    """As a driver that goes on takes it from the store: all rows, then all decisions, then who ended, by number."""
    stopped = {one.trial: one.step for one in made if one.action == "stop"}
    for trial, rows in sorted(curves.items()):
        for step, value in rows:
            if step <= stopped.get(trial, step):
                policy.note(trial, step, value)
    for one in made:
        policy.apply(one)
    for trial in sorted(curves):
        policy.end(trial, state="STOPPED" if trial in stopped else "COMPLETED")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(1, 20))])
@pytest.mark.parametrize("text", POLICIES)
def test_the_next_trials_are_judged_alike(text: str, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(6):
        curves = {trial: curve(chance, 25) for trial in range(6)}
        after = {trial: curve(chance, 25) for trial in range(6, 9)}
        if chance.random() < 0.5:  # the last values are all the same
            curves = {trial: [*rows[:-1], (24, 0.5)] for trial, rows in curves.items()}
        order = chance.sample(range(6), 6)
        live, again = (parse_stopping(text).policy(mode="min", pausing=False) for _ in range(2))
        restored(again, curves, lived(live, curves, order))
        assert lived(live, after, sorted(after)) == lived(again, after, sorted(after))
