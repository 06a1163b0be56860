"""The environment variables of a sweep: how they are given, and which ones may be."""

import pytest

from caviar import Command, Float, SpecError, Sweep
from caviar.spec.plan import Plan, doubtful
from caviar.spec.variables import variables


def train(config, trial):
    trial.report(0, loss=config["x"])


def make(**settings) -> Sweep:
    return Sweep(train, {"x": Float(0, 1)}, "loss", **settings)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"A": "b", "N": 4, "F": 0.5}, {"A": "b", "N": "4", "F": "0.5"}),
        (["HF_TOKEN", "A=b=c", "E="], {"HF_TOKEN": "env:HF_TOKEN", "A": "b=c", "E": ""}),
        ((), {}),
    ],
)
def test_variables_are_given_as_a_dict_or_as_words(given, kept) -> None:
    assert variables(given) == kept
    plan = make(env=given).plan
    assert plan.env == kept
    assert Plan.from_json(plan.to_json()).env == kept


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("A=b", "a dict of variables"),
        ({"A B": "c"}, "letters, digits and _"),
        (["=c"], "letters, digits and _"),
        ({3: "c"}, "letters, digits and _"),
        ({"A": True}, r"env\.A is text, or a number, but got a bool"),
        ({"A": "b\0"}, r"env\.A has a NUL character"),
        (["A=b", "A=c"], "env names A twice"),
        ({"CUDA_VISIBLE_DEVICES": "0"}, "write gpus="),
        ({"HF_TOKEN": "hunter2-hunter2"}, r"env=\['HF_TOKEN'\] in Python, --env HF_TOKEN"),
        ({"URL": "postgres://me:hunter2@host/db"}, "looks like one"),
    ],
)
def test_what_is_no_variable_or_tells_a_secret_is_refused(given, said) -> None:
    with pytest.raises(SpecError, match=said) as raised:
        make(env=given)
    assert "hunter2" not in str(raised.value)


def test_what_may_be_a_secret_is_told() -> None:
    assert "A may be a secret" in doubtful(make(env={"A": "x8Kq2LmZ7vB4nR9tW1yP"}).plan)[0]


def test_a_reference_is_to_this_shell(monkeypatch) -> None:
    plan = make(env=["P_TOKEN"]).plan
    with pytest.raises(SpecError, match=r"env\.P_TOKEN is env:P_TOKEN, but there is no environment variable P_TOKEN"):
        plan.check_references()
    monkeypatch.setenv("P_TOKEN", "hunter2")
    assert (plan.environment(), plan.hidden) == ({"P_TOKEN": "hunter2"}, ("hunter2",))


def test_changes_add_to_the_variables_that_there_are() -> None:
    changed = make(env={"A": "1", "B": "2"}).override({"env.B": 3, "env.C": "env:HOME", "workdir": "/there"})
    assert changed.plan.env == {"A": "1", "B": "3", "C": "env:HOME"}
    assert changed.plan.workdir == "/there"


def test_a_command_begins_in_one_folder(tmp_path) -> None:
    sweep = Sweep(Command("echo {x}"), {"x": Float(0, 1)}, "loss", workdir=tmp_path)
    assert (sweep.plan.workdir, str(tmp_path) in str(sweep.program.files)) == ("", True)
    with pytest.raises(SpecError, match="leave one out"):
        Sweep(Command("echo {x}", folder="/"), {"x": Float(0, 1)}, "loss", workdir=tmp_path)
    with pytest.raises(SpecError, match="workdir is the path of a folder"):
        make(workdir="a\0b")
