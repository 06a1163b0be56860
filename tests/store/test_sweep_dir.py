"""What readers take from a stored plan: of every age, each value of its kind."""

from dataclasses import fields

from caviar import Float, Sweep
from caviar.spec.plan import Plan
from caviar.store.sweep_dir import StoredPlan, stored_plan
from caviar.store.untrusted_json import _PLAN


def test_it_says_what_the_plan_says():
    plan = Sweep(print, {"x": Float(0.1, 1.0)}, "loss", mode="max", trials=7, tags=["a"], pausing=True).plan
    stored = stored_plan(plan.to_json())

    shared = {item.name for item in fields(StoredPlan)} - {"space", "held", "tags"}
    assert {name: getattr(stored, name) for name in shared} == {name: getattr(plan, name) for name in shared}
    assert (list(stored.parameters), list(stored.tags), stored.held) == (["x"], ["a"], {})


def test_every_value_that_readers_take_is_of_a_kind_that_was_checked():
    assert {item.name for item in fields(StoredPlan)} <= set(_PLAN)
    assert {item.name for item in fields(StoredPlan)} <= {item.name for item in fields(Plan)}


def test_an_older_plan_has_the_defaults_and_a_later_one_may_say_more():
    stored = stored_plan({"metric": "loss", "trials": 3, "name": None, "of_a_later_version": 1})

    assert stored == StoredPlan(metric="loss", trials=3)
    assert (stored.name, stored.mode, stored.rule, stored.relation) == ("", "min", "last", "zoom")
