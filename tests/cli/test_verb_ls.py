import json
import shutil

import pytest

from caviar.store import Store
from caviar.store.read import views

from ..small_stores import add_digits, add_paused, make_plan


def test_newest_first(caviar, filled):
    got = caviar("ls", "--store", filled.path)
    assert got.code == 0
    head, _, later, digits = got.lines
    assert head.split() == ["sweep", "name", "state", "done", "best", "metric", "took", "age", "failed", "tags", "note"]
    assert later.split()[:7] == [filled.later, "later", "interrupted", "2/4", "0.08237", "val_loss", "4.2s"]
    assert digits.split()[:7] == [filled.digits, "digits", "finished", "8/8", "0.07237", "val_loss", "10s"]
    assert digits.split()[8] == "1"
    assert digits.endswith("demo  a note")


def test_json(caviar, filled):
    document = json.loads(caviar("ls", "--store", filled.path, "--json").out)
    assert [row["sweep"] for row in document["sweeps"]] == [filled.later, filled.digits]
    assert document["sweeps"][1]["planned"] == 8
    assert document["sweeps"][1]["best"] == {"trial": 2, "value": pytest.approx(0.0723708), "step": 19}
    assert document["sweeps"][1]["took_s"] == pytest.approx(10.2)
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
    assert got.lines[0].split()[2:9] == ["state", "done", "best", "metric", "took", "age", "paused"]
    assert got.lines[2].split()[-1] == "1"
    row = json.loads(caviar("ls", "--store", store.path, "--json").out)["sweeps"][0]
    assert (row["paused"], row["cancelled"], row["stopped"]) == (1, 1, 0)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Path of a store with 25 sweeps that have begun nothing, one of them tagged, and a finished one."""
    store = Store.open(tmp_path_factory.mktemp("many") / "store", create=True)
    add_digits(store, make_plan("done", 8, tags=("a", "b")))
    for number in range(25):
        plan = make_plan(f"Run-{number}", 4, tags=("a",) if number == 7 else ())
        store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    return str(store.path)


def names(caviar, *args):
    return [row["name"] for row in json.loads(caviar("ls", "--json", *args).out)["sweeps"]]


LONG_AGO, FAR_AHEAD = "2020-01-01", "2900-01-01"  # of no day near ours: midnight may come while these tests run


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--tag", "a"], ["Run-7", "done"]),
        (["--tag", "a", "--tag", "b"], ["done"]),
        (["--tag", "c"], []),
        (["--state", "finished"], ["done"]),
        (["--state", "finished", "--state", "running"], ["done"]),
        (["--name", "run-2"], ["Run-24", "Run-23", "Run-22", "Run-21", "Run-20", "Run-2"]),
        (["--name", "run-2", "-n", "2"], ["Run-24", "Run-23"]),
        (["--since", "1h", "--tag", "a"], ["Run-7", "done"]),
        (["--since", LONG_AGO, "--tag", "b"], ["done"]),
        (["--since", FAR_AHEAD], []),
        (["Run-7"], ["Run-7"]),
        (["--sweep", "Run-7"], ["Run-7"]),
    ],
    ids=str,
)
def test_filters(caviar, many, given, expected):
    assert names(caviar, "--store", many, *given) == expected
    got = caviar("ls", "--store", many, *given)
    assert (got.code, "no sweep fits" in got.err) == (0, not expected)


def test_the_newest_twenty_unless_more_are_asked_for(caviar, many):
    got = caviar("ls", "--store", many)
    assert len(got.lines) == 2 + 20
    assert got.err == "the newest 20 of 26; --all lists them all\n"
    everything = caviar("ls", "--store", many, "--all")
    assert (len(everything.lines), everything.err) == (2 + 26, "")
    assert len(names(caviar, "--store", many)) == 26


def test_all_sweeps_are_read_through_one_database(caviar, many, monkeypatch):
    opened = []

    def counted(folders):
        opened.append(folders)
        return connect(folders)

    connect = views.connect
    monkeypatch.setattr(views, "connect", counted)
    assert len(names(caviar, "--store", many)) == 26
    assert len(opened) == 1


@pytest.mark.parametrize("text", ["x", "-1h", "2026-13-01", "", "999999999d"])
def test_a_moment_that_is_none(caviar, many, text):
    got = caviar("ls", "--store", many, "--since", text)
    assert (got.code, got.out) == (2, "")
    assert got.err.count("\n") == 1


def test_a_sweep_that_cannot_be_read_hides_no_other(caviar, filled, tmp_path):
    path = shutil.copytree(filled.path, tmp_path / "store")
    [file] = (path / f"sweep={filled.digits}" / "trials").iterdir()
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    got = caviar("ls", "--store", str(path))
    assert got.code == 0
    assert [line.split()[4] for line in got.lines[2:]] == ["0.08237", "-"]
    assert "is damaged" in got.err
