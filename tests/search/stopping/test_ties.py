"""Equal curves are never worse: whatever their trials' numbers, whatever is rounded, nobody is stopped for a tie."""

import random
import warnings
from typing import Any

import pytest

from caviar.search.stopping import KINDS, Judgement, StopPolicy, parse_stopping, sentence
from caviar.search.stopping.extrapolate import chance_below

MOST = 2**63 - 1
EXAMPLES = [kind.example for name, kind in KINDS.items() if name != "patience"]  # which compares nobody
POLICIES = (*EXAMPLES, "asha:eta=3", "asha:eta=2,first=3", "hyperband:eta=3", "median:least=1")


def constant(value: float) -> list[tuple[int, float]]:
    return [(step, value) for step in range(30)]


CURVES: dict[str, list[tuple[int, float]]] = {
    **{f"constant {value}": constant(value) for value in (0.1, 0.07, 0.7, 1e-9, 1.7e308, -1.7e308, 5e-324, 0.0)},
    "falling": [(step, 1 / (step + 1)) for step in range(30)],
    "late": [(step, 1.0 if step < 25 else 0.1) for step in range(30)],
    "noisy": [(step, random.Random(step).random()) for step in range(30)],
    "sparse": [(7 * step, 0.1 + step % 3) for step in range(20)],
    "from afar": [(MOST - 100 + 10 * step, 0.1) for step in range(10)] + [(MOST, 0.1)],
    "between extremes": [(step, (-1.0) ** step * 1.7e308) for step in range(30)],
}


def judged(
    policy: StopPolicy, curve: list[tuple[int, float]], numbers: list[int], *, one_by_one: bool
) -> list[Judgement]:
    """All that is decided when trials of these numbers have the same curve, side by side or one after the other."""
    found: list[Judgement] = []
    stopped: set[int] = set()

    def hear(trial: int, step: int, value: float) -> None:
        if trial not in stopped:
            policy.note(trial, step, value)
            judgement = policy.judge(trial)
            if judgement is not None:
                policy.apply(judgement)
                found.append(judgement)
                stopped.update({trial} if judgement.action == "stop" else ())

    if one_by_one:
        for trial in numbers:
            for step, value in curve:
                hear(trial, step, value)
            policy.end(trial, state="COMPLETED")
    else:
        for step, value in curve:
            for trial in numbers:
                hear(trial, step, value)
    return found


@pytest.mark.parametrize("mode", ["min", pytest.param("max", marks=pytest.mark.nightly)])
@pytest.mark.parametrize("text", POLICIES)
@pytest.mark.parametrize("name", CURVES)
def test_of_equal_curves_nobody_is_stopped(name: str, text: str, mode: str) -> None:
    numbers = random.Random(1).sample(range(1000), 12)
    for order in (numbers, numbers[::-1]):
        for one_by_one in (False, True):
            policy = parse_stopping(text).policy(mode=mode, pausing=False)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = judged(policy, CURVES[name], order, one_by_one=one_by_one)
            assert {one.action for one in found} <= {"go_on"}
            for one in found:
                said = told(one, text)
                assert "worse than" not in said.replace("no worse than", ""), said


def told(one: Judgement, by: str) -> str:
    facts: dict[str, Any] = {"step": one.step, "value": one.value, "bar": one.bar, "numbers": one.numbers}
    return sentence(action=one.action, by=by, **facts)


@pytest.mark.parametrize("text", ["asha:eta=3", "hyperband:eta=3"])
def test_who_waits_with_the_best_is_promoted_with_them(text: str) -> None:
    policy = parse_stopping(text).policy(mode="min", pausing=True)
    found = []
    for trial in (5, 3, 9, 1, 7, 4):
        policy.note(trial, 100, 0.5)
        while (judgement := policy.judge(trial)) is not None:
            policy.apply(judgement)
    while (judgement := policy.recall(exhausted=False)) is not None:
        policy.apply(judgement)
        found.append(judgement.trial)
    for bracket in {getattr(policy, "bracket", lambda _: 0)(trial) for trial in (5, 3, 9, 1, 7, 4)}:
        alike = [trial for trial in (5, 3, 9, 1, 7, 4) if getattr(policy, "bracket", lambda _: 0)(trial) == bracket]
        assert sorted(set(found) & set(alike)) in ([], sorted(alike))  # all of them, or too few have come


def test_the_sentences_say_that_ties_go_on() -> None:
    halving = {"rung": 0, "rank": 1, "tied": 8, "of": 9, "kept": 3}
    one = Judgement(trial=0, action="go_on", step=1, value=0.1, bar=0.1, numbers=halving)
    assert told(one, "asha:eta=3").endswith(
        "0.1 ranked 1 of 9 there, level with 8 others, and the best 3 go on (0.1 or better), with those level with them"
    )
    one = Judgement(trial=0, action="go_on", step=1, value=0.1, bar=0.1, numbers={"of": 7})
    assert told(one, "median").endswith("its best value 0.1 is just the median of 7 averages, and ties go on")
    close = Judgement(trial=0, action="stop", step=1, value=0.10000000000000002, bar=0.1, numbers={"of": 7})
    assert "0.10000000000000002 was worse than 0.1," in told(close, "median")
    close = Judgement(trial=0, action="stop", step=1, value=0.123456, bar=0.123454, numbers={"of": 7})
    assert "0.123456 was worse than 0.123454," in told(close, "median")


@pytest.mark.parametrize("factor", [2.0**-1000, 2.0**-300, 1.0, 2.0**300, 2.0**1000])
def test_a_chance_does_not_hang_on_the_unit_of_the_metric(factor: float) -> None:
    steps, scores = list(range(8)), [1 / (step + 1) + 0.1 * (step % 3) for step in range(8)]

    chance, expected = chance_below(steps, scores, 20, 0.2)

    scaled = chance_below(steps, [factor * one for one in scores], 20, factor * 0.2)
    assert scaled == (chance, factor * expected)
    assert 0 < chance < 1


@pytest.mark.parametrize("text", ["asha:eta=1e200", "hyperband:eta=1e200"])
def test_rungs_may_lie_beyond_every_step(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        policy = parse_stopping(text).policy(mode="min", pausing=False)
        for trial in range(10):
            policy.note(trial, MOST, 1.0 / (trial + 1))
            policy.judge(trial)
