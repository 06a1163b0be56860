"""A setting is declared once: `Sweep`, the plan, the store, `--set`, `caviar run` and its dry run follow from that."""

import json
import re
from typing import Any

import pytest

from caviar import Float, Sweep
from caviar.cli.verb_run import changes_of
from caviar.cli.verb_run import verb as run
from caviar.errors import SpecError
from caviar.spec.overrides import Typed
from caviar.spec.plan import Plan
from caviar.spec.settings import METRIC, SETTABLE, SETTINGS, Setting, Settings, settings_of

OTHER: dict[str, tuple[str, Any]] = {
    "switch": ("true", True),
    "whole": ("7", 7),
    "amount": ("2", 2),
    "seconds": ("9", 9),
}
"""Of each kind a value as it is typed, and as the plan has it."""
SPECIAL: dict[str, tuple[str, Any]] = {
    "name": ("other", "other"),
    "note": ("other", "other"),
    "sampler": ("random", "random"),
    "rounds": ("[9, 8]", (8,)),
    "repeats": ("10", 10),
    "searcher": ("local", "local"),
    "stopping": ("asha:eta=4", "asha:eta=4"),
    "env": ('["HOME"]', {"HOME": "env:HOME"}),
    "workdir": ("other", "other"),
    "files": ('["data/*.csv"]', ("data/*.csv",)),
    "tags": ('["other"]', ("other",)),
}


def train(config: dict[str, Any], trial: Any, epochs: int = 1) -> None: ...


def sweep(**given: Any) -> Sweep:
    return Sweep(train, {"x": Float(0.0, 1.0)}, "loss", **given)


def other(one: Setting) -> tuple[str, Any]:
    return (one.kind.among[-1],) * 2 if one.kind.among else SPECIAL.get(one.name) or OTHER[one.kind.name]


by_name = pytest.mark.parametrize("one", [one for one in SETTINGS.values() if one.by_name], ids=lambda one: one.name)


@by_name
def test_every_setting_reaches_the_plan_and_comes_back_from_the_store(one: Setting) -> None:
    typed, wanted = other(one)
    plan = sweep().override({one.name: Typed(typed)}).plan

    assert getattr(plan, one.name) == wanted
    assert getattr(plan, one.name) != getattr(sweep().plan, one.name)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize("one", [one for one in SETTINGS.values() if one.flag], ids=lambda one: one.name)
def test_every_flag_changes_its_setting(one: Setting) -> None:
    typed, wanted = other(one)
    values = [] if one.kind.name == "switch" else [wanted[0] if one.flag is not None and one.flag.repeated else typed]
    context = run.make_context("run", ["x.py", one.option, *values])
    changes = changes_of({"settings": (), **context.params})

    assert list(changes) == [one.name]
    assert getattr(sweep().override(changes).plan, one.name) == wanted


def test_what_is_not_given_changes_nothing() -> None:
    assert changes_of({"settings": (), **run.make_context("run", ["x.py"]).params}) == {}
    assert changes_of({"settings": (), **run.make_context("run", ["x.py", "--gpus", "0"]).params}) == {"gpus": 0}


@pytest.mark.parametrize("one", [one for one in SETTINGS.values() if one.kind.rule], ids=lambda one: one.name)
def test_every_rule_is_kept_and_told(one: Setting) -> None:
    with pytest.raises(SpecError, match=re.escape(f"{one.name} {one.kind.rule}, but got [3]")):
        sweep(**{one.name: [3]})


@pytest.mark.parametrize("one", [one for one in SETTINGS.values() if one.line], ids=lambda one: one.name)
def test_every_line_of_a_dry_run_can_be_said(one: Setting) -> None:
    assert one.line is not None
    assert one.line(sweep().override({one.name: Typed(other(one)[0])}).plan)


def test_every_field_is_a_setting_and_every_setting_is_described() -> None:
    assert set(SETTINGS) == {name for name in Settings.__dataclass_fields__ if name != "_"}
    assert set(SETTABLE) == {METRIC.name, *SETTINGS} - {"train_args", "guards"}
    for one in settings_of(Sweep).values():
        assert one.doc
        assert f"{one.name}: {one.doc[:40]}" in (Sweep.__doc__ or "")


def test_an_older_store_has_the_defaults() -> None:
    data = sweep().plan.to_json()
    for name in ("pausing", "stop_on_divergence", "keep_checkpoints", "searcher", "rounds", "all_tiers"):
        del data[name]

    assert Plan.from_json(data) == sweep().plan
    assert Plan.from_json(data | {"of_a_later_version": 1}) == sweep().plan
