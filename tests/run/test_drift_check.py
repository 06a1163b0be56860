"""Whether a winner is still what it was: with a file that says something else than when it was trained."""

import json
import math
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tests.told import Told

from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.errors import CaviarError, StoreError
from caviar.results.drift import DriftDocument, value_of
from caviar.results.family import kin
from caviar.results.retest_plan import unused_seeds
from caviar.run.canary import chosen_program, run_canary
from caviar.run.code_to_run import STORED
from caviar.run.drift_check import check_drift, judged, neighbours
from caviar.run.executors.ray_session import RaySession
from caviar.run.loose_trials import loose_trials
from caviar.run.retest import retest_sweep
from caviar.run.stale import stale_document
from caviar.spec.plan import Plan
from caviar.store import Store
from caviar.store.check import check
from caviar.store.drift_checks import drift_checks

FILE = """
import numpy as np
from caviar import Choice, Float, Sweep

BEST, NOISE, SHIFT, SIGN = 0.1, 0.02, 0.0, 1.0

def load():
    return np.ones(3)

def train(config, trial, epochs=2):
    random = np.random.default_rng(trial.seed)
    for epoch in range(epochs):
        away = abs(np.log10(config["lr"] / BEST)) * trial.data.mean()
        trial.report(epoch, error=SIGN * (0.2 + away + NOISE * float(random.normal()) + SHIFT))

sweep = Sweep(
    train, {"lr": Float(1e-3, 1.0, scale="log"), "act": Choice(["relu", "tanh"])}, metric="error", trials=8, data=load
)
"""
LONG_AGO = timedelta(days=90)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "old.py"
    path.write_text(FILE)
    return path


def trained(file: Path, store: Path, *, retest: bool = True) -> Store:
    load(str(file)).run(store=store, progress=SilentProgress(sys.stderr))
    opened = Store.open(store)
    if retest:
        how: dict[str, Any] = {"address": None, "progress": SilentProgress(sys.stderr), "command": {}}
        retest_sweep(opened, opened.readable()[0], k=3, repeats=5, **how)
    return opened


def ask(store: Store, *, ago: timedelta = timedelta(0), **given: Any) -> DriftDocument:
    since = datetime.now(UTC) - ago
    return check_drift(store, store.readable()[0], since=since, address=None, progress=Told(), **given)


def edit(file: Path, *changes: tuple[str, str]) -> None:
    text = FILE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def test_a_winner_that_has_not_changed_is_still_best_to_the_last_bit(inline: None, file: Path, store: Path) -> None:
    found = ask(trained(file, store))
    assert (found.verdict, found.baseline, found.changed) == ("still best", "retest", ())
    assert found.canary is not None
    assert found.canary.outcome == "same"
    assert found.now == found.was
    assert len(set(found.seeds)) == 5
    assert (found.p, found.trainings) == (1.0, 22)
    assert len(found.neighbours) == 6
    assert len({repr(one.config) for one in found.neighbours}) == 6
    assert [len(one.screened) for one in found.neighbours] == [2] * 6
    assert [len(one.afresh) for one in found.neighbours] == [5, 0, 0, 0, 0, 0]


@pytest.mark.nightly
def test_no_seed_is_looked_at_twice(inline: None, file: Path, store: Path) -> None:
    """Neighbours, and a retest that comes later, have seeds that no check has had."""
    opened = trained(file, store)
    first, second = ask(opened), ask(opened)
    assert len(first.fresh) == 6 * 2 + 5
    assert not set(first.fresh) & set(second.fresh)
    root = opened.readable()[0]
    later = list(islice(unused_seeds(kin(opened, root), root), 50))
    assert not set(later) & {*first.fresh, *second.fresh, *first.seeds}


PLANTED: dict[str, list[tuple[str, str]]] = {
    "what lr means": [('config["lr"] / BEST', '10 * config["lr"] / BEST')],
    "the data": [("np.ones(3)", "np.ones(3) * 5"), ("= 0.1,", "= 0.5,")],
    "all values": [("0.02, 0.0,", "0.02, 0.5,")],
}


@pytest.mark.nightly
@pytest.mark.parametrize("change", PLANTED)
def test_a_change_that_costs_is_noticed_and_the_stored_code_is_as_it_was(
    inline: None, file: Path, store: Path, change: str
) -> None:
    opened = trained(file, store)
    edit(file, *PLANTED[change])
    found = ask(opened)
    assert found.canary is not None
    assert (found.canary.outcome, found.verdict) in [("differs", "drifted"), ("differs", "retune")]
    assert "code" in found.changed
    assert ("data" in found.changed) is (change == "the data")
    assert found.p is not None
    assert found.p < 0.02
    old = ask(opened, stored_code=True)
    assert (old.verdict, old.code, old.changed) == ("still best", "stored", ())


@pytest.mark.nightly
def test_a_neighbour_that_is_better_now_is_named(inline: None, file: Path, store: Path) -> None:
    opened = trained(file, store)
    edit(file, ("BEST, NOISE, SHIFT, SIGN = 0.1, 0.02", "BEST, NOISE, SHIFT, SIGN = 0.001, 0.002"))
    found = ask(opened)
    assert found.verdict == "retune"
    assert found.better_p is not None
    assert found.better_p < 0.02
    assert found.neighbours[0].config["lr"] < opened_config(found, opened)["lr"]


def opened_config(found: DriftDocument, store: Store) -> dict[str, Any]:
    from caviar.run.final_test import drawn

    return drawn(store, store.find(found.home), found.trial)[0]


@pytest.mark.nightly
def test_where_more_is_better_a_drop_is_a_drop(inline: None, file: Path, store: Path) -> None:
    up = [
        ("SIGN = 0.1, 0.02, 0.0, 1.0", "SIGN = 0.1, 0.02, 0.0, -1.0"),
        ('metric="error",', 'metric="error", mode="max",'),
    ]
    edit(file, *up)
    opened = trained(file, store)
    same = ask(opened)
    assert same.verdict == "still best"
    assert all(len(one.afresh) == 5 * (place == 0) for place, one in enumerate(same.neighbours))
    screened = [[value for value in one.screened if value is not None] for one in same.neighbours]
    assert [len(one) for one in screened] == [2] * 6, "none diverges"
    assert sum(screened[0]) == max(map(sum, screened))
    edit(
        file,
        *up,
        ("* float(random.normal()) + SHIFT", "* float(random.normal()) + 0.5"),
    )
    found = ask(opened)
    assert found.verdict == "drifted"
    assert found.now_mean is not None
    assert found.was_mean is not None
    assert found.now_mean < found.was_mean - 0.4


def test_a_winner_that_diverges_today_has_drifted(inline: None, file: Path, store: Path) -> None:
    opened = trained(file, store)
    edit(file, ("+ SHIFT))", "+ SHIFT) * (np.nan if epoch and trial.seed % 2 else 1))"))
    found = ask(opened)
    assert found.verdict == "drifted"
    assert any(one is None for one in found.now)


def test_without_a_retest_the_stored_code_is_run_first(inline: None, file: Path, store: Path) -> None:
    opened = trained(file, store, retest=False)
    same = ask(opened)
    assert (same.verdict, same.baseline, same.now) == ("still best", "stored code", same.was)
    edit(file, *PLANTED["all values"])
    assert ask(opened).verdict == "drifted"


def test_one_that_was_looked_at_since_is_left_alone_and_a_check_is_a_look(
    inline: None, file: Path, store: Path
) -> None:
    opened = trained(file, store)
    sweep = opened.readable()[0]
    assert ask(opened, ago=LONG_AGO).verdict == ""
    assert drift_checks(sweep) == []
    before = stale_document(opened, [sweep], datetime.now(UTC), print).winners[0].looked
    assert ask(opened).verdict == "still best"
    (kept,) = drift_checks(sweep)
    assert kept["verdict"] == "still best"
    assert stale_document(opened, [sweep], datetime.now(UTC), print).winners[0].looked > before


def test_code_that_fails_is_one_sentence_and_nothing_is_kept(inline: None, file: Path, store: Path) -> None:
    opened = trained(file, store)
    edit(file, ("random = np.random", "no_such()\n    random = np.random"))
    with pytest.raises(CaviarError, match="does not come to its first report with today's code: NameError"):
        ask(opened)
    assert drift_checks(opened.readable()[0]) == []


def test_neighbours_are_near_others_and_each_time_the_same(inline: None, file: Path, store: Path) -> None:
    opened = trained(file, store, retest=False)
    sweep = opened.readable()[0]
    found = neighbours(opened, sweep, 3, 6, None)
    assert found == neighbours(opened, sweep, 3, 6, None)
    from caviar.run.final_test import drawn

    own = drawn(opened, sweep, 3)[0]
    assert all(abs(math.log10(one["lr"] / own["lr"])) <= 0.1 * 3 + 1e-9 for one in found)
    assert neighbours(opened, sweep, 3, 6, lambda config: False) == []
    assert all(one["act"] == "relu" for one in neighbours(opened, sweep, 3, 6, lambda config: config["act"] == "relu"))


def test_where_there_are_few_configurations_the_winner_is_no_neighbour_of_itself(
    inline: None, file: Path, store: Path
) -> None:
    edit(
        file, ('Float(1e-3, 1.0, scale="log")', "Choice([0.1, 0.5])"), ('Choice(["relu", "tanh"])', 'Choice(["relu"])')
    )
    opened = trained(file, store, retest=False)
    assert [one["lr"] for one in neighbours(opened, opened.readable()[0], best(opened), 6, None)] == [0.5]


def best(store: Store) -> int:
    return stale_document(store, store.readable(), datetime.now(UTC), print).winners[0].trial


def test_what_the_verb_prints(inline: None, file: Path, store: Path, caviar: Callable[..., Any]) -> None:
    trained(file, store)
    first = caviar("retest", "old", "--since", "90d")
    assert (first.code, first.out) == (0, "")
    assert "nothing to check" in first.err
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    got = caviar("retest", "old", "--since", tomorrow)
    lines = got.out.splitlines()
    assert got.code == 0
    assert lines[0].endswith("no change seen")
    assert lines[1].startswith("canary same: error of the first report, bit for bit, with today's code")
    assert lines[2].startswith("still best: error ")
    assert "shows in 8 of 10" in lines[2]
    assert "no better neighbour of 6" in lines[3]
    assert "a false alarm in 1 of 20 at most" in lines[3]
    edit(file, *PLANTED["what lr means"])
    answer = json.loads(caviar("retest", "old", "--since", tomorrow, "--json").out)
    assert answer["verdict"] in ("drifted", "retune")
    edit(file, *PLANTED["all values"])
    lines = caviar("retest", "old", "--since", tomorrow).out.splitlines()
    assert lines[2].startswith("drifted: error ")
    assert lines[-1].endswith(f" {answer['sweep']} --since 1s --stored-code")
    for words in (["--stored-code"], ["--show", "--since", "1d"]):
        assert caviar("retest", "old", *words).code == 2


@pytest.mark.parametrize("odd", ["{", '{"when": 1}', '{"when": "2026-01-01", "verdict": ""}', '{"verdict": "x"}'])
def test_an_odd_finding_is_one_sentence(inline: None, file: Path, store: Path, odd: str) -> None:
    opened = trained(file, store, retest=False)
    sweep = opened.readable()[0]
    folder = sweep.path / "_drift"
    folder.mkdir()
    (folder / "000000.json").write_text(odd)
    with pytest.raises(StoreError, match="cannot be understood"):
        drift_checks(sweep)
    assert any(one.name == "_drift" for one in check(sweep))


def test_a_verdict_rests_on_both_tests() -> None:
    was, worse = [0.1, 0.2, 0.3, 0.2, 0.1], [1.1, 1.2, 1.3, 1.2, 1.1]
    assert judged(was, was, [0.15, 0.25, 0.2, 0.1, 0.2], 1.0)["verdict"] == "still best"
    assert judged(was, worse, worse, 1.0)["verdict"] == "drifted"
    assert judged(was, worse, was, 1.0)["verdict"] == "retune"
    assert judged(was, worse, was, -1.0)["verdict"] == "drifted"
    assert judged(was, [*was[:4], None], [], 1.0)["verdict"] == "drifted"
    assert judged(was, was, [None, 0.0, 0.0, 0.0, 0.0], 1.0)["verdict"] == "still best"
    assert judged(was, [None] * 5, [], 1.0)["now_mean"] is None


@pytest.mark.parametrize(
    ("rule", "mode", "value"),
    [("last", "min", 4.0), ("best", "min", 1.0), ("best", "max", 9.0), ("smoothed", "min", (1 + 2 + 3 + 4 + 9) / 5)],
)
def test_the_value_of_a_curve(rule: str, mode: str, value: float) -> None:
    rows = [{"step": float(step), "error": one} for step, one in enumerate([7.0, 3.0, 9.0, 2.0, 1.0, 4.0])]
    assert value_of(rows, "error", mode, rule) == value
    assert value_of([{"step": 0.0}], "error", mode, rule) is None
    assert value_of([*rows, {"error": math.nan}], "error", mode, rule) is None


@pytest.mark.ray
def test_on_ray_a_training_that_does_not_come_to_its_second_report_is_ended_after_the_first(
    ray: RaySession, file: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caviar.run.loose_trials._LINGERS_S", 0.2)
    opened = trained(file, store, retest=False)
    edit(
        file,
        (
            "    for epoch in range(epochs):",
            "    import time\n    for epoch in range(epochs):\n        time.sleep(600 * epoch)",
        ),
    )
    sweep = opened.readable()[0]
    program = chosen_program(sweep, STORED, stored_code=False)
    plan = Plan.from_json(sweep.description()["plan"])
    with loose_trials(plan, program, sweep=sweep.id, what="it", address=None, progress=Told()) as trials:
        assert run_canary(opened, sweep, 0, trials, code="today").outcome == "same"


@pytest.mark.ray
def test_on_ray_a_change_is_noticed(ray: RaySession, file: Path, store: Path) -> None:
    opened = trained(file, store)
    assert ask(opened).verdict == "still best"
    edit(file, *PLANTED["the data"])
    found = ask(opened)
    assert found.canary is not None
    assert found.canary.outcome == "differs"
    assert found.verdict in ("drifted", "retune")
    assert {"code", "data"} <= set(found.changed)
