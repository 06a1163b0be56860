"""The Pareto set, of arrays and of a sweep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar import Result
from caviar.errors import NoResultError, SpecError
from caviar.results.open_sweep import open_sweep
from caviar.results.pareto import pareto_document
from caviar.results.statistics.pareto import pareto_set
from caviar.run.import_mapping import Asked
from caviar.run.import_sweep import import_trials, read_trials
from caviar.store import Store


def slow(costs):
    """By the definition."""
    return [not any((other <= one).all() and (other < one).any() for other in costs) for one in costs]


@given(
    costs=st.integers(2, 4).flatmap(
        lambda m: st.lists(st.lists(st.integers(0, 3), min_size=m, max_size=m), min_size=1, max_size=25)
    )
)
def test_it_is_the_set_by_its_definition_with_ties(costs):
    array = np.array(costs, np.float64)
    assert pareto_set(array).tolist() == slow(array)


@pytest.mark.parametrize("objectives", [2, 3, 5])
def test_of_many_points(objectives):
    costs = np.random.default_rng(objectives).normal(size=(300, objectives))
    assert pareto_set(costs).tolist() == slow(costs)
    ball = np.abs(costs) / np.linalg.norm(costs, axis=1)[:, None]
    assert pareto_set(-ball).all()


def test_of_none():
    assert pareto_set(np.zeros((0, 2))).tolist() == []


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    path = tmp_path_factory.mktemp("pareto") / "t.csv"
    rows = ["1,5,0.1", "2,4,0.2", "2,4,0.3", "3,3,0.4", "3,5,0.5", "nan,0,0.6", "0,,0.7", "0,inf,0.8", "9,1,0.9"]
    path.write_text("loss,lat,lr\n" + "\n".join(rows) + "\n")
    asked = Asked(params=("lr",), metric="loss")
    table = read_trials(path, asked, lambda _: None, ranges={}, steps=None, settings={"mode": "min"})
    store = Store.open(path.parent / "store", create=True)
    with open_sweep(store, store.find(import_trials(store, table, {})), print) as found:
        yield found


def test_ties_are_all_in_it_and_what_is_not_finite_is_not(opened):
    got = pareto_document(opened, ["loss", "lat:min"])
    assert [(one.trial, one.values) for one in got.trials] == [
        (0, (1.0, 5.0)),
        (1, (2.0, 4.0)),
        (2, (2.0, 4.0)),
        (3, (3.0, 3.0)),
        (8, (9.0, 1.0)),
    ]
    assert got.compared == 6
    assert [(one.metric, one.mode) for one in got.objectives] == [("loss", "min"), ("lat", "min")]
    assert "no other trial is as good in all of loss, lat and better in one" in got.rule


def test_modes_expressions_and_constraints(opened):
    got = pareto_document(opened, ["loss:max", "lat + loss:min", "lr:max"], where=["lr < 0.5"])
    points = {0: (1, 6, 0.1), 1: (2, 6, 0.2), 2: (2, 6, 0.3), 3: (3, 6, 0.4)}
    assert [one.trial for one in got.trials] == [3]
    assert got.trials[0].values == points[3]
    assert got.rule.endswith(", where lr < 0.5")


@pytest.mark.parametrize(
    ("objectives", "how", "words"),
    [
        (["loss"], {}, "two objectives or more"),
        (["loss", "lat"], {}, "small or large"),
        (["loss", "nope:min"], {}, "unknown name"),
        (["loss", "lat:min"], {"rule": "best"}, "add --rule last"),
        (["loss", "lat:min"], {"where": ["count(*) > 1"]}, "the function count"),
    ],
)
def test_what_is_none_is_a_sentence(opened, objectives, how, words):
    with pytest.raises(SpecError, match=words):
        pareto_document(opened, objectives, **how)


def test_nobody_left(opened):
    with pytest.raises(NoResultError, match="where lr > 5"):
        pareto_document(opened, ["loss", "lat:min"], where=["lr > 5"])


def test_in_python(opened):
    result = Result(opened.store.path)
    assert [one.trial for one in result.pareto("loss:min", "lat:min", where="lr > 0.35")] == [3, 8]
