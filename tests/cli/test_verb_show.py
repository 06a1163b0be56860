import json

import pytest

from caviar.store import Views


def show(caviar, filled, *args):
    return caviar("show", *args, "--sweep", "digits", "--store", filled.path)


def test_a_trial_from_top_to_bottom(caviar, filled):
    got = show(caviar, filled, "2")
    assert got.code == 0
    assert got.lines[0] == f"trial 2 of digits ({filled.digits}): COMPLETED in 3.2s, 3.2s of it busy"
    assert "20 reports, host box, pid 4711" in got.lines[1]
    assert "  act    'relu'" in got.lines or "  act    '=tanh'" in got.lines
    assert "val_loss    0.07237  0.07237" in got.out
    assert any(line.endswith("step 19") for line in got.lines)
    assert got.lines[-3:] == ["output (last lines)", "  loading", "  epoch 0 done red"]
    assert "\x1b" not in got.out
    assert "attempt" not in got.out


def test_many_metrics_are_read_in_one_query(caviar, filled, monkeypatch):
    asked = []
    execute = Views.execute
    monkeypatch.setattr(Views, "execute", lambda self, sql, *more: asked.append(sql) or execute(self, sql, *more))
    show(caviar, filled, "2")
    assert sum("from _curves" in sql for sql in asked) == 1


def test_a_failure_shows_its_traceback(caviar, filled):
    got = show(caviar, filled, "t3")
    assert "FAILED (error)" in got.lines[0]
    assert got.lines[-4:] == [
        "error",
        "  Traceback (most recent call last):",
        '    File "x.py", line 3',
        "  ValueError: no such layer",
    ]


def test_attempts_are_listed_where_there_are_several(caviar, filled):
    got = show(caviar, filled, "5")
    assert [line.split() for line in got.lines[-2:]] == [
        ["0", "first", "LOST", "lost", "box", "5", "4"],
        ["1", "retry", "COMPLETED", "box", "20", "19"],
    ]


def test_json(caviar, filled):
    document = json.loads(show(caviar, filled, "4", "--json").out, parse_constant=pytest.fail)
    assert document["trial"] == 4
    assert document["diverged"] is True
    assert document["metrics"]["val_loss"]["last"] is None
    assert document["curves"]["val_loss"]["steps"] == list(range(20))
    assert document["curves"]["val_loss"]["values"][-1] is None
    assert [row["attempt"] for row in document["attempts"]] == [0]
    assert json.loads(show(caviar, filled, "3", "--json").out)["error"].endswith("no such layer\n")


@pytest.mark.parametrize(("trial", "hint"), [("8", "its trials are 0 to 7"), ("99999", "0 to 7")])
def test_a_trial_that_does_not_exist(caviar, filled, trial, hint):
    got = show(caviar, filled, trial)
    assert (got.code, got.out) == (4, "")
    assert hint in got.err


def test_a_trial_that_is_not_drawn_yet(caviar, filled):
    got = caviar("show", "3", "--sweep", "later", "--store", filled.path)
    assert got.code == 4
    assert "has not been drawn yet" in got.err


def test_the_curve_fits_a_narrow_terminal(caviar, filled, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    assert all(len(line) <= 50 for line in show(caviar, filled, "2").lines[1:])
