"""Families: the plan of a child follows from stored rows alone, and the best is found over all of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from caviar.errors import NoResultError, NotFoundError, SpecError
from caviar.results.family import ancestors, best_of_family, children, family, twin_of
from caviar.results.next_sweep import next_round, zoom_into, zoom_plan
from caviar.search.samplers import List, make_sampler
from caviar.space import Constant, Float, Int, Space
from caviar.spec.plan import Plan
from caviar.spec.retested import Retested
from caviar.store import Store, SweepDir, Views, Writer
from caviar.store.finalize import finalize
from caviar_workers import tables

SPACE = Space({"lr": Float(1e-4, 1.0, "log"), "units": Int(50, 100), "eps": Constant(1e-8)})
HELD = {"eps": Float(1e-9, 1e-3, "log", tier=3, default=1e-8)}
PLAN = Plan(name="digits", metric="loss", mode="min", trials=20, seed=5, space=SPACE, held=HELD, rounds=(12, 6))


def add(store: Store, plan: Plan, ends: dict[int, tuple[str, float]], step: int = 3) -> SweepDir:
    """A finished sweep whose trials ended so: state, loss at that step."""
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    u = make_sampler("random", plan.space, plan.seed, plan.trials).points(0, plan.trials)
    fixed: dict[str, Any] = {"trial": range(len(u)), "seed": range(len(u)), "index": range(len(u)), "u": u.tolist()}
    schema = tables.configs_schema({name: one.kind for name, one in plan.space.items()})
    columns = fixed | plan.space.arrays(u)
    configs = pa.Table.from_arrays([pa.array(list(columns[f.name]), f.type) for f in schema], schema=schema)
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs)
        for trial, (state, loss) in ends.items():
            rows = {"trial": trial, "attempt": 0, "_seq": 0, "_start": 0, "step": step, "time": 0, "loss": loss}
            fields = tables.schema("curves").append(pa.field("loss", pa.float64()))
            writer.add("curves", pa.Table.from_pylist([rows], schema=fields))
            form = {f"{form}loss": loss for form in tables.METRIC_FORMS}
            fields = tables.schema("attempts")
            for name in form:
                fields = fields.append(pa.field(name, pa.float64()))
            diverged = not np.isfinite(loss)
            row = {"trial": trial, "attempt": 0, "state": state, "started": 0, "ended": 1, "rows": 1, "step": step}
            row |= {"start": 0, "diverged": diverged, **form}
            writer.add("attempts", pa.Table.from_pylist([row], schema=fields))
    finalize(sweep, epoch)
    return sweep


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store", create=True)


def losses(shift: float = 0.0) -> dict[int, tuple[str, float]]:
    found = {trial: ("COMPLETED", shift + (trial * 7 % 20) / 10) for trial in range(20)}
    return found | {0: ("FAILED", -9.0), 1: ("COMPLETED", float("nan"))}


def test_the_box_is_round_the_best_that_count(store: Store) -> None:
    sweep = add(store, PLAN, losses())
    zoom = zoom_into(store, sweep)
    ranked = sorted((trial for trial in range(2, 20)), key=lambda trial: losses()[trial][1])
    u = make_sampler("random", SPACE, 5, 20).points(0, 20)
    best = u[ranked[:5]]
    assert (zoom.top, zoom.of) == (5, 20)
    for j, name in enumerate(["lr", "units"]):
        box = zoom.changes[j].box
        assert box is not None, name
        room = (best[:, j].max() - best[:, j].min()) / 4
        expected = max(best[:, j].min() - room, 0.0)
        assert box.low == pytest.approx(expected, abs=0.02) or box.low < 0.0
    assert zoom_into(store, sweep) == zoom


def test_a_child_is_its_parent_but_for_what_a_zoom_changes(store: Store) -> None:
    sweep = add(store, replace(PLAN, sampler=List([{"lr": 0.1, "units": 60, "eps": 1e-8}], "halton")), losses())
    plan = Plan.from_json(sweep.description()["plan"])
    child = zoom_plan(plan, sweep.id, zoom_into(store, sweep), 24)
    assert (child.parent, child.trials, child.seed, child.rounds, child.round) == (sweep.id, 24, 6, (), 0)
    assert (child.name, child.metric, child.sampler) == ("digits-zoom", "loss", "halton")
    assert child.held == HELD
    assert Plan.from_json(child.to_json()) == child
    many = zoom_plan(plan, sweep.id, zoom_into(store, sweep), 25)
    assert many.held == {}
    assert many.space["eps"] == HELD["eps"]
    again = zoom_plan(zoom_plan(child, "x", zoom_into(store, sweep), 9), "y", zoom_into(store, sweep), 9)
    assert again.name == "digits-zoom3"


def test_rounds_follow_one_another(store: Store) -> None:
    sweep = add(store, PLAN, losses())
    second = next_round(store, sweep, PLAN)
    assert (second.trials, second.rounds, second.round, second.parent) == (12, (6,), 1, sweep.id)
    assert next_round(store, sweep, PLAN) == second
    third = next_round(store, add(store, second, {t: ("COMPLETED", float(t)) for t in range(12)}), second)
    assert (third.trials, third.rounds, third.round) == (6, (), 2)
    assert third.space["lr"].high - third.space["lr"].low < SPACE["lr"].high - SPACE["lr"].low  # type: ignore[union-attr]


def test_a_family_and_its_best(store: Store) -> None:
    parent = add(store, PLAN, losses())
    other = add(store, replace(PLAN, name="other"), losses(-5.0))
    child = add(store, replace(PLAN, parent=parent.id, relation="zoom"), losses(-0.35))
    grandchild = add(store, replace(PLAN, parent=child.id, relation="zoom"), losses(1.0))
    assert [one.id for one in family(store, grandchild)] == [parent.id, child.id, grandchild.id]
    assert family(store, parent) == family(store, child)
    assert [one.id for one in ancestors(store, grandchild)] == [grandchild.id, child.id, parent.id]
    assert [one.id for one in children(store, parent)] == [child.id]
    assert [one.id for one in family(store, other)] == [other.id]

    rule, best = best_of_family(store, family(store, parent), k=3)
    assert [(one.sweep.id, one.candidate.value) for one in best] == [
        (child.id, pytest.approx(-0.25)),
        (child.id, pytest.approx(-0.15)),
        (child.id, pytest.approx(-0.05)),
    ]
    assert rule == "last loss, 54 trials of 3 sweeps at step 3"
    with Views(store) as views:
        parents = dict(views.execute("SELECT sweep, parent FROM sweeps").fetchall())
    assert parents == {parent.id: None, other.id: None, child.id: parent.id, grandchild.id: child.id}

    store.remove(child)
    assert [one.id for one in family(store, grandchild)] == [grandchild.id]


@pytest.mark.parametrize("rule", ["last", "best"])
@pytest.mark.parametrize("k", [1, pytest.param(4, marks=pytest.mark.nightly)])
def test_the_words_of_a_family_are_of_all_that_were_compared(store: Store, rule: str, k: int) -> None:
    plan = replace(PLAN, trials=2, rounds=())
    parent = add(store, plan, {0: ("COMPLETED", 5.0), 1: ("COMPLETED", 6.0)}, step=2)
    child = add(
        store, replace(plan, parent=parent.id, relation="zoom"), {0: ("COMPLETED", 7.0), 1: ("COMPLETED", 8.0)}, step=4
    )
    words, _ = best_of_family(store, [parent, child], k=k, rule=rule)
    assert words == f"{rule} loss, 4 trials of 2 sweeps at their own ends, steps 2 to 4"
    words, _ = best_of_family(store, [parent], k=k, rule="last")
    assert words == "last loss, 2 trials of 1 sweep at step 2"


@pytest.mark.parametrize(("count", "words"), [(1, "1 trial of 1 sweep at"), (2, "2 trials of 1 sweep at")])
def test_one_of_a_kind_is_no_plural(store: Store, count: int, words: str) -> None:
    sweep = add(store, PLAN, dict.fromkeys(range(count), ("COMPLETED", 1.0)))
    assert words in best_of_family(store, [sweep], k=1)[0]


def test_only_what_was_zoomed_is_of_a_family_and_a_plan_of_before_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = add(store, PLAN, losses())
    retested = Retested(origins=((parent.id, 0),), seeds=tuple(range(PLAN.trials)), looks=(5,))
    add(store, replace(PLAN, parent=parent.id, relation="retest", retested=retested), losses())
    add(store, replace(PLAN, parent=parent.id, relation="fork"), losses())
    assert [one.id for one in family(store, parent)] == [parent.id]

    plan = replace(PLAN, parent=parent.id, relation="zoom")
    stored = {name: value for name, value in plan.to_json().items() if name != "relation"}
    assert Plan.from_json(stored) == plan
    monkeypatch.setattr(Plan, "to_json", lambda _: stored)  # as an earlier version did
    child = add(store, plan, losses())
    monkeypatch.undo()
    assert [one.id for one in children(store, parent)] == [child.id]
    twin = twin_of(store, plan)
    assert twin is not None
    assert twin.id == child.id
    assert twin_of(store, replace(plan, trials=7)) is None
    with pytest.raises(SpecError, match="a parent has a relation"):
        replace(PLAN, parent=parent.id)


def test_too_few_results_say_so(store: Store) -> None:
    sweep = add(store, PLAN, {0: ("COMPLETED", 1.0), 1: ("FAILED", 1.0), 2: ("COMPLETED", 2.0)})
    with pytest.raises(
        NoResultError, match=r"at least 3 trials with a usable loss, but sweep \S+ has 2: see caviar status"
    ):
        zoom_into(store, sweep)


@pytest.mark.parametrize("mode", ["min", pytest.param("max", marks=pytest.mark.nightly)])
@pytest.mark.parametrize("state", ["RUNNING", "LOST", "STOPPED", "CANCELLED"])
def test_over_a_family_too_completed_trials_go_before_all_others(store: Store, state: str, mode: Any) -> None:
    plan = replace(PLAN, mode=mode, trials=2, rounds=())
    parent = add(store, plan, {0: ("COMPLETED", 5.0), 1: ("COMPLETED", 6.0)})
    better = {"min": -1.0, "max": 9.0}[mode]
    child = add(store, replace(plan, parent=parent.id, relation="zoom"), {0: (state, better), 1: (state, better)})
    rule, best = best_of_family(store, [child, parent], k=9)
    assert [(one.sweep.id, one.candidate.state) for one in best] == [(parent.id, "COMPLETED")] * 2
    assert "2 trials of 2 sweeps" in rule
    neither = add(store, replace(plan, parent=parent.id, relation="zoom"), {0: (state, 5.0), 1: (state, 6.0)})
    _, best = best_of_family(store, [child, neither], k=1)
    assert best[0].sweep.id == child.id


def test_ties_go_to_the_older_sweep_in_whatever_order_they_are_given(store: Store) -> None:
    sweeps = [add(store, replace(PLAN, trials=1, rounds=()), {0: ("COMPLETED", 1.0)}) for _ in range(3)]
    for order in (sweeps, sweeps[::-1], [sweeps[1], sweeps[2], sweeps[0]]):
        assert best_of_family(store, order, k=1)[1][0].sweep.id == sweeps[0].id


def test_a_sweep_without_a_value_yet_hides_none_of_its_family(store: Store) -> None:
    plan = replace(PLAN, trials=1, rounds=())
    whole = add(store, plan, {0: ("COMPLETED", 1.0)})
    other = add(store, replace(plan, metric="other"), {0: ("RUNNING", 0.5)})  # what it reports is not its metric
    wrong = add(store, replace(plan, metric="another"), {0: ("COMPLETED", 0.5)})
    for order in ([whole, other, wrong], [whole, wrong], [whole, other]):
        assert [one.sweep.id for one in best_of_family(store, order, k=2)[1]] == [whole.id]
    assert best_of_family(store, [other], k=2)[1] == ()
    with pytest.raises(NotFoundError, match="no reports of the metric 'another'"):
        best_of_family(store, [wrong], k=1)


def test_where_too_few_completed_a_zoom_looks_at_all_that_ended(store: Store) -> None:
    ends = {trial: ("STOPPED", float(trial)) for trial in range(20)} | {19: ("COMPLETED", 0.5), 18: ("FAILED", -1.0)}
    zoom = zoom_into(store, add(store, PLAN, ends))
    u = make_sampler("random", SPACE, 5, 20).points(0, 20)
    box = zoom.changes[0].box
    best = u[[0, 19, 1, 2, 3], 0]
    assert zoom.top == 5
    assert box is not None
    assert box.low <= best.min()
    assert box.high >= best.max()
