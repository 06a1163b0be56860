"""Of several reports of one step the last one counts, for those who judge too: as if there had been no other."""

import itertools
import random

import pyarrow as pa
import pytest

from caviar.run.engine.policy_runner import PolicyRunner
from caviar.search.stopping import parse_stopping
from caviar_workers.states import Action

TRIALS, STEPS = 12, 20


def adviser(text: str, *, pausing: bool) -> PolicyRunner:
    return PolicyRunner({text: parse_stopping(text).policy(mode="min", pausing=pausing)}, "loss")


def rows(noise: random.Random | None) -> list[list[tuple[int, int, int, float | None]]]:
    """What each trial reports at each step, in one go: with noise, other values first."""
    values = random.Random(3)
    found: list[list[tuple[int, int, int, float | None]]] = []
    for step, trial in itertools.product(range(STEPS), range(TRIALS)):
        own = [(trial, 0, step, values.random() + trial)]
        before = [] if noise is None else [noise.choice((None, -100.0, 1e9)) for _ in range(noise.randrange(3))]
        found.append([(trial, 0, step, value) for value in before] + own)
    return found


def table(batch: list[tuple[int, int, int, float | None]]) -> pa.Table:
    columns = [list(column) for column in zip(*batch, strict=True)]
    return pa.table(dict(zip(("trial", "attempt", "step", "loss"), columns, strict=True)))


@pytest.mark.parametrize("pausing", [False, True])
@pytest.mark.parametrize("text", ["asha:eta=3", "asha:eta=2,first=3", "hyperband:eta=3", "hyperband:eta=2"])
def test_a_trial_is_judged_by_its_last_report_of_a_step(text: str, pausing: bool) -> None:
    plain, noisy = adviser(text, pausing=pausing), adviser(text, pausing=pausing)
    for batch, more in zip(rows(None), rows(random.Random(7)), strict=True):
        for one, said in ((plain, batch), (noisy, more)):
            one.hear(table(said), None)
        assert noisy.decisions() == plain.decisions()
    while plain.recall(exhausted=True):
        assert noisy.recall(exhausted=True)
    assert noisy.decisions() == plain.decisions()

    again = adviser(text, pausing=pausing)
    again.restore([(row[0], row[2], row[3]) for batch in rows(random.Random(7)) for row in batch if row[3]], [], {})
    other = adviser(text, pausing=pausing)
    other.restore([(row[0], row[2], row[3]) for batch in rows(None) for row in batch if row[3]], [], {})
    newest = table([(trial, 0, STEPS * 10, 0.5 * trial) for trial in range(TRIALS)])
    for one in (again, other):
        one.hear(newest, None)
    assert again.decisions() == other.decisions()


def test_a_later_report_of_a_step_moves_the_trial_on_its_rung_also_while_it_waits() -> None:
    one = adviser("asha:eta=2", pausing=True)
    for trial in range(4):
        one.hear(table([(trial, 0, 1, float(trial))]), None)
    assert one.trials.told_to(3, Action.PAUSE)
    one.hear(table([(3, 0, 1, -1.0)]), None)

    one.decisions()
    assert one.recall(exhausted=False)
    assert next((made.trial, made.action, made.value) for made in one.decisions()) == (3, "promote", -1.0)
