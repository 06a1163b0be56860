"""Retests of odd values, of sweeps that were removed, killed at a bad moment, or changed by somebody."""

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.errors import StoreError
from caviar.results.family import kin, newest_retest
from caviar.results.retest import RetestDocument, newest_verdict, retest_document
from caviar.results.retest_plan import first_look, on_unused_seeds, unused_seeds
from caviar.run import driver
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, manifest
from caviar.store.disk.checksum import checksum
from caviar.store.final_tests import final_results

from .conftest import Caviar, Write

pytestmark = pytest.mark.nightly  # each was found once; test_retest.py is what the gate runs

EXPERIMENT = """
    import random
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial, noise=1.0, factor=1.0):
        fresh = Path(__file__).with_name("fresh").exists()
        rng = random.Random(trial.seed)
        value = factor * (config["x"] + rng.gauss(0, noise))
        if fresh and rng.random() < 0.2:
            {fault}
        for step in range(2):
            trial.report(step, loss=value, other=1.0)


    def final(config, trial):
        return {{"test": config["x"]}}


    sweep = Sweep(train, {{"x": Float(0.0, 1.0)}}, "loss", trials=8, seed=2, final=final{more})
"""


@pytest.fixture
def swept(inline: None, caviar: Caviar, write: Write, store: Path) -> Callable[..., SweepDir]:
    """Runs the experiment; `fault` is what one of five trainings does after the sweep."""

    def run(*words: object, fault: str = "pass", more: str = "") -> SweepDir:
        file = write(EXPERIMENT.format(fault=fault, more=more))
        ran = caviar("run", file, "-q", *words)
        assert ran.code == 0, ran.err
        file.with_name("fresh").touch()
        return Store.open(store).sweeps()[0]

    return run


def found_in(store: Path) -> RetestDocument:
    """The newest verdict of the first sweep."""
    opened = Store.open(store)
    return newest_verdict(opened, opened.sweeps()[0])


FAULTS = {
    "error": "raise ValueError('x')",
    "diverged": "value = float('inf')",
    "metric": "return {'other': 1.0}",
}


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("error", "last"),
        ("diverged", "best"),
        *(("metric", rule) for rule in ("last", "smoothed")),
        ("error", "smoothed"),
    ],
)
def test_a_seed_without_a_value_counts_by_every_rule(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path, kind: str, rule: str
) -> None:
    """One that failed before it reported anything has no curve, and one may never report the metric."""
    swept(fault=FAULTS[kind])
    ran = caviar("retest", "-q", "-k", "4", "--rule", rule)
    assert ran.code == 0, ran.err
    found = found_in(store)
    assert (found.missing, found.seeds) == (0, 5)
    failed = [one for one in found.trials if one.failures]
    assert failed
    assert all(one.failures.keys() == {kind} and not one.live for one in failed)
    assert all(len(one.values) + sum(one.failures.values()) == 5 for one in found.trials)


STOPPED = """
            import time
            from caviar.store import Store
            from caviar.store.requests import ask_to_stop
            ask_to_stop(Store.open(Path(__file__).parents[1] / "store").find(trial.sweep), trial=trial.number)
            for step in range(1000):
                trial.report(step, loss=value)
                time.sleep(0.02)
"""


def test_a_training_that_somebody_stopped_counts_against_its_configuration(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path
) -> None:
    """Left out, it would flatter those that are left: whoever stopped it saw how it would end."""
    swept(fault=STOPPED.strip())
    ran = caviar("retest", "-q", "-k", "2")
    assert ran.code == 0, ran.err
    failed = [one for one in found_in(store).trials if one.failures]
    assert failed
    assert all(one.failures.keys() == {"stopped"} and not one.live for one in failed)
    assert all(len(one.values) + sum(one.failures.values()) == 5 for one in found_in(store).trials)


@pytest.mark.parametrize("factor", [1e307, 1e-320, 1e-180, 1.0])
def test_the_verdict_is_the_same_in_any_unit(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path, factor: float
) -> None:
    """The square of a large difference is infinite, and that of a small one is 0."""
    swept("--set", f"train.factor={factor}", "--set", "train.noise=0.3")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ran = caviar("retest", "-q", "-k", "4", "--json")
    assert ran.code == 0, ran.err
    found = found_in(store)
    assert found.verdict == "tie"
    assert [one.trial for one in found.trials if one.live] == [3, 0, 6, 4]
    assert found.spread is not None
    assert found.spread / factor == pytest.approx(0.3, rel=0.3)
    assert found.trials[0].half_width is not None
    assert found.trials[0].half_width / found.spread == pytest.approx(2.12 / 5**0.5, rel=0.01)


def test_where_seeds_change_nothing_that_is_asked_about(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path
) -> None:
    swept("--set", "train.noise=0")
    text = caviar("retest", "-q").out
    found = found_in(store)
    assert (found.unmoved, found.gap, found.verdict) == (True, None, "wins")
    assert "does train use trial.seed?" in text.replace("\n  ", " ")
    assert "shows in 8 of 10" not in text


def test_fewer_than_were_asked_for_have_all_their_seeds(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path
) -> None:
    root = swept()
    said = caviar("retest", "-k", "30").err
    assert f"the best 8 of {root.id} again, on 5 fresh seeds each" in said


def test_a_larger_number_adds_seeds_to_the_newest_retest(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path
) -> None:
    """However many configurations it has: what the verdict says to type must not begin another retest."""
    root = swept()
    caviar("retest", "-q", "-k", "3", "--rule", "best")
    caviar("retest", "-q", "-k", "4")
    more = caviar("retest", "-q", "--repeats", "10", root.id)
    assert more.code == 0, more.err
    assert (found_in(store).seeds, len(found_in(store).trials)) == (10, 4)
    said = caviar("retest", "--repeats", "10", root.id).err
    assert "on 10 fresh seeds each: there is nothing to run" in said
    assert f"{root.id} --repeats 20 adds seeds" in said
    caviar("retest", "-q", "-k", "3", "--rule", "best", "--repeats", "10", root.id)
    assert (found_in(store).seeds, len(found_in(store).trials)) == (10, 3), "the one that was added to last"
    assert json.loads(caviar("best", root.id, "--json").out)["retest"]["retests"] == list(found_in(store).retests)


def test_one_configuration_is_measured_on_as_many_seeds_as_were_asked_for(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path
) -> None:
    root = swept()
    caviar("retest", "-q", "-k", "1")
    assert found_in(store).seeds == 5
    caviar("retest", "-q", root.id, "--repeats", "20")
    assert (found_in(store).seeds, len(found_in(store).trials[0].values)) == (20, 20)


def test_another_rule_is_another_retest(swept: Callable[..., SweepDir], caviar: Caviar, store: Path) -> None:
    root = swept()
    caviar("retest", "-q", "-k", "8")
    caviar("retest", "-q", "-k", "8", "--rule", "smoothed", root.id)
    assert found_in(store).rule == "mean of the last 5 reports of loss"


def test_the_test_of_a_winner_that_was_cut_short_is_run_by_the_same_command(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = swept("--set", "train.noise=0.05")
    with monkeypatch.context() as patched:
        patched.setattr(driver, "run_final_test", _killed)
        assert caviar("retest", "-q", "-k", "3").code == StoreError.exit_code
    again = caviar("retest", "-q", "-k", "3", root.id)
    assert again.code == 0, again.err
    assert "nothing to run" not in again.err
    tested = [final["trial"] for one in kin(Store.open(store), root) for final in final_results(one)]
    winner = found_in(store).winner
    assert winner is not None
    assert winner.trial in tested


def _killed(*_: object) -> None:
    raise StoreError("gone")


def test_a_repeated_configuration_is_said_by_its_mean(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path
) -> None:
    root = swept(more=", first=[{'x': 0.3}, {'x': 0.3}, {'x': 0.3}]")
    best = {one.trial: one.value for one in Result(store, root.id).select(8).rows}
    caviar("retest", "-q", "-k", "6")
    assert {one.trial: one.lucky for one in found_in(store).trials} == best


def test_what_is_left_of_a_retest_when_a_sweep_of_it_is_removed(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path
) -> None:
    swept()
    caviar("retest", "-q", "-k", "3", "--repeats", "20")
    for which in range(3):
        copy = store.with_name(f"removed{which}")
        shutil.copytree(store, copy)
        see_what_is_left(copy, partial(caviar, at=copy), which)


def see_what_is_left(store: Path, caviar: Callable[..., Any], which: int) -> None:
    """Of a retest of three parts, when its sweep or one of its first two parts is removed."""
    sweeps = Store.open(store).sweeps()
    assert caviar("rm", sweeps[which].id, "--yes").code == 0
    last = sweeps[-1]
    shown = caviar("retest", "--show", "--json", last.id)
    assert shown.code == 0, shown.err
    found = json.loads(shown.out)
    assert found["seeds"] == {0: 20, 1: 15, 2: 10}[which]
    assert {len(one["values"]) for one in found["trials"]} == {found["seeds"]}
    assert found["sweep"] == [sweeps[0].id, sweeps[1].id, sweeps[2].id][which]
    refused = caviar("retest", "-q", last.id)
    assert (refused.code, "was removed" in refused.err) == (2, True)
    assert f"--show {last.id}" in refused.err or f"{last.id} --show" in refused.err or "--show" in refused.err
    zoomed = caviar("zoom", "--dry-run", last.id)
    assert (zoomed.code, "is a retest" in zoomed.err) == (2, True)
    for words in (["best"], ["status"], ["ls"], ["resume", "-q"], ["show", "0"]):
        ran = caviar(*words)
        assert ran.code == 0, (words, ran.err)


def test_while_it_runs_nobody_is_told_to_resume_it(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = swept()
    with monkeypatch.context() as patched:
        patched.setattr(driver, "drive_sweep", _killed)
        caviar("retest", "-q")
    text = caviar("best", root.id).out.replace("\n  ", " ")
    newest = newest_retest(Store.open(store), root)
    assert newest is not None
    assert f"25 trainings missing: caviar resume --store {store} {newest.id}" in text
    newest.claim(purpose="run")
    text = caviar("best", root.id).out
    assert "25 trainings to come, while it runs" in text
    refused = caviar("retest", "-q", root.id)
    assert (refused.code, newest.id in refused.err) == (StoreError.exit_code, True)


def test_seeds_are_those_that_are_unused_when_the_retest_begins(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path
) -> None:
    """Ray takes seconds to start, in which another retest of the family may begin."""
    root = swept()
    opened = Store.open(store)
    planned = first_look(opened, root, k=3, repeats=5)
    caviar("retest", "-q", "-k", "5")
    begun = opened.sweeps()[-1]
    theirs = Plan.from_json(begun.description()["plan"]).retested
    late = on_unused_seeds(opened, root, planned).retested
    assert planned.retested is not None
    assert theirs is not None
    assert late is not None
    assert set(planned.retested.seeds) & set(theirs.seeds), "else this tests nothing"
    assert not set(late.seeds) & set(theirs.seeds)
    assert replace(planned, retested=late).trials == 15


def test_a_sweep_of_a_thousand_million_trials_is_asked_for_no_list_of_its_seeds(
    swept: Callable[..., SweepDir], store: Path
) -> None:
    root = swept()
    changed(root, lambda plan: plan.update(trials=2**30))
    root = root.again()
    assert next(unused_seeds([root], root)) >= 0


def changed(sweep: SweepDir, change: Callable[[dict[str, Any]], Any]) -> None:
    """Rewrite what a sweep was described as, as somebody who knows the format can."""
    path = Path(sweep.path) / "sweep.json"
    description = json.loads(path.read_text())
    change(description["plan"])
    text = json.dumps(description).encode()
    path.write_bytes(text)
    for one in (path.parent / "_manifest").iterdir():
        found = manifest.from_bytes(one.read_bytes())
        if found.beginning:
            sums = {**found.beginning, "sweep.json": checksum(text)}
            one.write_bytes(manifest.to_bytes(replace(found, beginning=sums)))


HOSTILE: dict[str, tuple[int, Callable[[dict[str, Any]], Any]]] = {
    "too few seeds": (1, lambda plan: plan["retested"].update(seeds=[1, 2])),
    "one seed for all": (1, lambda plan: plan["retested"].update(seeds=[1] * 25)),
    "other looks": (1, lambda plan: plan["retested"].update(looks=[7])),
    "too many configurations": (
        1,
        lambda plan: plan["retested"].update(origins=[["x", n] for n in range(5000)], seeds=list(range(5000))),
    ),
    "configurations of another retest": (
        2,
        lambda plan: plan["retested"].update(origins=[["@last", 9], ["\x1b[1m", 8]]),
    ),
    "a circle": (1, lambda plan: plan.update(parent="@last")),
    "another metric": (1, lambda plan: plan.update(metric="other2")),
    "no space": (1, lambda plan: plan.pop("space")),
    "a relation that it has not": (1, lambda plan: plan.update(relation="zoom")),
}


def test_a_retest_that_somebody_changed_harms_no_other_sweep(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path
) -> None:
    root = swept()
    caviar("retest", "-q", "--repeats", "10")
    for number, (what, (which, change)) in enumerate(HOSTILE.items()):
        copy = store.with_name(f"changed{number}")
        shutil.copytree(store, copy)
        changed(Store.open(copy).sweeps()[which], change)
        shown = caviar("best", root.id, "--json", at=copy)
        assert shown.code == 0, (what, shown.err)
        assert json.loads(shown.out)["trials"], what
        for words in (
            ["best", root.id],
            ["retest", root.id, "--show"],
            ["ls"],
            ["stale"],
            ["retest", "-q", "-k", "2", root.id],
        ):
            ran = caviar(*words, at=copy)
            assert "Traceback" not in ran.err, (what, words, ran.err)
        assert "\x1b[1m" not in ran.out + ran.err


def test_a_final_that_somebody_changed_is_told(swept: Callable[..., SweepDir], caviar: Caviar) -> None:
    root = swept()
    path = next((Path(root.path) / "_final").iterdir())
    path.write_text(json.dumps({**json.loads(path.read_text()), "looks": "many"}))
    shown = caviar("best", root.id)
    assert (shown.code, "cannot be understood" in shown.err) == (0, True)


def test_the_winner_of_a_removed_sweep_is_not_tested(
    swept: Callable[..., SweepDir], caviar: Caviar, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be trained as it was; the verdict stands all the same."""
    swept("--set", "train.noise=0.05")
    with monkeypatch.context() as patched:
        patched.setattr(driver, "drive_sweep", _killed)
        caviar("retest", "-q")
    opened = Store.open(store)
    root, part = opened.sweeps()
    assert caviar("rm", root.id, "--yes").code == 0
    ran = caviar("resume", part.id)
    assert ran.code == 0, ran.err
    assert "that sweep was removed" in ran.err
    assert retest_document(opened, part.again()).seeds == 5
