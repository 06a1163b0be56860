"""A damaged file of a sweep that ended: what is said of it is true, before and after the trials are trained again."""

import shlex
from pathlib import Path

import pytest

from caviar import Result

pytestmark = pytest.mark.usefixtures("inline")

EXPERIMENT = """
    from caviar import Float, Sweep


    def train(config, trial):
        print("hello")
        trial.report(0, loss=config["x"])
        trial.report(1, loss=config["x"])


    sweep = Sweep(train, space={"x": Float(0.0, 1.0)}, metric="loss", trials=4)
"""


@pytest.fixture
def damage(caviar, write, store):
    """Runs the sweep, and changes a file of one of its tables."""

    def change(table: str) -> str:
        assert caviar("run", write(EXPERIMENT), "-q").code == 0
        (path,) = Path(store).glob(f"sweep=*/{table}/*.parquet")
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        return Result(store).id

    return change


@pytest.mark.parametrize(
    "table", ["trials", *(pytest.param(name, marks=pytest.mark.nightly) for name in ("attempts", "curves", "logs"))]
)
def test_what_is_said_of_a_file_in_quarantine_is_true(caviar, store, damage, monkeypatch, table):
    sweep = damage(table)
    monkeypatch.setenv("COLUMNS", "80")
    found = caviar("store", "check")
    told = " ".join(found.out.split())
    assert found.code == 5
    assert "its checksum is " in told
    assert ", and was " in told
    assert max(map(len, found.out.splitlines())) <= 80
    _is_true(caviar, store, sweep, table, found.err)

    assert caviar("resume", sweep, "-q").code == 0
    assert list(Result(store).trials()["state"]) == ["COMPLETED"] * 4
    _is_true(caviar, store, sweep, table, "")


def _is_true(caviar, store, sweep, table, found):
    """Whoever misses a trial is sent to resume, and nobody else is; rows that are shown are not said to be missing."""
    missing = 4 - len(Result(store).trials())
    counted = Result(store).sql(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    command = f"caviar resume --store {shlex.quote(str(store))} {sweep}"
    away = missing > 0 or counted == 0 or table == "attempts"  # other executions do not stand for those that are gone
    assert (command in found) == bool(missing)
    for words in (
        ["store", "check"],
        ["show", 0],
        ["logs", 0],
        ["explain", 0],
        ["best"],
        ["status"],
        ["curves"],
        ["ls"],
    ):
        got = caviar(*words)
        assert ("are not shown" in got.err) == away, words
        assert (command in got.err) == bool(missing), words
        assert "has not been drawn yet\n" not in got.err, words
    checked = caviar("store", "check")
    assert checked.code == 0
    assert ("what is left is as it was written" in checked.err) == away


@pytest.mark.parametrize("trial", [0, 3])
def test_python_is_told_so_too(caviar, store, damage, trial):
    damage("trials")
    caviar("store", "check")
    with pytest.raises(LookupError, match=r"set aside with a damaged file.*caviar resume --store"):
        Result(store).curves(trial)
