import json
from types import SimpleNamespace

import pytest

from caviar.cli import verb_logs
from caviar.store import Store, Writer

from ..small_stores import add_interrupted, add_paused, configs, make_plan


def logs(caviar, filled, *args):
    return caviar("logs", *args, "--sweep", "digits", "--store", filled.path)


def test_what_a_trial_printed_comes_as_it_was_without_what_steers_a_terminal(caviar, filled):
    got = logs(caviar, filled, "2")
    assert (got.code, got.out) == (0, "loading\nepoch 0 done red\n")


def test_only_one_stream_can_be_asked_for(caviar, filled):
    got = logs(caviar, filled, "2", "--stream", "err")
    assert (got.code, got.out) == (0, "")
    assert got.err == f"trial 2 of digits ({filled.digits}), COMPLETED, printed nothing to stderr\n"


def test_a_silent_trial_is_said_to_be_silent(caviar, filled):
    got = logs(caviar, filled, "1")
    assert (got.code, got.out) == (0, "")
    assert got.err == f"trial 1 of digits ({filled.digits}), COMPLETED, printed nothing\n"
    waiting = caviar("logs", "later", "2", "--store", filled.path)
    assert waiting.err == f"trial 2 of later ({filled.later}), LOST, printed nothing\n"
    assert json.loads(logs(caviar, filled, "1", "--json").out)["output"] == []


def test_json_has_every_piece_with_its_attempt_and_stream(caviar, filled):
    document = json.loads(logs(caviar, filled, "2", "--json").out)
    assert [(piece["attempt"], piece["piece"], piece["stream"]) for piece in document["output"]] == [
        (0, 0, "out"),
        (0, 1, "out"),
    ]
    assert document["state"] == "COMPLETED"


def test_following_a_trial_that_has_ended_ends_too(caviar, filled):
    assert logs(caviar, filled, "2", "--follow").code == 0


def test_a_trial_that_is_not_there_is_one_sentence(caviar, filled):
    got = logs(caviar, filled, "999")
    assert got.code == 4
    assert got.err.count("\n") == 1


def add_waiting(store):
    """A sweep whose driver is gone before it began a trial that it had drawn."""
    plan = make_plan("waiting", 4)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 4))
    sweep.release(epoch)
    return sweep.id


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("add", "trial", "state"), [(add_waiting, 2, "PENDING"), (add_paused, 1, "PAUSED"), (add_interrupted, 2, "LOST")]
)
def test_following_ends_where_nobody_runs_the_sweep(caviar, tmp_path, monkeypatch, add, trial, state):
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.find(add(store))
    at = ("--store", str(store.path))
    resume = f"it goes on with: caviar resume --store {store.path} {sweep.id}\n"
    assert json.loads(caviar("logs", str(trial), "--json", *at).out)["state"] == state
    got = caviar("logs", str(trial), "-f", *at)
    assert got.code == 0
    assert got.err.endswith(f"sweep {sweep.id} is not running, so trial {trial} prints no more; {resume}")
    assert "it goes on" not in caviar("logs", str(trial), *at).err

    epoch = sweep.claim()  # now somebody does, until it has been waited once
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            sweep.release(epoch)

    monkeypatch.setattr(verb_logs, "time", SimpleNamespace(sleep=sleep))
    got = caviar("logs", str(trial), "-f", *at)
    assert (got.code, len(waited)) == (0, 3)
    assert got.err.endswith(resume)
