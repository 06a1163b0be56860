"""Brackets with pausing: who waits in any of them is promoted by what it is worth."""

import pytest

from caviar.search.stopping import Judgement, parse_stopping


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("best", range(6))
def test_the_best_that_waits_is_promoted_whatever_its_bracket(best: int, mode: str) -> None:
    """Six trials are too few for any rung: all wait, and none has completed."""
    sign = {"min": 1.0, "max": -1.0}[mode]
    policy = parse_stopping("hyperband:eta=3").policy(mode=mode, pausing=True)
    paused: dict[int, int] = {}
    completed: list[int] = []

    def adopt(found: Judgement) -> None:
        policy.apply(found)
        if found.action == "pause":
            paused[found.trial] = found.step

    def train(trial: int, start: int) -> None:
        for step in range(start, 31):
            policy.note(trial, step, sign * (0.1 if trial == best else 5.0 + trial))
            found = policy.judge(trial)
            if found is not None:
                adopt(found)
                if found.action == "pause":
                    return
        policy.end(trial, state="COMPLETED")
        completed.append(trial)

    for trial in range(6):
        train(trial, 0)
    while (found := policy.recall(exhausted=True)) is not None:
        adopt(found)
        if found.action == "promote":
            train(found.trial, paused[found.trial] + 1)
        else:
            policy.end(found.trial, state="STOPPED")
            assert found.trial != best
    assert completed == [best]
