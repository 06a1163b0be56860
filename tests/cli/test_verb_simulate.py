import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import add_digits, make_plan

from caviar.cli import verb_simulate
from caviar.run.replay_curves import Curves
from caviar.store import Store, Writer

from ..small_stores import attempt_row, configs, curve


def test_a_finished_sweep_is_replayed(caviar, filled):
    got = caviar("simulate", "digits", "--stopping", "asha", "--slots", "2", "--orders", "2", "--store", filled.path)

    assert got.code == 0
    assert f"digits ({filled.digits}): 2 orders of" in got.lines[0]
    assert "asha:eta=5" in got.lines[0]
    assert any(line.startswith("compute saved") for line in got.lines)
    assert any(line.startswith("winner lost") for line in got.lines)


def test_a_table_of_curves_in_json(caviar, tmp_path):
    np.savez(tmp_path / "t.npz", y=np.linspace(2, 1, 30)[None, :] + np.arange(8.0)[:, None])
    got = caviar("simulate", str(tmp_path / "t.npz"), "--trials", "6", "--orders", "2", "--json")
    document = json.loads(got.out)

    assert document["winner_lost"] == 0.0
    assert document["compute_saved"] > 0.3
    assert document["trials"] == 6


def test_a_sweep_that_paused_is_replayed_so(caviar, tmp_path):
    np.savez(tmp_path / "t.npz", y=np.linspace(2, 1, 30)[None, :] + np.arange(8.0)[:, None])
    command = ("simulate", str(tmp_path / "t.npz"), "--orders", "2")
    stopped, paused = (caviar(*command, *more) for more in ((), ("--pausing",)))
    assert ", paused and promoted" in paused.lines[0]
    assert "paused" not in stopped.lines[0]

    store = Store.open(tmp_path / "store", create=True)
    add_digits(store, replace(make_plan("digits", 8), pausing=True))
    command = ("simulate", "digits", "--orders", "2", "--json", "--store", str(store.path))
    told = [json.loads(caviar(*command, *more).out)["pausing"] for more in ((), ("--no-pausing",))]
    assert told == [True, False]
    assert not json.loads(caviar(*command, "--stopping", "median").out)["pausing"]


def test_wrong_words(caviar, filled, tmp_path):
    assert caviar("simulate", "digits", "--stopping", "asah", "--store", filled.path).code == 2
    refused = caviar("simulate", "digits", "--stopping", "median", "--pausing", "--store", filled.path)
    assert (refused.code, refused.out) == (2, "")
    assert "median does not: use asha or hyperband" in refused.err
    forks = caviar("simulate", "digits", "--stopping", "pbt:interval=3", "--store", filled.path)
    assert (forks.code, forks.out) == (2, "")
    assert "pbt:interval=3 forks trials whose curves nobody has recorded, so it cannot be simulated: try" in forks.err
    assert caviar("simulate", "x.npz", "--columns", "9").code == 2
    assert caviar("simulate", str(tmp_path / "none.npz")).code == 2


@pytest.fixture
def arrays(tmp_path, monkeypatch):
    """A folder with files of numpy, to be typed as they are called."""
    monkeypatch.chdir(tmp_path)
    table = np.random.default_rng(0).random((6, 50))
    np.savez("t.npz", y=table)
    np.savez("u.npz", y=table)
    Path("u.npz").rename("T.NPZ")
    np.savez("one.npz", y=table[:1])
    np.savez("nan.npz", y=np.full((6, 50), np.nan))
    np.savez("mixed.npz", y=table, z=table, o=np.array([{}], dtype=object))
    np.save("t.npy", table)
    Path("t.npy").rename("array.npz")
    np.save("t.npy", table)
    whole = Path("t.npz").read_bytes()
    Path("cut.npz").write_bytes(whole[:-100])
    Path("hurt.npz").write_bytes(whole[:200] + bytes(len(whole) - 400) + whole[-200:])
    Path("empty.npz").write_bytes(b"")
    Path("bad.npz").write_bytes(b"no zip")
    Path("folder.npz").mkdir()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("t.npz", "--columns", "60:70"), "t.npz:y has the columns 0 to 49, but got --columns 60:70"),
        (("t.npz", "--columns", "1:50"), "t.npz:y has the columns 0 to 49, but got --columns 1:50"),
        (("t.npz", "--columns", "1:500"), "has the columns 0 to 49"),
        (("t.npz", "--table", "x"), "has no array x: its tables are y"),
        (("one.npz",), "one.npz:y has 1 row: a replay needs at least two whole curves"),
        (("nan.npz",), "none ends with a finite value: nobody could be chosen"),
        (("mixed.npz",), "has the tables y, z: say which, as --table y"),
        (("t.npy",), "holds one array without a name, and is no numpy file of named arrays: numpy.savez(FILE"),
        (("array.npz",), "holds one array without a name"),
        (("cut.npz",), "is no numpy file of named arrays: numpy.savez(FILE, curves=array) writes one"),
        (("hurt.npz",), "hurt.npz"),
        (("empty.npz",), "is no numpy file of named arrays"),
        (("bad.npz",), "is no numpy file of named arrays"),
        (("folder.npz",), "there is no file folder.npz"),
        (("none.npy",), "there is no file none.npy"),
    ],
)
def test_what_does_not_fit_an_array_is_one_sentence(caviar, arrays, words, said):
    got = caviar("simulate", *words, "--orders", "2")
    assert (got.code, got.out, got.err.count("\n")) == (2, "", 1)
    assert said in got.err
    assert "pickle" not in got.err


@pytest.mark.parametrize(
    "words",
    [("t.npz",), ("T.NPZ",), ("t.npz", "--columns", "0:49"), ("mixed.npz", "--table", "z"), ("t.npz", "--mode", "max")],
)
def test_what_fits_is_replayed(caviar, arrays, words):
    assert caviar("simulate", *words, "--orders", "2").code == 0


@pytest.mark.parametrize("option", [("--mode", "max"), ("--mode", "min"), ("--table", "y"), ("--columns", "1:5")])
def test_options_of_arrays_are_refused_with_a_sweep(caviar, filled, option):
    got = caviar("simulate", "digits", *option, "--orders", "2", "--store", filled.path)
    assert (got.code, got.out) == (2, "")
    assert f"{option[0]} is about an .npz file, but what is replayed is a sweep: leave it out" in got.err


@pytest.mark.parametrize(
    ("pause", "stopping", "said"),
    [
        (
            0.01,
            "asha:eta=5",
            "asha:eta=5 judged nobody: a replay keeps the seconds that each step took",
        ),
        (0.02, "asha:eta=5", "asha:eta=5 stopped nobody in time: a replay keeps"),
        (30.0, "asha:eta=5", ""),
        (30.0, "asha:eta=5,first=1000", "judged nobody: no curve came to a step"),
        (30.0, "patience:steps=1000", "patience:steps=1000 judged nobody: no curve came to a step, or to a value"),
    ],
)
def test_why_nobody_was_judged_is_said(caviar, monkeypatch, tmp_path, pause, stopping, said):
    curves = tuple(tuple((pause, step, trial + 1 / (step + 1)) for step in range(25)) for trial in range(16))
    given = Curves(name="c", mode="min", trials=curves, values=tuple(stages[-1][2] for stages in curves))
    monkeypatch.setattr("caviar.run.replay_curves.curves_of_table", lambda *_: given)
    for json_or_not in ((), ("--json",)):
        got = caviar("simulate", "c.npz", "--stopping", stopping, "--orders", "2", "--slots", "8", *json_or_not)
        assert got.code == 0
        assert (said in got.err) if said else not got.err
    assert (json.loads(got.out)["judged"] == 0) == ("judged nobody" in said)
    assert "2 orders of 16 trials on 1 slot," in caviar("simulate", "c.npz", "--orders", "2", "--slots", "1").lines[0]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("live", [True, False])
def test_progress_is_drawn_in_place_on_a_terminal_and_is_rare_elsewhere(monkeypatch, live):
    now = [0.0]
    monkeypatch.setattr(verb_simulate.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "stderr", Terminal() if live else io.StringIO())
    for name in ("CI", "TERM"):
        monkeypatch.delenv(name, raising=False)
    with verb_simulate._Progress(100) as on_order:
        for done in range(1, 101):
            now[0] += 1.0
            on_order(done)
    said = sys.stderr.getvalue()
    if live:
        assert "\n" not in said
        assert said.startswith("\r\033[2K[caviar] 1/100 orders, 1m39s left\r\033[2K[caviar] 2/100")
        assert said.endswith("\r\033[2K"), "the terminal is left as it was"
    else:
        assert said.splitlines() == [f"[caviar] {done}/100 orders, {left} left" for done, left in RARE]


RARE = [(30, "1m10s"), (60, "40s"), (90, "10s")]


def test_too_few_trials_end_it_as_they_end_a_zoom(caviar, tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.create_sweep({"plan": make_plan("digits", 1).to_json(), "provenance": {}}, b"")
    with Writer(sweep, sweep.claim()) as writer:
        writer.add("configs", configs(make_plan("digits", 1), 1))
        writer.add("curves", curve(0))
        writer.add("attempts", attempt_row(0, "COMPLETED"))
    codes = {verb: caviar(verb, "digits", "--store", str(store.path)).code for verb in ("simulate", "zoom")}
    assert codes == {"simulate": 3, "zoom": 3}
