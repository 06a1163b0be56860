"""Trials that were edited are no evidence about the configurations that they began with."""

import pytest
from tests.formula_sweeps import add_formula, make_plan

from caviar.errors import NoResultError
from caviar.results.decisions import decisions_document
from caviar.results.edited import edited_trials, left_out
from caviar.results.next_sweep import zoom_into
from caviar.results.open_sweep import open_sweep
from caviar.results.report.document import sweep_payload
from caviar.results.retest_plan import first_look
from caviar.results.selector import select
from caviar.results.understand_data import sweep_data
from caviar.run.acts import note_trial
from caviar.run.engine.decision_log import Decision, DecisionLog
from caviar.run.replay_curves import curves_of
from caviar.store import Store, Views, Writer
from caviar.store.finalize import finalize


@pytest.fixture
def edited(tmp_path):
    """A finished sweep whose best trial was edited."""
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.find(add_formula(store, make_plan(8)))
    with open_sweep(store, sweep, print) as opened:
        best = select(opened.views, sweep.description(), k=1).rows[0].trial
    epoch = sweep.claim()
    numbers = {"set": {"lr": 0.5}, "old": {"lr": 0.1}, "who": "ann@box", "why": "plateau"}
    with Writer(sweep, epoch) as writer:
        log = DecisionLog(writer, 0, lambda: 0.0)
        log.publish([Decision(action="edit", by="user", trial=best, step=5, numbers=numbers)])
        log.publish([Decision(action="applied", by="trial", trial=best, step=6, numbers={"edit": 0})])
    finalize(sweep, epoch)
    return store, sweep.again(), best


def test_zoom_importance_retest_and_simulation_leave_it_out_and_the_best_stays(edited):
    store, sweep, best = edited
    with open_sweep(store, sweep, print) as opened:
        assert edited_trials(opened.views) == {best}
        data = sweep_data(opened)
        assert best not in data.trials
        assert data.left_out == {"edited while training": 1}
        assert len(curves_of(opened.views, sweep.description(), "s").trials) == 7
        assert select(opened.views, sweep.description(), k=1).rows[0].trial == best
    assert zoom_into(store, sweep).of == 7
    assert best not in [trial for _, trial in first_look(store, sweep, k=3, repeats=5).retested.origins]
    assert left_out([best]) == "1 trial left out, for having been edited while training, or forked"
    assert left_out([]) == ""


def test_the_report_says_where_the_winner_s_configuration_is(edited):
    store, sweep, best = edited
    with open_sweep(store, sweep, print) as opened:
        told = sweep_payload(opened).head["documents"]["trust"]
    (one,) = [one for one in told if one["kind"] == "edited"]
    assert one["text"].startswith(f"t{best} was edited while it trained")
    assert one["command"] == f"caviar diary {sweep.id} {best} --as-code"


def test_a_sweep_of_pandas_alone_has_no_box_to_zoom_into(edited):
    store, sweep, _ = edited
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        decisions = [
            Decision(action="edit", by="user", trial=trial, numbers={"set": {"lr": 0.5}}) for trial in range(8)
        ]
        DecisionLog(writer, 2, lambda: 0.0).publish(decisions)
    finalize(sweep, epoch)
    with pytest.raises(NoResultError, match="8 trials left out, for having been edited"):
        zoom_into(store, sweep.again())


def test_explain_says_what_was_done(edited):
    store, sweep, best = edited
    note_trial(store, sweep, best, "well", say=print)
    with open_sweep(store, sweep.again(), print) as opened:
        said = [one["sentence"] for one in decisions_document(opened, best).decisions]
    assert said[:2] == ["was edited at step 5 by ann@box: lr 0.1 → 0.5 (plateau)", "took edit 0 after step 6"]
    assert said[2].endswith(": well")


def test_the_view_schedule_has_what_holds_and_is_empty_where_nothing_was_edited(edited, tmp_path):
    store, sweep, best = edited
    plain = store.find(add_formula(store, make_plan(4, name="plain")))
    columns = "trial, parameter, old_value, new_value, step, ramp, taken, decision, who, why"
    with Views(store) as views:
        found = views.execute(f"SELECT sweep, {columns} FROM schedule").fetchall()
        assert found == [(sweep.id, best, "lr", "0.1", "0.5", 6, 0, True, 0, "ann@box", "plateau")]
    with Views(store, [plain]) as views:
        assert views.execute("SELECT * FROM schedule").fetchall() == []


def test_decisions_of_strangers_are_no_schedule_that_breaks_a_view(tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.find(add_formula(store, make_plan(2)))
    epoch = sweep.claim()
    odd = [
        {"set": [1]},
        {"set": {"lr": 1}, "over": "9"},
        {"set": {"l'r": {"a": "x'y"}}, "why": "'); DROP VIEW trials; --"},
    ]
    with Writer(sweep, epoch) as writer:
        made = [Decision(action="edit", by="user", trial=0, step=1, numbers=numbers) for numbers in odd]
        made += [Decision(action="applied", by="trial", trial=0, step=3, numbers={"edit": [2]})]
        DecisionLog(writer, 0, lambda: 0.0).publish(made)
    finalize(sweep, epoch)
    with Views(store) as views:
        found = views.execute("SELECT parameter, new_value, why FROM schedule").fetchall()
    assert found[0] == ("lr", "1", None), "without a ramp that is none"
    assert found[1:] == [("l'r", '{"a": "x\'y"}', "'); DROP VIEW trials; --")]
