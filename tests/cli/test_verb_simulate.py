import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.cli.conftest import add_digits, make_plan

from caviar.cli import verb_simulate
from caviar.store import Store


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
    assert caviar("simulate", "x.npz", "--columns", "9").code == 2
    assert caviar("simulate", str(tmp_path / "none.npz")).code == 2


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
