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
