"""What every stop policy must keep, whichever it is: the contract at the head of caviar/search/stopping/policy.py."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import caviar
from caviar.errors import SpecError
from caviar.search import stopping
from caviar.search.stopping import KINDS, PAUSING, Judgement, StopPolicy, parse_stopping, stopping_text

TEXTS = [*(kind.example for kind in KINDS.values()), "asha", "asha:eta=4,first=2"]
CASES = [
    (text, pausing) for text in TEXTS for pausing in (True, False) if pausing or not parse_stopping(text).needs_pausing
]
END = 30


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_user_can_import_it_from_caviar(kind: type[stopping.Stopping]) -> None:
    assert {kind.__name__} <= {*caviar.__all__} & {*stopping.__all__}
    assert getattr(caviar, kind.__name__) is kind


def make(case: tuple[str, bool], mode: str = "min") -> StopPolicy:
    return parse_stopping(case[0]).policy(mode=mode, pausing=case[1])


def curve(trial: int) -> list[float]:
    rng = np.random.default_rng(trial)
    steps = np.arange(END + 1)
    values = rng.uniform(0.1, 1) + rng.uniform(0.1, 2) * (steps + 1) ** -rng.uniform(0.2, 1.5)
    return [float(value) for value in values + 0.01 * rng.normal(size=END + 1)]


class Run:
    """A sweep of one slot, in which trials of given curves are trained as the policy says."""

    def __init__(self, policy: StopPolicy, curves: dict[int, list[float]], *, stride: int = 1) -> None:
        self.policy = policy
        self.curves = curves
        self.stride = stride
        self.at = dict.fromkeys(curves, 0)
        self.state = dict.fromkeys(curves, "PENDING")
        self.events: list[tuple[Any, ...]] = []

    def all(self) -> "Run":
        pending = iter(self.curves)
        while (trial := self._next(pending)) is not None:
            self._train(trial)
        return self

    def _next(self, pending: Iterator[int]) -> int | None:
        recalled = self.policy.recall(exhausted=False)
        trial = next(pending, None) if recalled is None else None
        if recalled is None and trial is None:
            recalled = self.policy.recall(exhausted=True)
        if recalled is None:
            return trial
        self._apply(recalled)
        return self._next(pending) if recalled.action in ("stop", "fork") else recalled.trial

    def _train(self, trial: int) -> None:
        self.state[trial] = "RUNNING"
        while self.at[trial] < len(self.curves[trial]):
            step, value = self.at[trial], self.curves[trial][self.at[trial]]
            self.at[trial] += 1
            if step % self.stride:
                continue
            self.events.append(("note", trial, step, value))
            self.policy.note(trial, step, value)
            found = self.policy.judge(trial)
            if found is not None:
                self._apply(found)
                if found.action != "go_on":
                    return
        self._end(trial, "COMPLETED")

    def _apply(self, found: Judgement) -> None:
        self.events.append(("apply", found))
        self.policy.apply(found)
        if found.action == "stop":
            self._end(found.trial, "STOPPED")
        elif found.action == "pause":
            self.state[found.trial] = "PAUSED"

    def _end(self, trial: int, state: str) -> None:
        self.events.append(("end", trial, state))
        self.policy.end(trial, state=state)
        self.state[trial] = state

    def decisions(self) -> list[Judgement]:
        return [event[1] for event in self.events if event[0] == "apply"]


def replay(policy: StopPolicy, events: list[tuple[Any, ...]]) -> StopPolicy:
    for event, *facts in events:
        if event == "note":
            policy.note(*facts)
        elif event == "apply":
            policy.apply(facts[0])
        else:
            policy.end(facts[0], state=facts[1])
    return policy


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{'pausing' if case[1] else 'stopping'}")
def case(request: pytest.FixtureRequest) -> tuple[str, bool]:
    found: tuple[str, bool] = request.param
    return found


def curves(count: int = 40) -> dict[int, list[float]]:
    return {trial: curve(trial) for trial in range(count)}


def test_every_trial_ends_and_some_completes(case: tuple[str, bool]) -> None:
    run = Run(make(case), curves()).all()

    assert set(run.state.values()) <= {"COMPLETED", "STOPPED"}
    assert "COMPLETED" in run.state.values()
    assert "STOPPED" in run.state.values()


def test_only_a_pausing_policy_pauses(case: tuple[str, bool]) -> None:
    actions = {found.action for found in Run(make(case), curves()).all().decisions()}

    assert ({"pause", "promote"} & actions == set()) or case[1]
    if case[1] and case[0].partition(":")[0] in PAUSING:
        assert {"pause", "promote"} <= actions


def test_the_same_events_lead_to_the_same_decisions_and_judging_changes_nothing(case: tuple[str, bool]) -> None:
    run = Run(make(case), curves(25)).all()
    fresh = make(case)
    for event in run.events:
        if (
            event[0] == "apply"
            and event[1].action in ("promote", "stop", "fork")
            and fresh.judge(event[1].trial) != event[1]
        ):
            assert event[1] in (fresh.recall(exhausted=False), fresh.recall(exhausted=True))
        elif event[0] == "apply":
            assert fresh.judge(event[1].trial) == event[1]
            assert fresh.judge(event[1].trial) == event[1]
        fresh = replay(fresh, [event])
    assert fresh.recall(exhausted=True) is None


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_policy_rebuilt_from_rows_and_stored_decisions_goes_on_alike(case: tuple[str, bool], share: float) -> None:
    run = Run(make(case), curves(25)).all()
    cut = next(n for n in range(int(share * len(run.events)), 0, -1) if run.events[n][0] == "note")
    past = run.events[:cut]
    rows = sorted((event for event in past if event[0] == "note"), key=lambda event: event[1])  # as a reader finds them
    rebuilt = replay(make(case), rows + [event for event in past if event[0] == "apply"])
    rebuilt = replay(rebuilt, [event for event in past if event[0] == "end"])
    whole = replay(make(case), past)
    for event in run.events[cut:]:
        rebuilt, whole = replay(rebuilt, [event]), replay(whole, [event])
        for trial in run.curves:
            assert rebuilt.judge(trial) == whole.judge(trial)
        for exhausted in (False, True):
            assert rebuilt.recall(exhausted=exhausted) == whole.recall(exhausted=exhausted)


def test_max_is_the_mirror_of_min(case: tuple[str, bool]) -> None:
    low = Run(make(case), curves()).all()
    high = Run(make(case, "max"), {trial: [-v for v in values] for trial, values in curves().items()}).all()

    assert [(d.trial, d.action, d.step) for d in low.decisions()] == [
        (d.trial, d.action, d.step) for d in high.decisions()
    ]
    assert low.state == high.state


def test_a_diverged_trial_is_never_kept_for_its_value(case: tuple[str, bool]) -> None:
    given = curves(30)
    given[7] = [0.001] + [math.nan] * END
    given[8] = [-math.inf] * (END + 1)
    given[9] = [math.inf] * (END + 1)
    run = Run(make(case), given).all()

    for found in run.decisions():
        if found.trial in (7, 8, 9) and found.step > 0 and not case[0].startswith(("median", "patience")):
            assert found.action in ("pause", "stop", "fork")  # in whose place another one is forked
    assert all(
        found.bar is None or math.isfinite(found.bar) or case[0] == "patience:steps=4" for found in run.decisions()
    )


def test_a_trial_is_never_held_against_a_later_step(case: tuple[str, bool]) -> None:
    """What others did after the step of a decision can be anything: it changes no decision on values at that step."""
    policy, other = make(case), make(case)
    for trial, values in curves(12).items():
        for step, value in enumerate(values):
            policy.note(trial, step, value)
            other.note(trial, step, value if step <= 9 else -1000.0 - step)
    for step, value in enumerate(curve(99)[:10]):
        policy.note(99, step, value)
        other.note(99, step, value)
        assert policy.judge(99) == other.judge(99)
        found = policy.judge(99)
        if found is not None:
            policy.apply(found)
            other.apply(found)


def test_how_often_a_trial_reports_plays_no_part_for_a_rung() -> None:
    """Rungs count steps, never calls: trials that report every third step stand on the same rungs."""
    often, seldom = (Run(make(("asha:eta=3", False)), curves(), stride=stride).all() for stride in (1, 3))

    assert {found.step for found in often.decisions()} == {1, 3, 9, 27}
    assert {found.step for found in seldom.decisions()} == {3, 9, 27}  # judged at the highest it came to
    at_nine = {found.trial: found.value for found in seldom.decisions() if found.step == 9}
    assert at_nine
    assert all(value == curve(trial)[9] for trial, value in at_nine.items())


def test_a_rung_that_is_leapt_over_counts_what_the_trial_had_before_it() -> None:
    policy = make(("asha:eta=3", False))
    for step in (0, 2, 20):
        policy.note(0, step, float(step))
    found = policy.judge(0)

    assert found is not None
    assert (found.step, found.value) == (9, 2.0)


def test_a_trial_that_runs_again_is_not_judged_twice(case: tuple[str, bool]) -> None:
    policy = make(case)
    for trial, values in curves(12).items():
        for step, value in enumerate(values):
            policy.note(trial, step, value)
            found = policy.judge(trial)
            if found is not None:
                policy.apply(found)
    before = [policy.recall(exhausted=False)]
    for step, value in enumerate(curve(3)[:9]):
        policy.note(3, step, value - 50)
        if case[0] != "patience:steps=4":
            assert policy.judge(3) is None
    assert [policy.recall(exhausted=False)] == before


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_read_back_as_the_same_policy(text: str) -> None:
    found = parse_stopping(text)

    assert parse_stopping(stopping_text(found)) == found
    assert parse_stopping(found) is found
    assert text.partition(":")[0] in KINDS


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ahsa", "there is no stop policy 'ahsa'"),
        ("asha:eta=1", "eta is a number above 1"),
        ("asha:eta=x", "eta of asha is a number"),
        ("asha:first=0", "first is a whole number from 1"),
        ("asha:steps=3", "asha has the settings eta, first"),
        ("extrapolate:risk=0.9", "risk is a number between 0 and 0.5"),
        (7, "stopping is text"),
    ],
)
def test_wrong_text_is_refused_with_a_sentence(text: object, sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        parse_stopping(text)
