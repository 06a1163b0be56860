import json

import pytest

from caviar.store import Store

from ..formula_sweeps import add_formula, errors, make_plan


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    path = tmp_path_factory.mktemp("pair") / "store"
    store = Store.open(path, create=True)
    add_formula(store, make_plan(64, name="wide"), lambda c, rng: errors(c, rng) + 0.15)
    add_formula(store, make_plan(64, name="narrow", seed=5))
    return str(path)


def test_the_verdict_is_a_line_and_so_is_what_could_have_been_seen(caviar, pair):
    got = caviar("compare", "wide", "narrow", "--store", pair)
    assert got.code == 0
    assert got.lines[0].startswith("wide (")
    assert "mean best of 16: " in got.lines[1]
    assert got.lines[5].startswith("narrow (")
    assert "searched the better space: two sweeps of one space differ as much with p = 0.00" in got.lines[5]
    assert got.lines[6].endswith("in all trials shows in 8 of 10")
    document = json.loads(caviar("compare", "wide", "narrow", "--store", pair, "--json").out)
    assert (document["verdict"], document["first"]["name"]) == ("second", "wide")


def test_it_needs_two_sweeps(caviar, pair):
    assert caviar("compare", "wide", "--store", pair).code == 2
    got = caviar("compare", "wide", "wide", "--store", pair)
    assert (got.code, "with itself" in got.err) == (2, True)
