"""`caviar next`: what it proposes, and that its file runs as it is."""

import json
from decimal import Decimal

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.space import Choice, Float
from caviar.spec.plan import Plan
from caviar.store import Store

pytestmark = pytest.mark.usefixtures("inline")

EXPERIMENT = """
    import math
    import random
    from caviar import Choice, Float, Int, Sweep
    from shape import slope

    class Model:
        @staticmethod
        def train(config, trial, epochs=3, scale=1.0):
            noise = random.Random(trial.seed).gauss(0, 0.02)
            value = abs(math.log10(config["lr"]) + 2) + slope(config["units"]) + (config["act"] == "bad") + noise
            for epoch in range(epochs):
                error = float(scale) * value + 1 / (epoch + 1)
                trial.report(epoch, val_error=math.nan if config["lr"] > 0.3 else error)

    def admits(config):
        return config["lr"] < 0.9

    def final(config, trial):
        return {"test_error": 1.0}

    sweep = Sweep(
        Model.train,
        space={
            "lr": Float(1e-4, 1.0, scale="log", prior=0.03),
            "units": Int(20, 100, step=2),
            "idle": Float(0.0, 1.0, default=0.5, tier=3),
            "act": Choice(["good", "bad", "fair", "well"]),
            "drop": Float(0.0, 0.5, when={"act": "good"}),
            "depth": 3,
        },
        metric="val_error",
        mode="min",
        trials=160,
        constraint=admits,
        final=final,
        first=[{"lr": 0.01, "units": 60, "act": "good", "drop": 0.1}],
        tags=["mine"],
    )
"""
SHAPE = """
    def slope(units):
        return (100 - units) / 40
"""


@pytest.fixture
def experiment(write, store):
    """A sweep that has run, with an argument of train that the command line gave."""
    write(SHAPE, "shape.py")
    file = write(EXPERIMENT)
    load(str(file)).override({"train.epochs": 2}).run(store)
    return file


def plan_of(file):
    return load(str(file)).plan


def test_the_file_beside_the_experiment_runs_as_it_is(caviar, experiment, store):
    file = experiment.with_name("next.py")
    got = caviar("next", "-o", file)
    assert (got.code, got.out) == (0, "")
    assert "wrote " in got.err
    assert "sys.path" not in file.read_text()
    result = load(str(file)).run(store)
    assert isinstance(result, Result)
    plan = Plan.from_json(Store.open(store).find(result.id).description()["plan"])
    assert (plan.name, plan.trials, plan.seed) == ("experiment-next", 160, 1)
    assert plan.train_args == {"epochs": 2}
    assert plan.tags == ("mine",)
    assert plan.sampler == "sobol"  # the baseline was tried
    config = json.loads(caviar("best", result.id, "--json").out)["trials"][0]["config"]
    assert config["lr"] < 0.3
    assert "test_error" in json.loads(caviar("best", result.id, "--json").out)["final"]["metrics"]


def test_what_changes_and_what_does_not(caviar, experiment):
    document = json.loads(caviar("next", "--json").out)
    by_name = {one["name"]: one for one in document["parameters"]}
    space = plan_of_document(document, experiment)
    assert 1e-4 < space["lr"].low < 0.01 < space["lr"].high <= 0.31
    assert space["lr"].prior is None
    assert "the best lie there" in by_name["lr"]["reason"]
    assert (space["units"].low > 20, space["units"].high > 100, space["units"].step) == (True, True, 2)
    assert "the best press on 100" in by_name["units"]["reason"]
    assert by_name["idle"]["changed"] is False
    assert space["idle"] == Float(0.0, 1.0, default=0.5, tier=3)
    assert by_name["idle"]["reason"].startswith("kept: no effect seen, a weak one is missed")
    assert space["act"] == Choice(["good", "bad", "fair", "well"])  # drop waits for one of its options
    assert (by_name["depth"]["changed"], by_name["depth"]["reason"]) == (False, "")


def plan_of_document(document, experiment):
    file = experiment.with_name("proposed.py")
    file.write_text(document["file"])
    return plan_of(file).space


def test_each_change_stands_beside_its_reason(caviar, experiment):
    lines = caviar("next", "--trials", "20").out.splitlines()
    reason = next(k for k, line in enumerate(lines) if line.startswith("        # units: the best press on 100"))
    assert lines[reason + 1].startswith("        'units': Int(")
    trials = next(k for k, line in enumerate(lines) if line == "    trials=20,")
    assert "better in 50%" in "".join(lines[trials - 2 : trials])


def test_a_file_elsewhere_says_where_the_code_lies(caviar, experiment, tmp_path):
    file = tmp_path / "elsewhere" / "next.py"
    file.parent.mkdir()
    assert caviar("next", "-o", file).code == 0
    assert f"sys.path.insert(0, {str(experiment.parent)!r})" in file.read_text()
    assert plan_of(file).name == "experiment-next"
    assert load(str(file)).run(tmp_path / "other").best.value < 2


def test_what_was_written_stays(caviar, experiment, tmp_path):
    file = experiment.with_name("next.py")
    file.write_text("mine")
    got = caviar("next", "-o", file)
    assert (got.code, "is there already" in got.err, file.read_text()) == (2, True, "mine")
    assert (caviar("next", "-o", file, "--force").code, file.read_text() == "mine") == (0, False)
    got = caviar("next", "-o", tmp_path / "next.txt")
    assert (got.code, "call it FILE.py" in got.err) == (2, True)
    got = caviar("next", "-o", tmp_path / "nowhere" / "next.py")
    assert (got.code, "cannot write" in got.err) == (2, True)


def test_clearly_bad_options_are_dropped_where_nothing_waits_for_them(caviar, write, store):
    write(SHAPE, "shape.py")
    file = write(EXPERIMENT.replace('when={"act": "good"}', ""), "free.py")
    load(str(file)).run(store)
    by_name = {one["name"]: one for one in json.loads(caviar("next", "--json").out)["parameters"]}
    assert by_name["act"]["after"]["options"] == ["good", "fair", "well"]
    assert by_name["act"]["reason"].startswith("dropped bad: not among the best 20 of ")


def test_trials_that_say_nothing_of_the_space_give_no_proposal(caviar, write, store):
    write(SHAPE, "shape.py")
    load(str(write(EXPERIMENT.replace("constraint=admits,", 'searcher="local",')))).override({"trials": 20}).run(store)
    got = caviar("next")
    assert got.code == 3
    assert "says nothing of where to search next: the searcher local" in got.err


def test_code_that_lives_in_no_file_gives_a_list_of_changes(caviar, tmp_path, store):
    rows = ["lr,val_error", *(f"{10 ** -(k % 40 / 10)},{abs(k % 40 / 10 - 2)}" for k in range(80))]
    (tmp_path / "table.csv").write_text("\n".join(rows))
    assert caviar("import", tmp_path / "table.csv", "--metric", "val_error", "--params", "lr").code == 0
    got = caviar("next")
    assert got.code == 0
    assert "lr  float log" in got.out
    assert "there is no file to run: it was imported from table.csv and has no code" in got.err
    refused = caviar("next", "-o", tmp_path / "next.py")
    assert (refused.code, "no file can be written" in refused.err) == (2, True)


def test_an_experiment_in_a_package_is_imported_by_its_full_name(caviar, write, store):
    write(SHAPE, "shape.py")
    write("", "made/__init__.py")
    write(SHAPE, "made/shape.py")
    file = write(EXPERIMENT.replace("from shape", "from .shape"), "made/exp.py")
    load(str(file)).run(store)
    beside = file.parents[1] / "next.py"
    assert caviar("next", "-o", beside).code == 0
    assert "from made.exp import Model, admits, final\n" in beside.read_text()
    assert "sys.path" not in beside.read_text()
    assert plan_of(beside).name == "exp-next"


def test_what_cannot_be_written_in_the_file_is_said_there(caviar, write, store):
    write(SHAPE, "shape.py")
    load(str(write(EXPERIMENT))).override({"train.scale": Decimal(1)}).run(store)
    assert "    # scale was given to train as well: set it in train_args\n" in caviar("next").out


def test_a_file_whose_name_cannot_be_imported_gives_a_list_of_changes(caviar, write, store):
    write(SHAPE, "shape.py")
    load(str(write(EXPERIMENT, "my-experiment.py"))).run(store)
    got = caviar("next")
    assert (got.code, "my-experiment cannot be imported by its name: rename it" in got.err) == (0, True)
    assert "lr  float log" in got.out
