import ast
import json
import math

import pytest


def test_the_table_then_the_config_to_copy(caviar, filled):
    got = caviar("best", "digits", "--store", filled.path)
    assert got.code == 0
    assert got.err == ""
    title, rule, _, head, _, *rows = got.lines
    assert title == f"digits ({filled.digits}): 7 completed, 1 failed"
    assert rule == "best by last val_loss, 6 completed trials at step 19, min"
    assert head.split() == ["trial", "val_loss", "log", "curve", "lr", "beta", "units", "act", "step", "state"]
    assert [row.split()[0] for row in rows[:5]] == ["t2", "t1", "t0", "t5", "t6"]
    assert rows[0].split()[1] == "0.07237"
    config = ast.literal_eval("\n".join(rows[rows.index("") + 2 : -2]))
    assert rows[-1] == "final, measured once on t2: test_error=0.0213"
    document = json.loads(caviar("best", "digits", "--store", filled.path, "--json").out)
    assert config == document["trials"][0]["config"]
    assert config["lr"] != round(config["lr"], 8), "the config is printed at full precision"


def test_json(caviar, filled):
    got = caviar("best", "digits", "-k", "3", "--store", filled.path, "--json")
    document = json.loads(got.out, parse_constant=pytest.fail)
    assert document["sweep"] == filled.digits
    assert document["metric"] == "val_loss"
    assert document["mode"] == "min"
    assert document["final"]["metrics"] == {"test_error": 0.0213}
    assert [row["trial"] for row in document["trials"]] == [2, 1, 0]
    assert set(document["trials"][0]["config"]) == {"lr", "beta", "units", "act"}
    assert document["trials"][0]["value"] == pytest.approx(0.05 + math.exp(-19 / 5))


def test_failed_and_diverged_trials_never_win(caviar, filled):
    document = json.loads(caviar("best", "digits", "-k", "99", "--store", filled.path, "--json").out)
    assert {row["trial"] for row in document["trials"]} == {0, 1, 2, 5, 6, 7}


def test_rule_and_step_are_passed_on(caviar, filled):
    got = caviar("best", "digits", "--rule", "best", "--at-step", "3", "--store", filled.path, "--json")
    document = json.loads(got.out)
    assert "step 3" in document["rule"]
    assert document["trials"][0]["step"] == 3


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_terminal_gets_no_line_that_wraps(caviar, filled, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    got = caviar("best", "digits", "--store", filled.path)
    table = [line for line in got.lines if line.startswith("t")]
    assert max(map(len, table)) <= width
    assert len(table) == 6
    assert ("no room for" in got.err) == (width < 80)


def test_no_usable_result_is_exit_code_3(caviar, fresh):
    got = caviar("best", "--store", fresh.path)
    assert got.code == 3
    assert got.out == ""
    assert got.err.count("\n") == 1
    assert f"caviar status --store {fresh.path} {fresh.digits}" in got.err


def test_a_step_that_no_trial_reached_is_named(caviar, filled):
    got = caviar("best", "digits", "--at-step", "999", "--store", filled.path)
    assert (got.code, got.out) == (3, "")
    assert "no trial with a usable val_loss at step 999" in got.err


def test_another_metric_an_expression_and_constraints(caviar, filled):
    args = ("best", "digits", "--store", filled.path)
    got = caviar(
        *args, "--metric", "val_loss + 0 * train_loss", "--where", "units > 60", "--where", "lr < 1", "-k", "2"
    )
    assert got.code == 0, got.err
    assert got.lines[1].endswith(", where units > 60 and lr < 1, min")
    assert got.lines[1].startswith("best by last val_loss + 0 * train_loss, ")
    assert "curve" not in got.lines[3].split()
    document = json.loads(caviar(*args, "--metric", "train_loss", "--mode", "max", "--json").out)
    assert (document["metric"], document["mode"]) == ("train_loss", "max")
    values = [row["value"] for row in document["trials"]]
    assert values == sorted(values, reverse=True)
    assert document["compared"] == 6


def test_luck_is_said_in_both_forms(caviar, filled):
    line = "one training: the best of 6 is lucky, by about 1 standard deviation between seeds"
    assert line in caviar("best", "digits", "--store", filled.path).lines
    assert json.loads(caviar("best", "digits", "--store", filled.path, "--json").out)["luck"] == line


def test_a_pareto_set(caviar, filled):
    args = (
        "best",
        "digits",
        "--store",
        filled.path,
        "--pareto",
        "val_loss,greatest(units, 0):min",
        "--where",
        "lr < 2",
    )
    got = caviar(*args)
    assert got.code == 0, got.err
    assert got.lines[1].startswith("Pareto set, ")
    document = json.loads(caviar(*args, "--json").out)
    assert document["objectives"] == [
        {"metric": "val_loss", "mode": "min"},
        {"metric": "greatest(units, 0)", "mode": "min"},
    ]
    pairs = [tuple(one["values"]) for one in document["trials"]]
    assert pairs == sorted(pairs)
    assert [b for _, b in pairs] == sorted((b for _, b in pairs), reverse=True)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--metric", "(select 1)"], "a subquery"),
        (["--metric", "train_loss"], "small or large"),
        (["--where", "nope > 1"], "unknown name 'nope'"),
        (["--where", "read_text('/etc/passwd') = ''"], "the function read_text"),
        (["--pareto", "val_loss"], "two objectives"),
        (["--pareto", "val_loss,lr:min", "--family"], "leave --family out"),
        (["--pareto", "val_loss,lr:min", "--metric", "lr"], "leave --metric out"),
        (["--pareto", "val_loss,lr:min", "--at-step", "0"], "leave --at-step out"),
        (["--family", "--metric", "nope"], "unknown name"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(caviar, filled, args, words):
    got = caviar("best", "digits", *args, "--store", filled.path)
    assert (got.code, got.out, words in got.err) == (2, "", True), got.err
    assert got.err.count("\n") == 1


def test_constraints_that_nobody_satisfies_are_exit_code_3(caviar, filled):
    got = caviar("best", "digits", "--where", "lr > 5", "--store", filled.path)
    assert (got.code, "usable val_loss and lr > 5" in got.err) == (3, True), got.err


def test_a_family_by_another_metric(caviar, filled):
    got = caviar(
        "best",
        "digits",
        "--family",
        "--metric",
        "train_loss",
        "--mode",
        "max",
        "--where",
        "lr < 2",
        "--json",
        "--store",
        filled.path,
    )
    document = json.loads(got.out)
    assert (document["metric"], document["mode"]) == ("train_loss", "max")
    assert document["rule"].endswith(", where lr < 2")
