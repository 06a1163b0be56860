"""The best of a sweep again on fresh seeds: at its end, later, with more seeds, and after an end at a bad moment."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.errors import NoResultError, StoreError
from caviar.results.family import kin, newest_retest
from caviar.results.retest import RetestDocument, retest_document
from caviar.run import driver
from caviar.store import Store
from caviar.store.final_tests import final_results

from .conftest import Caviar, Driver, Write

EXPERIMENT = """
    import random

    from caviar import Choice, Float, Sweep


    def train(config, trial, spread=0.02, failing=False):
        rng = random.Random(trial.seed)
        noise = rng.gauss(0, spread)
        if failing and config["x"] < 0.4 and rng.random() < 0.5:
            raise ValueError("no such layer")
        return {"loss": (config["x"] - 0.3) ** 2 + noise}


    def final(config, trial):
        return {"test": config["x"]}


    space = {"x": Float(0.0, 1.0), "act": Choice(["relu", "tanh"])}
    sweep = Sweep(train, space, "loss", trials=16, seed=2, final=final)
"""


def verdict(caviar: Caviar, *words: object, at: Path | str | None = None) -> Any:
    """What `caviar retest` prints with --json."""
    ran = caviar("retest", *words, "--json", "-q", **({} if at is None else {"at": at}))
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_the_best_on_seeds_that_nobody_has_had(inline: None, caviar: Caviar, write: Write, store: Path) -> None:
    file = write(EXPERIMENT)
    assert caviar("run", file, "-q").code == 0
    root = Result(store)
    file.write_text("raise RuntimeError('edited')")
    before = set(root.trials()["seed"])
    best = [one.trial for one in root.select(5).rows]
    found = verdict(caviar)
    assert (found["sweep"], found["seeds"], found["missing"]) == (root.id, 5, 0)
    assert sorted(one["trial"] for one in found["trials"]) == sorted(best)
    trials = Result(store).trials()
    assert len(trials) == 25
    assert len(set(trials["seed"])) == 25
    assert not set(trials["seed"]) & before
    assert trials.groupby("x").size().tolist() == [5] * 5
    for one in found["trials"]:
        assert one["values"] == trials[trials["x"] == one["config"]["x"]]["last_loss"].tolist()
        assert one["lucky"] == root.trials().set_index("trial")["last_loss"][one["trial"]]
    shown = json.loads(caviar("best", root.id, "--json").out)
    assert shown["retest"] == found
    assert shown["trials"][0]["trial"] == best[0], "the sweep's own order stays"
    assert json.loads(caviar("best", "--json").out) == shown, "of a retest, the sweep that it retests"
    assert root.retested is not None
    assert root.retested.verdict == found["verdict"]


def test_who_asks_about_the_newest_sweep_means_the_search(
    inline: None, caviar: Caviar, write: Write, store: Path
) -> None:
    """Verbs about what was searched pass over a retest, which is the newest sweep; those about trials do not."""
    assert caviar("run", write(EXPERIMENT), "-q", "--retest", "2").code == 0
    root, newest = (sweep.id for sweep in Store.open(store).sweeps())
    for verb in ("best", "understand", "next", "zoom --dry-run"):
        found = json.loads(caviar(*verb.split(), "--json").out)
        assert root in (found.get("sweep"), found.get("parent")), verb
        named = caviar(*verb.split(), newest, "--json")
        assert json.loads(named.out) == found, verb
        assert f"{newest} is a retest of {root}, which is shown" in named.err, verb
    assert json.loads(caviar("status", "--json").out)["sweep"] == newest
    shown = " ".join(caviar("understand").out.split())
    assert f"what it is worth: caviar best --store {store} {root}" in shown, "it can be typed as it stands"


@pytest.mark.nightly
def test_adding_seeds_goes_on_with_the_same_retest(inline: None, caviar: Caviar, write: Write, store: Path) -> None:
    file = write(EXPERIMENT)
    assert caviar("run", file, "-q", "--set", "train.spread=0.5").code == 0
    planned = store.with_name("planned")
    assert caviar("run", file, "-q", "--set", "train.spread=0.5", at=planned).code == 0
    first = verdict(caviar, "-k", "3")
    assert first["verdict"] == "tie"
    more = verdict(caviar, "-k", "3", "--repeats", "20")
    assert more["seeds"] == 20
    assert len(more["retests"]) == 3, "one sweep a look"
    for one in first["trials"]:
        same = next(other for other in more["trials"] if other["trial"] == one["trial"])
        assert same["values"][:5] == one["values"]
    again = caviar("retest", "-k", "3", "--repeats", "20", "-q", "--json")
    assert json.loads(again.out) == more
    assert len(Store.open(store).sweeps()) == 4
    at_once = verdict(caviar, "-k", "3", "--repeats", "20", at=planned)
    assert [one["values"] for one in at_once["trials"]] == [one["values"] for one in more["trials"]]
    seeds = [seed for sweep in Store.open(store).sweeps() for seed in Result(store, sweep.id).trials()["seed"]]
    assert len(seeds) == len(set(seeds))


def test_who_is_out_is_trained_no_more(inline: None, caviar: Caviar, write: Write, store: Path) -> None:
    file = write(EXPERIMENT)
    assert caviar("run", file, "-q").code == 0
    found = verdict(caviar, "-k", "16", "--repeats", "10")
    counts = {len(one["values"]) for one in found["trials"]}
    assert counts == {5, 10}
    live = [one["trial"] for one in found["trials"] if one["live"]]
    assert all(len(one["values"]) == 10 for one in found["trials"] if one["trial"] in live)


@pytest.mark.nightly
def test_one_that_fails_on_a_seed_loses_and_that_is_said(inline: None, caviar: Caviar, write: Write) -> None:
    assert caviar("run", write(EXPERIMENT), "-q", "--set", "train.failing=true", "--set", "train.spread=0.0").code == 0
    found = verdict(caviar, "-k", "8")
    failed = [one for one in found["trials"] if one["failures"]]
    assert failed, "the planted fault shows"
    assert not any(one["live"] for one in failed)
    assert found["trials"][-1]["failures"].keys() == {"error"}
    text = caviar("retest", "-k", "8", "-q").out
    assert "error" in text


def test_at_the_end_of_a_sweep_final_waits_for_the_verdict(
    inline: None, caviar: Caviar, write: Write, store: Path
) -> None:
    ran = caviar("run", write(EXPERIMENT), "-q", "--retest", "4", "--repeats", "10", "--set", "train.spread=0.3")
    assert ran.code == 0, ran.err
    opened = Store.open(store)
    root = opened.sweeps()[0]
    newest = newest_retest(opened, root)
    assert newest is not None
    document = retest_document(opened, newest)
    winner = document.winner
    assert winner is not None
    tested = [final for one in kin(opened, root) for final in final_results(one)]
    assert [(one["trial"], one["metrics"]["test"], one["looks"]) for one in tested] == [
        (winner.trial, winner.config["x"], 1)
    ]
    assert Result(store, root.id).final == tested[0]["metrics"]
    assert f"# config of t{winner.trial}\n" in ran.out


@pytest.mark.nightly
def test_a_second_look_at_the_test_set_is_said(inline: None, caviar: Caviar, write: Write, store: Path) -> None:
    file = write(EXPERIMENT)
    assert caviar("run", file, "-q", "--set", "train.spread=0.3").code == 0
    root = Result(store)
    said = caviar("retest", "--repeats", "20").err
    opened = Store.open(store)
    found = [final for one in kin(opened, opened.find(root.id)) for final in final_results(one)]
    assert root.retested is not None
    winner = root.retested.winner
    assert winner is not None
    assert [one["trial"] for one in found] == [root.best.trial, winner.trial], "luck had picked another one"
    assert "look 2 at the test set" in said
    assert found[-1]["looks"] == 2
    assert "measured after 1 other" in caviar("best", root.id).out
    caviar("retest", root.id)
    assert len([final for one in kin(opened, opened.find(root.id)) for final in final_results(one)]) == 2


@pytest.mark.nightly
@pytest.mark.parametrize("when", ["before", "within", "between"])
def test_an_end_at_a_bad_moment(
    inline: None, caviar: Caviar, write: Write, store: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Before the retest, within its trials, between two looks: `resume` ends where a whole run would have."""
    file = write(EXPERIMENT)
    words = ("-q", "--retest", "3", "--repeats", "10", "--set", "train.spread=0.4")
    whole = store.with_name("whole")
    assert caviar("run", file, *words, at=whole).code == 0

    planned, calls = driver.next_plan, 0

    def broken(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if (when == "before" and calls == 1) or (when == "between" and calls == 3):
            raise StoreError("gone")
        return planned(*given)

    drive, drives = driver.drive_sweep, 0

    def cut(*given: Any) -> Any:
        nonlocal drives
        drives += 1
        if when == "within" and drives == 2:
            raise StoreError("gone")
        return drive(*given)

    with monkeypatch.context() as patched:
        patched.setattr(driver, "next_plan", broken)
        patched.setattr(driver, "drive_sweep", cut)
        assert caviar("run", file, *words).code == 5
    root = Store.open(store).sweeps()[0]
    resumed = caviar("resume", root.id, "-q")
    assert resumed.code == 0, resumed.err

    def outcome(at: Path) -> Any:
        opened = Store.open(at)
        newest = newest_retest(opened, opened.sweeps()[0])
        assert newest is not None
        found = retest_document(opened, newest)
        tests = [final["trial"] for one in kin(opened, newest) for final in final_results(one)]
        return [(one.trial, one.values, one.live) for one in found.trials], found.seeds, tests

    assert outcome(store) == outcome(whole)


def test_after_a_zoom_the_best_of_both_are_tested(inline: None, caviar: Caviar, write: Write, store: Path) -> None:
    assert caviar("run", write(EXPERIMENT), "-q", "--set", "train.spread=0.3").code == 0
    assert caviar("zoom", "--trials", "8", "-q").code == 0
    found = verdict(caviar, "-k", "6")
    assert len({one["sweep"] for one in found["trials"]}) == 2
    assert all(one["lucky"] is not None for one in found["trials"])


def test_what_cannot_be_tested_again(inline: None, caviar: Caviar, write: Write, store: Path) -> None:
    file = write(EXPERIMENT.replace("trials=16", "trials=2"))
    assert caviar("run", file, "-q").code == 0
    assert caviar("retest", "--show").code == NoResultError.exit_code
    assert caviar("retest", "--repeats", "7").code == 2
    found = verdict(caviar, "-k", "5")
    assert len(found["trials"]) == 2, "as many as there are"
    added = caviar("resume", "--add", "4")
    assert (added.code, "--repeats" in added.err) == (2, True)
    one = verdict(caviar, Result(store).id, "-k", "1")
    assert (one["verdict"], len(one["trials"])) == ("measured", 1)


@pytest.mark.ray
def test_a_driver_killed_in_its_retest_on_ray(
    drive: Callable[..., Driver], caviar: Caviar, write: Write, store: Path
) -> None:
    """The trial of whom it waits is the retest's, whose seeds the sweep's own bijection has not given to a trial."""
    file = write(
        """
        import random
        import time
        from pathlib import Path

        from caviar import Float, Sweep


        def train(config, trial):
            slow = Path(__file__).with_name("slow")
            for step in range(3):
                trial.report(step, loss=config["x"] + random.Random(trial.seed).gauss(0, 0.1))
                time.sleep(60 if slow.exists() and trial.number == 11 else 0.01)


        sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=8, seed=2, retest=4)
        """
    )
    file.with_name("slow").touch()  # the sweep has no trial 11, the retest has
    driver = drive(file)
    while len(Store.open(store).sweeps() if store.is_dir() and (store / "FORMAT").exists() else []) < 2:
        assert driver.process.poll() is None, driver.process.communicate()
        time.sleep(0.1)
    driver.wait_for(8)  # of the newest sweep, which is the retest
    driver.process.send_signal(signal.SIGKILL)
    driver.end()
    part = verdict_of(store)
    assert part.verdict == ""
    assert part.missing > 0
    file.with_name("slow").unlink()
    before = {one.trial: one.values for one in part.trials}
    assert caviar("retest", "-k", "4").code == 0, "the same command goes on with it"
    whole = verdict_of(store)
    assert (whole.seeds, whole.missing) == (5, 0)
    assert all(set(before[one.trial]) <= set(one.values) for one in whole.trials)
    assert len(Store.open(store).sweeps()) == 2


def verdict_of(store: Path) -> RetestDocument:
    """That of the newest sweep, which is a retest."""
    opened = Store.open(store)
    return retest_document(opened, opened.sweeps()[-1])
