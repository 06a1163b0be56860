import json

import pytest


def test_one_line_a_trial_on_shared_axes(caviar, filled):
    got = caviar("curves", "digits", "--top", "3", "--store", filled.path)
    assert got.code == 0
    assert got.lines[:2] == [f"digits ({filled.digits})", "val_loss from 0.07237 to 1.07, log"]
    assert "steps 0 to 19" in got.lines[3]
    assert [line.split()[0] for line in got.lines[5:]] == ["t2", "t1", "t0"]
    assert got.lines[5].split()[-2:] == ["1.05", "0.07237"]


@pytest.mark.parametrize(("flag", "said"), [("--log", ", log"), ("--linear", "")])
def test_another_metric_and_another_axis(caviar, filled, flag, said):
    got = caviar("curves", "digits", "--metric", "train_loss", flag, "--store", filled.path)
    assert got.lines[1] == f"train_loss from 0.03619 to 0.55{said}"


def test_the_axis_is_the_same_everywhere(caviar, filled):
    assert "  log curve  " in caviar("best", "digits", "--store", filled.path).out
    assert "\nval_loss from 0.07237 to 1.05, log\n" in caviar("show", "digits", "2", "--store", filled.path).out
    assert "\nval_loss from 0.07237 to 1.05\n" in caviar("show", "digits", "2", "--linear", "--store", filled.path).out


@pytest.mark.parametrize("width", [60, 80])
def test_it_fits(caviar, filled, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    got = caviar("curves", "digits", "--store", filled.path)
    assert max(map(len, got.lines[2:])) <= width
    assert got.err == ""


def test_json_is_exact(caviar, filled):
    document = json.loads(caviar("curves", "digits", "--top", "1", "--store", filled.path, "--json").out)
    assert document["metric"] == "val_loss"
    [curve] = document["trials"]
    assert curve["trial"] == 2
    assert curve["steps"] == list(range(20))
    assert len(curve["values"]) == 20


def test_a_misspelt_metric(caviar, filled):
    got = caviar("curves", "digits", "--metric", "val_los", "--store", filled.path)
    assert (got.code, got.out) == (4, "")
    assert "did you mean 'val_loss'?" in got.err


def test_nothing_reported_yet(caviar, fresh):
    got = caviar("curves", "--store", fresh.path)
    assert (got.code, got.out) == (4, "")
    assert "no metric has been reported yet" in got.err
    assert got.err.rstrip().endswith(f"see: caviar status --store {fresh.path} {fresh.digits}")
