"""The trials that run, as a page that is kept up lists them."""

import pytest

from caviar.display.numbers import number
from caviar.results.open_sweep import open_sweep
from caviar.results.report import running
from caviar.results.report.running import running_document
from caviar.results.report.trial_rows import trial_rows
from caviar.store import Writer

from ...small_stores import attempt_row, configs, curve, make_plan, value
from ..conftest import say_nothing


@pytest.fixture
def told(store):
    """Trials 0 and 1 run and have reported, 2 has not, 3 has ended."""
    plan = make_plan("live", 4)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()

    def document():
        with open_sweep(store, sweep, say_nothing) as opened:
            return running_document(opened, trial_rows(opened))

    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 4))
        assert document() == []
        for trial, steps in ((0, 12), (1, 1), (2, 0)):
            writer.add("attempts", attempt_row(trial, "RUNNING", steps=steps, ended=None, busy=None))
            writer.add("curves", curve(trial, steps=steps))
        writer.add("curves", curve(3))
        writer.add("attempts", attempt_row(3, "COMPLETED"))
        writer.flush()
        yield document
    sweep.release(epoch)


def test_each_is_told_with_its_last_report_the_newest_first(told):
    first, second, silent = told()
    assert (first["trial"], first["step"], first["value"]) == (0, 11, value(0, 11))
    assert first["cells"] == ["t0", number(value(0, 11)), "step 11", "0.1s a report"]
    assert (second["trial"], second["step"], second["cells"][3]) == (1, 0, "")
    assert (silent["trial"], silent["step"], silent["cells"]) == (2, None, ["t2", "–", "–", ""])


def test_of_very_many_the_newest_are_told(told, monkeypatch):
    monkeypatch.setattr(running, "MOST", 1)
    assert [one["trial"] for one in told()] == [0]
