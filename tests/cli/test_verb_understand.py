import json

import numpy as np
import pytest

from caviar.space import Choice, Float, Space
from caviar.store import Store

from ..formula_sweeps import add_formula, make_plan


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A store with a sweep of 128 trials, and one whose trials a searcher chose."""
    path = tmp_path_factory.mktemp("told") / "store"
    store = Store.open(path, create=True)
    add_formula(store, make_plan(64, name="guided", searcher="local"))
    add_formula(store, make_plan(128))
    return str(path)


def test_findings_are_told_in_lines_and_what_to_know_before_trusting_them(caviar, told):
    got = caviar("understand", "--store", told)
    assert got.code == 0
    assert "best t" in got.lines[2]
    rows = {line.split()[0]: line for line in got.lines if line.startswith(("lr ", "units "))}
    assert set(rows) == {"lr", "units"}
    assert rows["units"].endswith("to 100, and press on 100")
    assert "no effect seen: beta, act, drop; a weak one (6 % of the variance) is missed " in got.out
    assert "128 more: better in 50%, by " in got.out
    listed = got.out.partition("before you trust it:\n")[2].splitlines()
    assert listed[0] == "  one training: the best of 128 is lucky, by 1 to 2 standard deviations between seeds"
    assert any("diverged have lr ≥" in line for line in listed)


@pytest.mark.parametrize("width", [80, 60])
def test_it_fits(caviar, told, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert max(map(len, caviar("understand", "--store", told).lines)) <= width


def test_json_has_what_a_picture_needs(caviar, told):
    document = json.loads(caviar("understand", "--store", told, "--json").out)
    lr = document["parameters"][0]
    assert (lr["name"], lr["matters"], len(lr["parts"])) == ("lr", True, 5)
    assert set(lr["parts"][0]) == {"low", "high", "trials", "best", "chance_low", "chance_high"}
    curve = document["curve"]
    assert len(curve["trials"]) == len(curve["median"]) == len(curve["worst"]) == len(curve["best"])
    assert curve["best"][-1] is None  # how good the best of so many may be, these trials cannot tell


def test_guided_trials_are_refused_with_the_reason(caviar, told):
    got = caviar("understand", "guided", "--store", told)
    assert got.code == 0
    assert "no importance, regions, bands or edges: the searcher local chose" in got.out
    assert "share" not in got.out.partition("before you trust it")[0]


def test_an_option_with_control_characters_stays_on_its_line(caviar, tmp_path):
    store = Store.open(tmp_path / "odd", create=True)
    space = Space({"act": Choice(["a", "b\x1b[31m\nc", "d"]), "lr": Float(0.0, 1.0)})
    worth = {"a": 2.0, "b\x1b[31m\nc": 0.0, "d": 1.0}
    plan = make_plan(64, space=space)
    add_formula(store, plan, lambda c, rng: np.array([worth[one] for one in c["act"]]) + 0.1 * rng.random(64))
    got = caviar("understand", "--store", str(store.path))
    assert "\x1b" not in got.out
    assert len([line for line in got.lines if line.startswith("act ")]) == 1
    assert json.loads(caviar("understand", "--store", str(store.path), "--json").out)["parameters"]
