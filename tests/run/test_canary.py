"""The canary: whether a stored trial's first report is the same with the code and the data of today."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.told import Told

from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.errors import CaviarError, NoResultError, SpecError
from caviar.results.drift import CanaryDocument
from caviar.run.canary import chosen_program, run_canary
from caviar.run.code_to_run import STORED
from caviar.run.loose_trials import LooseTrials, loose_trials
from caviar.spec.plan import Plan
from caviar.store import Store

from ..program_output import Output

FILE = """
import os
import time
import numpy as np
from caviar import Float, Sweep

def load():
    random = np.random.default_rng(5)
    pixels = random.random((60, 16)).astype(np.float32)
    labels = (pixels.sum(1) > 8).astype(np.int64)
    {change}
    return pixels[:40], labels[:40], pixels[40:], labels[40:]

def train(config, trial, epochs=3):
    pixels, labels, other, theirs = trial.data
    random = np.random.default_rng(trial.seed)
    weights = random.normal(size=16).astype(np.float32)
    for epoch in range(epochs):
        for image in random.permutation(len(pixels)):
            odds = 1 / (1 + np.exp(-np.float32(pixels[image] @ weights - weights.sum() / 2)))
            weights -= np.float32(config["lr"]) * (odds - labels[image]) * (pixels[image] - np.float32(0.5))
        margins = (pixels @ weights - weights.sum() / 2).astype(np.float64)
        loss = float(np.log1p(np.exp(np.where(labels == 1, -margins, margins))).mean())
        error = float(((other @ weights > weights.sum() / 2) != theirs).mean())
        trial.report(epoch, loss=loss, error=error, epoch_seconds=time.perf_counter(){more})

sweep = Sweep(train, {{"lr": Float(0.01, 1.0, scale="log")}}, metric="error", trials=10, data=load)
"""
PLANTED = {
    "pixels a little brighter": "pixels = pixels * np.float32(1 + 2e-7)",
    "an image less": "pixels, labels = pixels[1:], labels[1:]",
    "a wrong label": "labels[7] = 1 - labels[7]",
}


def write(path: Path, change: str = "pass", more: str = "") -> Path:
    path.write_text(FILE.format(change=change, more=more))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "images.py")


@pytest.fixture
def trained(inline: None, store: Path, file: Path) -> Store:
    load(str(file)).run(store=store, progress=SilentProgress(sys.stderr))
    return Store.open(store)


@contextmanager
def trials(store: Store, *, stored_code: bool = False) -> Iterator[LooseTrials]:
    sweep = store.readable()[0]
    program = chosen_program(sweep, STORED, stored_code=stored_code)
    plan = Plan.from_json(sweep.description()["plan"])
    with loose_trials(plan, program, sweep=sweep.id, what="the canary", address=None, progress=Told()) as found:
        yield found


def ask(store: Store, trial: int, found: LooseTrials, code: str = "today") -> CanaryDocument:
    return run_canary(store, store.readable()[0], trial, found, code=code)


def test_what_has_not_changed_is_the_same_and_times_are_left_out(trained: Store) -> None:
    with trials(trained) as found:
        said = ask(trained, 3, found)
    assert (said.outcome, said.differing) == ("same", ())
    assert (said.compared, said.left_out) == (("loss", "error"), ("epoch_seconds",))


@pytest.mark.parametrize("change", PLANTED)
def test_each_planted_change_is_noticed_in_ten_trials_of_ten_and_not_by_the_stored_code(
    trained: Store, file: Path, change: str
) -> None:
    write(file, PLANTED[change])
    with trials(trained) as found:
        outcomes = [ask(trained, trial, found).outcome for trial in range(10)]
    assert outcomes == ["differs"] * 10
    with trials(trained, stored_code=True) as found:
        assert ask(trained, 0, found, "stored").outcome == "same"


def test_a_metric_that_is_new_and_another_step_are_differences(trained: Store, file: Path) -> None:
    write(file, more=", area=1.0")
    with trials(trained) as found:
        assert ask(trained, 0, found).differing == ("area",)
    file.write_text(file.read_text().replace("trial.report(epoch,", "trial.report(epoch + 1,"))
    with trials(trained) as found:
        assert ask(trained, 0, found).differing == ("area", "step")


def test_training_that_is_not_the_same_twice_says_nothing(trained: Store, file: Path) -> None:
    write(file, more=", noise=time.perf_counter()")
    with trials(trained) as found:
        said = ask(trained, 0, found)
    assert (said.outcome, said.differing) == ("says nothing", ("noise",))


def test_code_that_fails_before_it_reports_is_one_sentence(trained: Store, file: Path) -> None:
    write(file, more=", loss=no_such")
    file.write_text(file.read_text().replace("loss=loss, ", ""))
    with trials(trained) as found, pytest.raises(CaviarError, match="first report with today's code: NameError"):
        ask(trained, 0, found)


def test_it_is_told_to_end_after_the_first_report_and_may_clean_up(trained: Store, file: Path) -> None:
    before, after = file.read_text().split("    for epoch in range(epochs):\n")
    loop, rest = after.split("\nsweep =")
    loop = "".join(f"    {line}\n" for line in loop.splitlines())
    cleaned = file.with_name("cleaned")
    done = f"        with open({str(cleaned)!r}, 'a') as out:\n            out.write('x')\n"
    text = f"    try:\n        for epoch in range(10**6):\n{loop}    finally:\n{done}"
    file.write_text(f"{before}{text}\nsweep ={rest}")
    began = time.monotonic()
    with trials(trained) as found:
        assert ask(trained, 0, found).outcome == "same"
    assert time.monotonic() - began < 60
    assert cleaned.read_text() == "xx"


def test_what_cannot_be_asked_says_why(trained: Store, file: Path) -> None:
    with trials(trained) as found, pytest.raises(NoResultError, match="has reported nothing"):
        ask(trained, 11, found)
    file.unlink()
    with pytest.raises(SpecError, match=r"is not here any more, at .*: add --stored-code"):
        chosen_program(trained.readable()[0], STORED, stored_code=False)
    with trials(trained, stored_code=True) as found:
        assert ask(trained, 0, found, "stored").outcome == "same"


def test_the_verb_prints_it(trained: Store, file: Path, caviar) -> None:
    got: Output = caviar("stale", "@last", "--canary")
    assert "canary same: loss, error of the first report, bit for bit, with today's code" in got.out
    write(file, PLANTED["a wrong label"])
    assert "canary differs: " in caviar("stale", "@last", "--canary").out
    assert "canary same" in caviar("stale", "@last", "--canary", "--stored-code").out
    for words in (["--canary"], ["@last", "--stored-code"]):
        assert caviar("stale", *words).code == 2
