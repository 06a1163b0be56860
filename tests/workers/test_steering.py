"""A configuration changes while its trial trains: at a report, in the object that train was given, and never in a
trial that is told to end.
"""

import copy
import json
import pickle
from dataclasses import dataclass

import pytest

from caviar_workers.checkpoint import Checkpoint
from caviar_workers.config_form import form_of, nested
from caviar_workers.inbox import Inbox
from caviar_workers.live_config import LiveConfig, is_unread, live, watch
from caviar_workers.messages import Lease, Message
from caviar_workers.schedule import Change
from caviar_workers.states import Action
from caviar_workers.trial import Trial, TrialInterrupted


def change(decision, after, settled=False, **values):
    return Change(decision=decision, after=after, values=values, settled=settled)


class Told:
    """One trial of a lease, its inbox, and what it told."""

    def __init__(self, form=nested, changes=(), saved=None, live=(), **config):
        columns = {name: (value,) for name, value in (config or {"lr": 1.0}).items()}
        self.lease = Lease(
            id=0,
            sweep="s",
            metric="loss",
            trials=(3,),
            attempts=(0,),
            seeds=(1,),
            configs=columns,
            live=frozenset(live),
            changes={3: changes} if changes else {},
        )
        self.applied = []
        self.inbox = Inbox(self.lease, self.applied.append)
        self.trial = Trial(sweep="s", number=3, attempt=0, seed=1)
        if saved is not None:
            self.trial.restore(Checkpoint(saved, b""))
        self.inbox.begin(self.trial)
        self.config = self.inbox.configure(self.trial, self.lease.config(0), form)

    def hear(self, *changes, action=Action.EDIT, attempt=0, decision=None):
        number = max(one.decision for one in changes) if decision is None else decision
        message = Message(trial=3, attempt=attempt, action=action, decision=number, changes=changes)
        self.inbox.hear([message])

    @property
    def taken(self):
        return [(one.decision, one.step) for one in self.applied]


def test_an_edit_is_taken_at_the_next_report_in_the_object_that_train_has():
    told = Told()
    assert told.config is told.trial.config
    told.trial.report(0, loss=1.0)
    told.hear(change(5, 0, lr=0.5))
    assert told.config == {"lr": 1.0}
    told.trial.report(1, loss=1.0)
    assert told.config == {"lr": 0.5}
    assert told.trial.changed == {"lr": 0.5}
    assert told.taken == [(5, 1)]
    told.trial.report(2, loss=1.0)
    assert told.trial.changed == {}
    assert told.trial.count == 3


def test_what_is_resent_or_older_or_for_another_attempt_does_nothing():
    told = Told()
    told.hear(change(5, 0, lr=0.5), change(7, 0, lr=0.25))
    told.trial.report(1, loss=1.0)
    told.hear(change(5, 0, lr=0.5))
    told.hear(change(7, 0, lr=0.25))
    told.hear(change(9, 0, lr=0.9), attempt=1)
    told.trial.report(2, loss=1.0)
    assert (told.config["lr"], told.taken) == (0.25, [(5, 1), (7, 1)])


def test_a_ramp_and_an_edit_ahead_come_at_their_steps():
    ramp = Change(decision=1, after=0, values={"lr": 0.0}, over=4, scales={"lr": "linear"})
    told = Told()
    told.hear(ramp, change(2, 8, lr=9.0))
    seen = []
    for step in range(11):
        told.trial.report(step, loss=0.0)
        seen.append(told.config["lr"])
    assert seen == [0.75, 0.5, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 9.0, 9.0]
    assert told.taken == [(1, 0), (2, 8)]


def test_an_attempt_that_goes_on_begins_with_what_held_at_its_checkpoint_and_replays_the_rest():
    known = (change(1, 3, True, lr=0.5), change(2, 7, True, lr=0.25), change(4, 6, lr=0.1, units=7))
    told = Told(changes=known, saved=5, lr=1.0, units=1)
    assert told.config == {"lr": 0.5, "units": 1}
    seen = []
    for step in range(6, 9):
        told.trial.report(step, loss=0.0)
        seen.append((told.config["lr"], told.config["units"]))
    assert seen == [(0.1, 7), (0.25, 7), (0.25, 7)]
    assert told.taken == [(4, 6)]


def test_a_train_that_does_not_load_its_checkpoint_gets_what_held_at_its_steps():
    told = Told(changes=(change(1, 3, True, lr=0.5),), saved=5)
    seen = []
    for step in range(6):
        told.trial.report(step, loss=0.0)
        seen.append(told.config["lr"])
    assert seen == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]


def test_what_was_due_before_a_checkpoint_is_taken_there():
    told = Told(changes=(change(1, 3, lr=0.5),), saved=5)
    assert (told.config["lr"], told.taken) == (0.5, [(1, 5)])


@pytest.mark.parametrize("order", ["stop first", "edit first"])
def test_an_edit_never_displaces_a_stop(order):
    told = Told()
    words = [
        lambda: told.hear(action=Action.STOP, decision=6),
        lambda: told.hear(change(5, 0, lr=0.5)),
    ]
    for word in words if order == "stop first" else words[::-1]:
        word()
    with pytest.raises(TrialInterrupted):
        told.trial.report(1, loss=1.0)
    with pytest.raises(TrialInterrupted):
        told.trial.report(2, loss=1.0)
    assert told.trial.count == 1
    assert order == "edit first" or (told.config["lr"], told.taken) == (1.0, [])


def test_an_edit_that_comes_while_reports_are_held_is_taken_when_they_pass():
    told = Told()
    told.trial.bound(10)
    told.hear(change(5, 0, lr=0.5))
    told.trial.report(1, loss=1.0)
    assert told.config["lr"] == 0.5
    told.trial.release()
    told.hear(change(5, 0, lr=0.5), change(6, 1, lr=0.25))
    told.trial.report(2, loss=1.0)
    assert told.config["lr"] == 0.25


def test_a_message_that_comes_before_the_trial_has_its_configuration_is_not_lost():
    told = Told()
    told.hear(change(5, -1, lr=0.5))
    again = Trial(sweep="s", number=3, attempt=0, seed=1)
    told.inbox.begin(again)
    assert told.inbox.configure(again, told.lease.config(0), nested) == {"lr": 0.5}


@dataclass(frozen=True)
class Optim:
    lr: float = 0.1


@dataclass
class Config:
    optim: Optim
    units: int = 3


def test_dicts_within_dicts_and_objects_frozen_or_not_change_as_well():
    def train(config: Config, trial):
        return None

    for form in (nested, form_of(train)):
        told = Told(form, **{"optim.lr": 1.0, "units": 3})
        optim = told.config["optim"] if form is nested else told.config.optim
        told.hear(change(5, 0, **{"optim.lr": 0.5, "units": 4}))
        told.trial.report(1, loss=1.0)
        assert (
            (optim["lr"], told.config["units"]) == (0.5, 4)
            if form is nested
            else ((optim.lr, told.config.units) == (0.5, 4))
        )
        assert told.trial.changed == {"optim.lr": 0.5, "units": 4}


READERS = {
    "config[...]": lambda told: told.config["optim"]["lr"],
    "get": lambda told: told.config["optim"].get("lr"),
    "items": lambda told: list(told.config["optim"].items()),
    "**": lambda told: dict(**told.config["optim"]),
    "dict": lambda told: dict(told.config["optim"]),
    "json": lambda told: json.dumps(told.config),
    "changed": lambda told: told.trial.changed["optim.lr"],
    "copy": lambda told: copy.deepcopy(told.config),
}


@pytest.mark.parametrize("reader", [None, *READERS])
def test_who_never_looks_at_a_new_value_is_told_so_once(reader, capsys):
    told = Told(live={"optim.lr"}, **{"optim.lr": 1.0, "units": 3})
    told.hear(change(5, 0, **{"optim.lr": 0.5}))
    told.trial.report(1, loss=1.0)
    if reader is not None:
        READERS[reader](told)
    for step in range(2, 9):
        told.trial.report(step, loss=1.0)
    unread = [(one.decision, one.unread, one.step) for one in told.applied if one.unread]
    assert unread == ([(5, ("optim.lr",), 4)] if reader is None else [])
    assert capsys.readouterr().err.count("train has not looked at optim.lr") == len(unread)
    assert told.taken[0] == (5, 1)


def test_a_watched_configuration_is_a_dict_and_a_plain_one_again_when_it_was_read():
    config = live(nested)({"lr": 1.0, "kind": {"a": 1}, "optim.b": 2})
    assert config == {"lr": 1.0, "kind": {"a": 1}, "optim": {"b": 2}}
    assert type(config["kind"]) is dict, "an option that is a dict is train's own"
    watch(config, "lr")
    assert is_unread(config, "lr")
    assert pickle.loads(pickle.dumps(config)) == config
    assert (config["lr"], type(config)) == (1.0, LiveConfig)


def test_a_parameter_that_is_called_as_a_column_changes_by_the_name_that_train_has_for_it():
    told = Told(live={"config.kind"}, **{"config.kind": "a", "lr": 1.0})
    assert told.config == {"kind": "a", "lr": 1.0}
    told.hear(change(5, 0, **{"config.kind": "b"}))
    told.trial.report(1, loss=1.0)
    assert told.config == {"kind": "b", "lr": 1.0}
