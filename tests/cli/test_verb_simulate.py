import json

import numpy as np


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


def test_wrong_words(caviar, filled, tmp_path):
    assert caviar("simulate", "digits", "--stopping", "asah", "--store", filled.path).code == 2
    assert caviar("simulate", "x.npz", "--columns", "9").code == 2
    assert caviar("simulate", str(tmp_path / "none.npz")).code == 2
