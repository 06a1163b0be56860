"""The diary of a trial, out of a store that a stranger wrote."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from caviar.results.diary import diary_document, schedule_code
from caviar.results.json_form import as_json
from caviar.results.open_sweep import open_sweep
from caviar.results.report.acts import acts_document
from caviar.store import Store, Writer
from caviar_workers.schedule import config_at, schedule_of

from ..small_stores import attempt_row, configs, curve, decision, make_plan

HOSTILE: tuple[dict[str, Any], ...] = (
    {"set": {"lr": "x"}, "old": [1], "over": "a", "who": 3, "why": ["\x1b"], "before": 7},
    {"set": {"lr": math.nan, "beta": math.inf}, "old": {"lr": {}}, "over": -5},
    {"set": {"lr": "x"}, "over": 5, "scales": {"lr": ["log"]}},
    {"set": {"new'; import os": 1, "lr": -1}, "over": 5, "scales": {"lr": "log"}},
    {"set": {"lr": 0.5}, "old": {}, "over": 2**63, "at_step": 2**63 + 5},
    {"set": {"units": 1e308}, "over": True, "at_step": "x", "scales": "log"},
)


@pytest.mark.parametrize("numbers", HOSTILE)
def test_what_a_stranger_decided_is_told_and_its_code_runs(tmp_path: Path, numbers: dict[str, Any]) -> None:
    store = Store.open(tmp_path / "store", create=True)
    plan = make_plan("theirs", 1)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    acts = ("edit", numbers), ("applied", {"edit": 0}), ("unread", {"names": 3}), ("note", {"text": [1]})
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 1))
        writer.add("curves", curve(0))
        for n, (action, said) in enumerate((*acts, ("edit", numbers), ("applied", {"edit": {}}))):
            step = None if n == 5 else 5
            row = decision(n, 0, action, decided_by="user", step=step, numbers=json.dumps(said))
            writer.add("decisions", row)
        writer.add("attempts", attempt_row(0, "COMPLETED"))
    sweep.release(epoch)

    with open_sweep(store, sweep, str) as opened:
        document, code = diary_document(opened, 0), schedule_code(opened, 0)
        opened.rows("SELECT * FROM schedule")
        told = acts_document(opened)
    json.dumps(told)
    assert {row[2].split()[-1] for row in told["rows"]} <= {"edit", "ramp", "unread", "note"}
    json.dumps(as_json(document))
    assert [entry.action for entry in document.entries] == ["edit", "unread", "note", "edit"]
    assert all(type(entry.over) is int and entry.over >= 0 for entry in document.entries)
    module: dict[str, Any] = {}
    exec(code, module)
    decided = [{"n": 0, "action": "edit", "step": 5, "numbers": numbers}]
    changes = schedule_of([*decided, {"n": 1, "action": "applied", "step": 5, "numbers": {"edit": 0}}])
    for step in range(5, 9):
        assert module["config_at"](step) == pytest.approx(config_at(document.first, changes, step))
