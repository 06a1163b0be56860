"""Whoever judges or guides knows the living history and nothing else, the same live and rebuilt at a resume."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.contracts.histories import STEPS, Heard, again, history, last_of_each_step, living, table
from tests.contracts.test_searcher_contract import GUIDED
from tests.contracts.test_searcher_contract import KINDS as SEARCHERS
from tests.contracts.test_stopping_contract import CASES, make

from caviar.run.engine.decision_log import Decision, decision_rows
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.search.stopping import DivergencePolicy, Judgement, StopPolicy

ALL = [*CASES, ("stop_on_divergence", False), ("patience:steps=2", False), ("median:least=1", False)]
SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 20))]
TRIALS = 12


class Mute:
    """A policy that is only told."""

    def __init__(self, policy: StopPolicy) -> None:
        self.told = policy
        self.note, self.withdraw, self.apply, self.end = policy.note, policy.withdraw, policy.apply, policy.end

    def judge(self, trial: int) -> Judgement | None:
        return None

    def recall(self, *, exhausted: bool) -> Judgement | None:
        return None


def new(case: tuple[str, bool]) -> StopPolicy:
    return DivergencePolicy() if case[0] == "stop_on_divergence" else make(case)


@pytest.fixture(params=ALL, ids=lambda case: f"{case[0]}-{'pausing' if case[1] else 'stopping'}")
def case(request: pytest.FixtureRequest) -> tuple[str, bool]:
    found: tuple[str, bool] = request.param
    return found


def says(policy: StopPolicy) -> list[str]:
    """All that a policy decides from here on, about trials that go on alike."""
    found: list[Judgement | None] = []
    for step in (None, *range(2 * STEPS, 4 * STEPS, 3)):
        for trial in range(TRIALS):
            if step is not None:
                policy.note(trial, step, (trial * 7 % 5) / (step + trial))
            found.append(policy.judge(trial))
            if found[-1] is not None:
                policy.apply(found[-1])
        found += [policy.recall(exhausted=exhausted) for exhausted in (False, True)]
    return [repr(one) for one in found]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_superseded_changes_nothing_and_of_one_step_the_last_row_counts(
    case: tuple[str, bool], seed: int
) -> None:
    live, dry, terse = new(case), new(case), new(case)
    batches = history(seed, TRIALS)
    adviser = PolicyRunner({"p": Mute(live)}, "loss")
    for batch in batches:
        adviser.hear(table(batch), None)
    left = living([row for batch in batches for row in batch])
    for policy, rows in ((dry, left), (terse, last_of_each_step(left))):
        for row in rows:
            policy.note(row.trial, row.step, row.value)

    assert says(live) == says(dry) == says(terse)


def heard(adviser: PolicyRunner, batches: list[list[Heard]]) -> list[Decision]:
    """What an adviser decides as it hears of these."""
    made = []
    for number, batch in enumerate(batches):
        adviser.hear(table(batch), None)
        if number % 5 == 0:
            adviser.recall(exhausted=False)
        made += adviser.decisions()
    return made


def restore(adviser: PolicyRunner, rows: list[Heard], made: list[Decision], ended: dict[int, str]) -> None:
    """As a driver that resumes does it."""
    kept = [(row.trial, row.step, row.value) for row in living(rows) if row.value is not None]
    adviser.restore(kept, decision_rows(made, 0, 0.0).to_pylist(), ended)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_driver_that_resumes_goes_on_as_the_first_one(case: tuple[str, bool], seed: int) -> None:
    batches = history(seed, TRIALS)
    cut = len(batches) * (1 + seed % 7) // 8
    past = [row for batch in batches[:cut] for row in batch]
    future = again(seed, past, list(range(TRIALS)))
    first = PolicyRunner({"p": new(case)}, "loss")
    made = heard(first, batches[:cut])

    second = PolicyRunner({"p": new(case)}, "loss")
    restore(second, past, made, {})

    assert dict(second.trials.condemned).keys() == dict(first.trials.condemned).keys()
    assert repr(heard(second, future)) == repr(heard(first, future))


@pytest.mark.parametrize("seed", SEEDS)
def test_who_was_changed_by_hand_is_let_go_alike_by_the_first_driver_and_the_next(
    case: tuple[str, bool], seed: int
) -> None:
    batches = history(seed, TRIALS)
    cut = len(batches) * (1 + seed % 7) // 8
    past = [row for batch in batches[:cut] for row in batch]
    future = again(seed, past, list(range(TRIALS)))
    first = PolicyRunner({"p": new(case)}, "loss")
    made = heard(first, batches[: cut // 2])
    changed = [1, 4]
    for trial in changed:
        first.let_go(trial)
    made += heard(first, batches[cut // 2 : cut])

    second = PolicyRunner({"p": new(case)}, "loss")
    kept = [(row.trial, row.step, row.value) for row in living(past) if row.value is not None]
    second.restore(kept, decision_rows(made, 0, 0.0).to_pylist(), {}, changed=changed)

    went_on = heard(first, future)
    assert repr(heard(second, future)) == repr(went_on)
    assert not {one.trial for one in went_on} & set(changed)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_failed_trial_that_is_tried_again_is_judged_by_its_whole_curve(case: tuple[str, bool], seed: int) -> None:
    past = [row for batch in history(seed, TRIALS) for row in batch]
    failed = list(range(0, TRIALS, 3))
    more = again(seed, past, failed)
    resumed, whole = new(case), new(case)
    adviser = PolicyRunner({"p": Mute(resumed)}, "loss")
    restore(adviser, past, [], dict.fromkeys(failed, "FAILED"))
    for batch in more:
        adviser.hear(table(batch), None)
    for row in living(past + [row for batch in more for row in batch]):
        whole.note(row.trial, row.step, row.value)

    assert says(resumed) == says(whole)


@pytest.mark.parametrize("name", [*GUIDED, "optuna:tpe"])
@pytest.mark.parametrize("seed", SEEDS[:5])
def test_a_searcher_asks_as_if_superseded_rows_had_never_been(name: str, seed: int) -> None:
    if name.startswith("optuna"):
        pytest.importorskip("optuna", reason="the extra `optuna` is not installed")
    make: Callable[..., Any] = SEARCHERS[name]
    batches = history(seed, 30)
    rows = [row for batch in batches for row in batch]
    live, dry = (make(mode="min", seed=3) for _ in range(2))
    adviser = PolicyRunner(metric="loss", searcher=live, search=name)
    for trial in range(30):
        assert (adviser.ask(trial) == dry.ask(trial).u).all()
    for batch in batches:
        adviser.hear(table(batch), None)
    for row in last_of_each_step(living(rows)):
        dry.tell(row.trial, row.step, row.value)
    for trial in range(0, 30, 2):
        live.end(trial, state="STOPPED" if trial % 4 else "COMPLETED")
        dry.end(trial, state="STOPPED" if trial % 4 else "COMPLETED")

    assert all((live.ask(trial).u == dry.ask(trial).u).all() for trial in range(30, 34))
