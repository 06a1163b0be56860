import json

from caviar.store import Store

from .conftest import add_paused


def test_newest_first(caviar, filled):
    got = caviar("ls", "--store", filled.path)
    assert got.code == 0
    head, _, later, digits = got.lines
    assert head.split() == ["sweep", "name", "state", "done", "failed", "metric", "tags", "note"]
    assert later.split()[:4] == [filled.later, "later", "interrupted", "2/4"]
    assert digits.split()[:5] == [filled.digits, "digits", "finished", "8/8", "1"]
    assert digits.endswith("demo  a note")


def test_json(caviar, filled):
    document = json.loads(caviar("ls", "--store", filled.path, "--json").out)
    assert [row["sweep"] for row in document["sweeps"]] == [filled.later, filled.digits]
    assert document["sweeps"][1]["planned"] == 8
    assert document["sweeps"][1]["note"] == "a \x1b[2Jnote"


def test_a_narrow_terminal_keeps_id_and_state(caviar, filled, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    got = caviar("ls", "--store", filled.path)
    assert all(len(line) <= 60 for line in got.lines)
    assert filled.digits in got.out
    assert "note" in got.err


def test_an_empty_store_says_what_to_type(caviar, empty):
    got = caviar("ls", "--store", empty)
    assert (got.code, got.out) == (0, "")
    assert "caviar run FILE" in got.err
    assert json.loads(caviar("ls", "--store", empty, "--json").out)["sweeps"] == []


def test_paused_and_cancelled_trials_are_counted(caviar, tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    add_paused(store)
    got = caviar("ls", "--store", store.path)
    assert got.lines[0].split()[2:6] == ["state", "done", "failed", "paused"]
    assert got.lines[2].split()[2:5] == ["interrupted", "2/4", "1"]
    row = json.loads(caviar("ls", "--store", store.path, "--json").out)["sweeps"][0]
    assert (row["paused"], row["cancelled"], row["stopped"]) == (1, 1, 0)
