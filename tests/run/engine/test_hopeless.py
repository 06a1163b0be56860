"""When a sweep is given up, and with which exit code it ends without a result."""

import math
import re
from typing import Any

import pyarrow as pa
import pytest

from caviar.errors import CaviarError, NoResultError, SpecError
from caviar.run.engine.counters import Counters
from caviar.run.engine.hopeless import HOPELESS, fruitless, hopeless
from caviar_workers.failure import never_reported

MISSPELT = never_reported("loss", ["los"], "")
NOTHING = never_reported("loss", [], "")


def tally(failures: int, kind: str, error: str, *, completed: int = 0, before: int = 0) -> Counters:
    counts = Counters("loss", "min", before=before, completed=completed)
    for trial in range(failures):
        fail(counts, trial, kind, error)
    return counts


def end(
    counts: Counters, trial: int, state: str, *, kind: str | None = None, error: str | None = None, ran: bool = True
) -> None:
    """An execution ended by its process's death, or, unless it ran, before it came."""
    row = {"trial": [trial], "state": [state], "kind": [kind], "error": [error], "diverged": [False]}
    row |= {"busy": [None], "cause": ["first" if ran else "stop"]}
    counts.add(pa.table(row).set_column(5, "busy", pa.array([None], pa.float64())), [state])


def fail(counts: Counters, trial: int, kind: str, error: str) -> None:
    end(counts, trial, "FAILED", kind=kind, error=error)


def test_one_trial_that_gave_up_early_says_nothing_of_the_others() -> None:
    counts = tally(1, "metric", MISSPELT)
    assert hopeless(counts) is None
    for trial in range(1, 2 * HOPELESS):
        fail(counts, trial, "metric", never_reported("loss", [f"los{trial % 3}"], ""))
    assert isinstance(hopeless(counts), SpecError)  # whatever else each of them reported
    assert isinstance(fruitless(counts), SpecError)
    counts.hear(["trial", "step", "loss"])  # one that still runs came to it
    assert hopeless(counts) is None
    assert isinstance(fruitless(counts), NoResultError)


@pytest.mark.parametrize(("kind", "error"), [("metric", MISSPELT), ("metric", NOTHING), ("error", "E: x")])
def test_who_began_first_has_to_end_first(kind: str, error: str) -> None:
    counts = Counters("loss", "min")
    counts.begin([0, 1, 2])
    counts.begin(range(1, 100))  # some once more
    for trial in range(1, 100):
        fail(counts, trial, kind, error)
    assert hopeless(counts) is None  # trial 0 trains for hours
    fail(counts, 0, kind, error)
    assert hopeless(counts) is not None


@pytest.mark.parametrize(
    ("kind", "error", "ends"),
    [("metric", MISSPELT, SpecError), ("metric", NOTHING, SpecError), ("error", "E: x", NoResultError)],
)
def test_other_failures_end_it_when_there_are_many_alike(kind: str, error: str, ends: type[CaviarError]) -> None:
    assert hopeless(tally(HOPELESS - 1, kind, error)) is None
    assert isinstance(hopeless(tally(HOPELESS, kind, error)), ends)
    assert isinstance(fruitless(tally(2, kind, error)), ends)


def test_the_sentence_counts_trials_and_names_the_first() -> None:
    counts = tally(1, "timeout", "it ran longer than 0.5 seconds")
    limit = hopeless(counts, 0)

    assert str(limit) == (
        "1 trial failed, more than --max-failures 0, first t0: it ran longer than 0.5 seconds; see caviar show 0"
    )
    assert str(fruitless(counts)).startswith("1 trial failed and none completed, first t0: it ran longer")


def test_failures_that_differ_are_no_reason_to_stop() -> None:
    counts = tally(HOPELESS, "error", "E: x")
    fail(counts, 99, "error", "E: y")

    assert hopeless(counts) is None
    assert isinstance(fruitless(counts), NoResultError)


@pytest.mark.parametrize("earlier", [{"completed": 1}, {"before": 1}])
def test_one_completed_trial_is_hope_also_of_an_earlier_driver(earlier: dict[str, int]) -> None:
    for kind, error in (("metric", MISSPELT), ("error", "E: x")):
        counts = tally(2 * HOPELESS, kind, error, **earlier)
        assert hopeless(counts) is None
        assert fruitless(counts) is None


def of_ten(metric: str, others: list[tuple[str, float | None]], failed: int) -> Counters:
    """Trials that ended otherwise, each with its last value, and then some that failed alike."""
    trials = range(len(others) + failed)
    states = [state for state, _ in others] + ["FAILED"] * failed
    columns: dict[str, list[Any]] = {
        "trial": list(trials),
        "state": states,
        "busy": [0.1] * len(states),
        "kind": [None] * len(others) + ["error"] * failed,
        "error": [None] * len(others) + ["E: x"] * failed,
        f"last_{metric}": [value for _, value in others] + [None] * failed,
        "diverged": [False] * len(states),
        "cause": ["first"] * len(states),
    }
    counts = Counters("loss", "min")
    counts.begin(trials)
    counts.add(pa.table(columns), states, lambda _: {})
    return counts


@pytest.mark.parametrize("state", ["STOPPED", "PAUSED", "COMPLETED"])
@pytest.mark.parametrize("value", [0.5, math.nan, math.inf])
@pytest.mark.parametrize(("lasting", "failed"), [(1, 2 * HOPELESS), (5, HOPELESS), (19 * HOPELESS, HOPELESS)])
def test_trials_that_were_ended_when_they_had_a_value_are_hope(
    state: str, value: float, lasting: int, failed: int
) -> None:
    assert hopeless(of_ten("loss", [(state, value)] * lasting, failed)) is None


@pytest.mark.parametrize(
    ("metric", "others"), [("loss", []), ("loss", [("CANCELLED", None)]), ("loss", [("STOPPED", None)]), ("other", [])]
)
def test_those_that_had_none_are_not(metric: str, others: list[tuple[str, float | None]]) -> None:
    assert isinstance(hopeless(of_ten(metric, others, 2 * HOPELESS)), NoResultError)


def test_one_that_was_killed_on_request_is_hope_if_any_had_reported() -> None:
    for ran, measured in ((True, True), (True, False), (False, True)):
        counts = tally(2 * HOPELESS, "error", "E: x")
        if measured:
            counts.hear(["trial", "step", "loss"])
        end(counts, 99, "STOPPED", ran=ran)
        assert (hopeless(counts) is None) == (ran and measured)


def test_nothing_failed() -> None:
    assert hopeless(tally(0, "", "")) is None
    assert fruitless(tally(0, "", "")) is None


def test_a_module_that_trials_lack_comes_with_what_to_type() -> None:
    lacking = str(fruitless(tally(2, "error", "ModuleNotFoundError: No module named 'no_such_module'")))
    other = str(fruitless(tally(2, "error", "ValueError: No module named 'no_such_module'")))

    assert re.search("if that is a package, type: .* no_such_module; see caviar show 0$", lacking)
    assert "type:" not in other
