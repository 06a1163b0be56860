"""Expressions that rank, constraints, and repeats, compared with plain Python over the same rows."""

import math
from pathlib import Path

import numpy as np
import pytest

from caviar import Result
from caviar.errors import NoResultError, SpecError
from caviar.results.best import best_document
from caviar.results.open_sweep import open_sweep
from caviar.results.repeats import may_repeat
from caviar.results.selector import Wish, select
from caviar.run.import_mapping import Asked
from caviar.run.import_sweep import import_trials, read_trials
from caviar.store import Store, Views

TRIALS, STEPS = 30, 8
SMOOTHED = 5


def rows_of(rng):
    """Trial → rows (step, loss, lat, acc), some metrics missing in some rows, NaN and infinite in some."""
    rows = {}
    for trial in range(TRIALS):
        found = []
        for step in range(int(rng.integers(1, STEPS))):
            loss = float(rng.choice([*rng.normal(size=6).round(2), math.nan])) if rng.random() < 0.9 else None
            lat = float(rng.choice([*rng.integers(0, 4, 6), math.inf, math.nan])) if rng.random() < 0.5 else None
            found.append((step, loss, lat, float(rng.normal())))
        rows[trial] = found
    return rows


@pytest.fixture(scope="module", params=[0, 1])
def made(request, tmp_path_factory):
    """A store with an imported sweep, what its trials reported, and their configurations."""
    rng = np.random.default_rng(request.param)
    rows = rows_of(rng)
    configs = {trial: (float(rng.choice([0.1, 0.2])), str(rng.choice(["a", "b"]))) for trial in rows}
    path = tmp_path_factory.mktemp("made") / "t.csv"
    cells = ((trial, *configs[trial], *row) for trial, its in rows.items() for row in its)
    lines = [",".join("" if cell is None else repr(cell).strip("'") for cell in row) for row in cells]
    path.write_text("\n".join(["trial,lr,opt,step,loss,lat,acc", *lines]) + "\n")
    return (*store_of(path), rows, configs)


def store_of(path: Path, params=("lr", "opt"), **ranges):
    table = read_trials(
        path,
        Asked(params=params, metric="loss"),
        lambda _: None,
        ranges=ranges,
        steps=None,
        settings={"mode": "min"},
    )
    store = Store.open(path.parent / "store", create=True)
    return store, store.find(import_trials(store, table, {}))


def filled(rows):
    """Rows with the newest value of each metric, as far as there is one."""
    newest = {"loss": None, "lat": None, "acc": None}
    found = []
    for step, *values in rows:
        newest |= {name: one for name, one in zip(newest, values, strict=True) if one is not None}
        found.append((step, dict(newest)))
    return found


def expected(rows, configs, rule, at_step, measure, holds, *, mode="min"):
    """Trial → value, by the rules in words."""
    found = {}
    for trial, its in rows.items():
        reported = [value for _, value, *_ in its if value is not None]
        if any(not math.isfinite(value) for value in reported) or not reported:
            continue  # it diverged, or failed
        places = [place for place, row in enumerate(its) if at_step is None or row[0] <= at_step]
        part = [filled(its)[place] for place in places]
        if at_step is not None and max(step for step, *_ in its) < at_step:
            continue
        new = [any(its[place][one] is not None for one in measure.metrics) for place in places]
        valued = [
            (value, row)
            for row, its_own in zip(part, new, strict=True)
            if its_own and (value := measure(row[1], configs[trial])) is not None
        ]
        if not valued:
            continue
        values = [value for value, _ in valued]
        if rule == "last":
            value, at = valued[-1]
        elif rule == "best":
            if not all(map(math.isfinite, values)):
                continue
            value, at = min(valued, key=lambda one: one[0] if mode == "min" else -one[0])
        else:
            tail = values[-SMOOTHED:]
            value, at = sum(sorted(tail)) / len(tail), valued[-1][1]
        if rule != "best":
            at = part[-1]
        if math.isfinite(value) and holds(at[1], configs[trial]):
            found[trial] = value
    return found


def loss(row, _):
    return row["loss"]


loss.metrics = (1,)


def cost(row, config):
    """loss + 0.5 * lat * lr, where both are known."""
    if row["loss"] is None or row["lat"] is None:
        return None
    if not math.isfinite(row["loss"]) or not math.isfinite(row["lat"]):
        return math.nan
    return row["loss"] + 0.5 * row["lat"] * config[0]


cost.metrics = (1, 2)
MEASURES = {None: loss, "loss + 0.5 * lat * lr": cost}
HOLDS = {
    (): lambda row, config: True,
    ("opt = 'a'",): lambda row, config: config[1] == "a",
    ("lat <= 2", "lr > 0.15"): lambda row, config: row["lat"] is not None and row["lat"] <= 2 and config[0] > 0.15,
    ("lat >= 1",): lambda row, config: row["lat"] is not None and row["lat"] >= 1,
    ("acc > 0",): lambda row, config: row["acc"] > 0,
}


@pytest.mark.parametrize("where", HOLDS)
@pytest.mark.parametrize("metric", MEASURES)
@pytest.mark.parametrize("at_step", [None, 2])
@pytest.mark.parametrize("rule", ["last", "best", "smoothed"])
def test_the_ranking_is_that_of_plain_python(made, rule, at_step, metric, where):
    store, sweep, rows, configs = made
    with Views(store, [sweep]) as views:
        wish = Wish(metric=metric, where=where)
        got = select(views, sweep.description(), k=99, rule=rule, at_step=at_step, wish=wish)
    want = expected(rows, configs, rule, at_step, MEASURES[metric], HOLDS[where])
    assert {row.trial: row.value for row in got.rows} == pytest.approx(want)
    assert [row.value for row in got.rows] == sorted(row.value for row in got.rows)
    assert got.compared == len(want)
    assert all(f"{one}" in got.rule for one in where)


def acc(row, _):
    return row["acc"]


acc.metrics = (3,)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("rule", ["last", "best", "smoothed"])
def test_another_metric_is_judged_by_the_mode_that_was_wished(made, rule, mode):
    """The summaries of trials know a best value by the sweep's mode only."""
    store, sweep, rows, configs = made
    with Views(store, [sweep]) as views:
        got = select(views, sweep.description(), k=99, rule=rule, wish=Wish(metric="acc", mode=mode))
        own = select(views, sweep.description(), k=99, rule=rule, wish=Wish(mode=mode))
    for found, measure in ((got, acc), (own, loss)):
        want = expected(rows, configs, rule, None, measure, HOLDS[()], mode=mode)
        assert {row.trial: row.value for row in found.rows} == pytest.approx(want)
        values = [row.value for row in found.rows]
        assert values == sorted(values, reverse=mode == "max")


@pytest.mark.parametrize("where", HOLDS)
@pytest.mark.parametrize("rule", ["last", "best"])
def test_repeats_are_one_row_with_their_mean(made, rule, where):
    store, sweep, rows, configs = made
    assert may_repeat(sweep.description())
    diverged = {
        configs[trial] for trial, its in rows.items() if any(v is not None and math.isnan(v) for _, v, *_ in its)
    }
    want = expected(rows, configs, rule, None, loss, HOLDS[where])
    groups = {}
    for trial, value in want.items():
        groups.setdefault(configs[trial], {})[trial] = value
    holding = {configs[trial] for trial in rows if HOLDS[where](filled(rows[trial])[-1][1], configs[trial])}
    with Views(store, [sweep]) as views:
        got = select(views, sweep.description(), k=99, rule=rule, wish=Wish(where=where, repeats=True))
    kept = {config: its for config, its in groups.items() if config not in diverged}
    if where in [(), ("opt = 'a'",)]:  # of those that hold for a whole configuration
        assert {tuple(row.config.values()) for row in got.rows} == set(kept) & holding
    for row in got.rows:
        its = groups[tuple(row.config.values())]
        assert row.value == pytest.approx(sum(its.values()) / len(its))
        assert row.n == len(its)
        assert row.trial == min(its)
        assert row.trials == (tuple(sorted(its)) if len(its) > 1 else ())
        assert row.sd == (pytest.approx(float(np.std(list(its.values()), ddof=1))) if len(its) > 1 else None)


def seeds(tmp_path, lines):
    (tmp_path / "t.csv").write_text("lr,seed,loss\n" + "\n".join(lines) + "\n")
    return store_of(tmp_path / "t.csv", params=("lr",))


def test_what_is_said_of_repeats_and_of_luck(tmp_path):
    store, sweep = seeds(tmp_path, [f"{lr},{seed},{lr + seed / 10}" for lr in (1, 2, 3) for seed in range(4)])
    with open_sweep(store, sweep, print) as opened:
        document = best_document(opened)
    best = document.trials[0]
    assert (best.trial, best.value, best.n, best.trials) == (0, pytest.approx(1.15), 4, (0, 1, 2, 3))
    assert best.sd == pytest.approx(np.std([0, 0.1, 0.2, 0.3], ddof=1))
    assert document.rule.startswith(
        "mean over the seeds of a configuration of last loss, 12 completed trials at step 0"
    )
    assert document.luck.startswith("mean of 4 trainings: the best of 12")
    assert document.compared == 12


def test_a_configuration_of_which_a_repeat_diverged_never_wins(tmp_path):
    store, sweep = seeds(tmp_path, ["1,0,0.1", "1,1,nan", "2,0,0.5", "2,1,0.7", "3,0,0.9", "3,1,"])
    with open_sweep(store, sweep, print) as opened:
        document = best_document(opened)
    assert [(row.trial, row.value, row.n) for row in document.trials] == [(2, pytest.approx(0.6), 2), (4, 0.9, 1)]


def test_without_repeats_a_single_training_is_said_to_be_lucky(tmp_path):
    store, sweep = seeds(tmp_path, [f"{0.001 * i},0,{i}" for i in range(1, 65)])
    assert not may_repeat(sweep.description())
    with open_sweep(store, sweep, print) as opened:
        luck = best_document(opened).luck
    assert luck == "one training: the best of 64 is lucky, by 1 to 2 standard deviations between seeds"


PLAN = {"metric": "loss", "trials": 64, "space": {"parameters": {}}}


@pytest.mark.parametrize(
    ("parameters", "changes", "may"),
    [
        ({"a": {"type": "float", "low": 0, "high": 1}}, {}, False),
        ({"a": {"type": "float", "low": 0, "high": 1}}, {"sampler": {"name": "list", "configs": [{}, {}]}}, True),
        ({"a": {"type": "float", "low": 0, "high": 1}}, {"sampler": {"name": "list", "configs": [{}]}}, False),
        ({"a": {"type": "float", "low": 0, "high": 1, "step": 0.25}}, {}, True),
        ({"a": {"type": "choice", "options": [1, 2]}, "b": {"type": "constant", "value": 3}}, {}, True),
        ({"a": {"type": "int", "low": 1, "high": 100}}, {}, True),
        ({"a": {"type": "int", "low": 1, "high": 10**9}}, {}, False),
        ({"a": {"type": "int", "low": 1, "high": 10**9}}, {"searcher": "local"}, True),
        ({"a": {"type": "int", "low": "x", "high": 10**9}}, {}, False),
        ({"a": {"type": "odd"}}, {}, False),
    ],
)
def test_who_may_repeat(parameters, changes, may):
    plan = {**PLAN, "space": {"parameters": parameters}, **changes}
    assert may_repeat({"plan": plan, "provenance": {}}) is may


def test_what_cannot_be_ranked_is_a_sentence(made):
    store, sweep, *_ = made
    result = Result(store.path, sweep.id)
    for words, said in (
        ({"metric": "acc"}, "small or large"),
        ({"metric": "lr", "mode": "min"}, "names no metric"),
        ({"metric": "nope"}, "unknown name 'nope'"),
        ({"metric": "loss + (select 1)"}, "a subquery"),
        ({"metric": "loss + opt"}, "cannot be computed"),
        ({"metric": "loss", "mode": "least"}, "a mode is min or max"),
        ({"where": "sum(loss) > 1"}, "the function sum"),
        ({"where": ["lr > 0", "opt > interval 1 day"]}, "the expression"),
    ):
        with pytest.raises(SpecError, match=said):
            result.select(**words)
    assert result.select(where="lr > 5").rows == ()
    with open_sweep(store, sweep, print) as opened, pytest.raises(NoResultError, match="usable loss and lr > 5"):
        best_document(opened, where=["lr > 5"])


def test_what_fails_for_one_trial_hides_no_other(made):
    store, sweep, *_ = made
    with Views(store, [sweep]) as views:
        for metric in ("loss + sqrt(loss) * 0", "loss + pow(loss, 0.5) * 0", "loss + ln(loss) * 0"):
            got = select(views, sweep.description(), k=99, wish=Wish(metric=metric))
            assert got.rows
            assert all(row.value >= 0 for row in got.rows)
