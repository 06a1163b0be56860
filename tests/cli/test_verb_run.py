"""`run` and `resume` up to the point where trials begin: what reaches the sweep, and what is printed at the end."""

import json
import re
from types import SimpleNamespace

import pytest

from caviar.display.plain import PlainProgress, SilentProgress
from caviar.errors import SpecError, SweepInterrupted
from caviar.spec.plan import Plan
from caviar_workers.messages import Program

from ..small_stores import make_plan


class FakeSweep:
    """Stands in for the Sweep of a file; remembers how it was called."""

    def __init__(self, result_id: str) -> None:
        self.plan: Plan = make_plan("digits", 8, concurrency=2, train_args={"epochs": 5})
        self.program = Program(digest="", train="train")
        self.result_id = result_id
        self.changes: dict[str, object] = {}
        self.ran: dict[str, object] = {}

    def override(self, changes):
        self.changes = dict(changes)
        return self

    def run(self, **given):
        self.ran = given
        return SimpleNamespace(id=self.result_id)


@pytest.fixture
def sweep(filled, monkeypatch):
    fake = FakeSweep(filled.digits)
    monkeypatch.setattr("caviar.cli.experiment_file.load", lambda reference, metric: fake)
    return fake


def test_options_reach_the_sweep(caviar, filled, sweep):
    args = ["--trials", "8", "--cpus", "0.5", "--tag", "a", "--tag", "b", "--set", "train.epochs=5"]
    got = caviar("run", "x.py", *args, "--address", "auto", "--store", filled.path)
    assert got.code == 0
    assert sweep.changes == {"train.epochs": "5", "trials": 8, "cpus": 0.5, "tags": ("a", "b")}
    assert sweep.ran["store"] == filled.path
    assert sweep.ran["address"] == "auto"
    assert isinstance(sweep.ran["progress"], PlainProgress)


def test_the_end_shows_the_best_and_what_to_type(caviar, filled, sweep):
    got = caviar("run", "x.py", "--store", filled.path)
    assert got.lines[0] == f"digits ({filled.digits}): 7 completed, 1 failed"
    failed, next_, other, page, last = got.err.splitlines()[-5:]
    assert failed == "1 of 8 failed: 1 × ValueError: no such layer (t3)"
    assert next_ == f"next: caviar show --store {filled.path} {filled.digits} 2", "it is not the latest"
    assert other.strip() == f"caviar curves --store {filled.path} {filled.digits}"
    assert page.strip() == f"caviar report --store {filled.path} {filled.digits}"
    assert last.strip() == f"caviar retest --store {filled.path} {filled.digits}"


def test_quiet_and_json(caviar, filled, sweep):
    got = caviar("run", "x.py", "-q", "--json", "--store", filled.path)
    assert isinstance(sweep.ran["progress"], SilentProgress)
    assert json.loads(got.out)["trials"][0]["trial"] == 2
    assert got.err == ""


def test_dry_run_runs_nothing(caviar, filled, sweep):
    got = caviar("run", "x.py", "--dry-run", "--store", filled.path)
    assert (got.code, sweep.ran) == (0, {})
    assert "  lr     float log  1e-4 to 1" in got.lines
    assert "  beta   float reverse_log  0.9 to 0.99999" in got.lines
    assert "  act    choice  relu, =tanh" in got.lines
    assert any("8 trials, sobol, seed 0, at most 2 at a time" in line for line in got.lines)
    assert any("train(epochs=5)" in line for line in got.lines)
    assert sum(line.startswith("  lr=") for line in got.lines) == 3
    assert got.err == "nothing was run (--dry-run)\n"


def test_dry_run_tells_of_odd_scales_tiers_and_what_comes_first(caviar, tmp_path):
    file = tmp_path / "odd.py"
    file.write_text(
        """
from caviar import Float, Prior, Sweep
def train(config, trial):
    return 0.0
def small(config):
    return config["lr"] < 0.5
sweep = Sweep(
    train,
    space={
        "lr": Float(1e-4, 1.0),
        "decay": Float(1e-4, 1.0, "log", default=0.003),
        "eps": Float(1e-9, 1e-3, "log", tier=3, default=1e-8),
        "opt": ["sgd", "adam"],
        "momentum": Float(0.8, 0.95, step=0.05, when={"opt": "sgd"}, prior=0.9),
        "nesterov": True,
    },
    metric="value", trials=20, constraint=small, first=[{"lr": 0.3, "opt": "adam"}],
)
"""
    )
    got = caviar("run", str(file), "--dry-run", "--store", str(tmp_path / "store"))
    assert got.code == 0, got.err
    assert "advice: lr: on a linear scale from 0.0001 to 1, 90% of the draws lie above 0.1" in got.err
    assert "  eps       constant  1e-8  (its default; tier 3 of float log  1e-9 to 0.001)" in got.lines
    assert "  momentum  float  0.8 to 0.95 by 0.05, when opt is sgd, prior 0.9 (0.5)" in got.lines
    assert "plan   20 trials, 1 of your own and then sobol, seed 0, as many at a time as there is room for" in got.lines
    assert "       at their defaults for want of trials: eps (tier 3, from 25 trials); --all tunes them" in got.lines
    assert re.search(r"the constraint rejected \d\d% of the first \d+ draws", got.out)
    document = json.loads(caviar("run", str(file), "--all", "--dry-run", "--json", "--store", str(tmp_path / "s")).out)
    assert document["plan"]["held"] == {}
    assert document["plan"]["space"]["parameters"]["eps"]["type"] == "float"
    assert len(document["advice"]) == 1
    assert document["configs"][0] == {"lr": 0.3, "decay": 0.003, "eps": 1e-8, "opt": "adam", "nesterov": True}
    assert not (tmp_path / "store").exists()


def test_listed_configurations_beyond_the_trials_are_no_secret(caviar, tmp_path):
    file = tmp_path / "listed.py"
    file.write_text(
        "from caviar import Float, Sweep\n"
        "def train(config, trial):\n    return config['x']\n"
        "first = [{'x': 0.1}, {'x': 0.2}, {'x': 0.3}]\n"
        "sweep = Sweep(train, space={'x': Float(0, 1)}, metric='value', trials=2, first=first)\n"
    )
    got = caviar("run", str(file), "--dry-run", "--store", str(tmp_path / "store"))
    assert "advice: first has 3 configurations, of which 1 will not run: trials=2" in got.err
    got = caviar("run", str(file), "--dry-run", "--trials", "3", "--store", str(tmp_path / "store"))
    assert "will not run" not in got.err


def test_pausing_without_a_policy_that_pauses_is_no_silent_wish(caviar, filled, sweep):
    got = caviar("run", "x.py", "--pausing", "--dry-run", "--store", filled.path)
    assert (got.code, got.out) == (2, "")
    assert "add --stopping asha or hyperband" in got.err


def test_dry_run_as_json(caviar, filled, sweep):
    document = json.loads(caviar("run", "x.py", "--dry-run", "--json", "--store", filled.path).out)
    assert document["plan"]["trials"] == 8
    assert set(document["configs"][0]) == {"lr", "beta", "units", "act"}


def test_a_wrong_file_is_exit_code_2(caviar, tmp_path):
    got = caviar("run", str(tmp_path / "none.py"), "--store", str(tmp_path / "store"))
    assert (got.code, got.out) == (2, "")
    assert got.err.count("\n") == 1
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("code", [130, 143])
def test_an_interrupted_sweep(caviar, filled, sweep, code, monkeypatch):
    def interrupted(**_):
        raise SweepInterrupted("saved; go on with: caviar resume x", code)

    monkeypatch.setattr(sweep, "run", interrupted)
    got = caviar("run", "x.py", "--store", filled.path)
    assert (got.code, got.err) == (code, f"caviar: saved; go on with: caviar resume --store {filled.path} x\n")


def test_resume_takes_the_sweep_and_shows_the_best(caviar, filled, monkeypatch):
    seen = []

    def resume(store, sweep, **given):
        seen.append((sweep.id, given))
        return sweep

    monkeypatch.setattr("caviar.run.resume.resume_sweep", resume)
    got = caviar("resume", "digits", "-q", "--store", filled.path)
    assert got.code == 0
    assert seen[0][0] == filled.digits
    assert seen[0][1]["address"] is None
    assert got.lines[0] == f"digits ({filled.digits}): 7 completed, 1 failed"


def test_resume_passes_errors_on(caviar, filled, monkeypatch):
    def refuse(*_, **__):
        raise SpecError("its code lives in no file")

    monkeypatch.setattr("caviar.run.resume.resume_sweep", refuse)
    assert caviar("resume", "--store", filled.path).err == "caviar: its code lives in no file\n"


def test_a_rehearsal_of_a_guided_sweep_names_its_searcher_and_asks_it(caviar, filled, sweep):
    sweep.plan = make_plan("digits", 8, searcher="local", stopping="asha:eta=4")
    got = caviar("run", "x.py", "--dry-run", "--store", filled.path)

    assert "plan   8 trials, searcher local, seed" in got.out
    assert "       stopped early by asha:eta=4" in got.lines
    sweep.plan = make_plan("digits", 8, stopping="asha:eta=4", pausing=True, stop_on_divergence=True)
    paused = caviar("run", "x.py", "--dry-run", "--store", filled.path)
    assert "       paused, promoted or stopped by asha:eta=4" in paused.lines
    assert "       stopped when val_loss is NaN or infinite" in paused.lines
    sweep.plan = make_plan("digits", 8, searcher="local")
    document = json.loads(caviar("run", "x.py", "--dry-run", "--json", "--store", filled.path).out)
    sampled = make_plan("digits", 8)
    sweep.plan = sampled
    other = json.loads(caviar("run", "x.py", "--dry-run", "--json", "--store", filled.path).out)
    assert len(document["configs"]) == 3
    assert document["configs"] != other["configs"]


DECLARED = """
from functools import partial
from caviar import Float, Sweep

def train(config, trial, epochs=2, batch_size=4, **others):
    trial.report(0, loss=config["lr"])

sweep = Sweep({train}, {{"lr": Float(0.1, 1.0), "Momentum": [0.8, 0.9]}}, "loss")
"""


@pytest.mark.parametrize("train", ["train", "partial(train, epochs=3)"])
@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["--epochs", "5"], "--set train.epochs=5"),
        (["--epochs=5"], "--set train.epochs=5"),
        (["--epochs"], "--set train.epochs=…"),
        (["--batch-size", "8"], "--set train.batch_size=8"),
        (["--batch_size", "-1"], "--set train.batch_size=-1"),
        (["--lr", "0.01"], "--set space.lr=0.01"),
        (["--Momentum", "a b"], "--set space.Momentum='a b'"),
        (["--max-attempts", "1"], "--set max_attempts=1"),
    ],
)
def test_an_option_for_what_the_file_declares_is_told_as_its_setting(caviar, tmp_path, train, words, meant):
    file = tmp_path / "e.py"
    file.write_text(DECLARED.format(train=train))
    for given in ([str(file), *words], [*words, str(file)], [f"{file}:sweep", *words]):
        got = caviar("run", *given)
        assert (got.code, got.out) == (2, "")
        option = words[0].partition("=")[0]
        if words == ["--epochs"] and given[0] == "--epochs":
            meant = "--set train.epochs=…"
        assert got.err == f"caviar: No such option {option!r}; did you mean {meant}? (caviar run --help)\n"


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("--trails", "; did you mean --trials?"),
        ("--tag-it", "; did you mean --tag or "),
        ("--num-samples", "; did you mean --trials?"),
        ("--direction", "; did you mean --mode?"),
        ("--xyzzy", " (caviar"),
    ],
)
def test_the_closest_option_is_suggested_first(caviar, option, meant):
    assert f"No such option {option!r}{meant}" in caviar("run", "x.py", option).err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("best", "--direction", "max"), "; did you mean --mode?"),
        (("zoom", "--num-samples", "8"), "; did you mean --trials?"),
        (("resume", "--n-trials", "8"), "; did you mean --add?"),
        (("resume", "--mode", "max"), "; --mode is an option of caviar run, caviar submit, caviar best and others"),
        (("ls", "--dry-run"), "; --dry-run is an option of caviar run, "),
    ],
)
def test_an_option_that_a_verb_has_not_is_told_as_its_own_or_with_the_verbs_that_have_it(caviar, words, meant):
    got = caviar(*words)
    assert (got.code, got.out, got.err.count("\n")) == (2, "", 1)
    assert f"No such option {words[1]!r}{meant}" in got.err


@pytest.mark.parametrize("words", [["--trails", "8"], ["--nothing"], ["-x"], ["--others", "1"]])
@pytest.mark.parametrize("file", ["e.py", "broken.py", "none.py", "none"])
def test_another_wrong_option_is_told_as_ever(caviar, tmp_path, words, file):
    (tmp_path / "e.py").write_text(DECLARED.format(train="train"))
    (tmp_path / "broken.py").write_text("1 / 0")
    got = caviar("run", str(tmp_path / file), *words)
    assert (got.code, got.out, got.err.count("\n")) == (2, "", 1)
    assert f"No such option {words[0]!r}" in got.err
    assert "--set" not in got.err
