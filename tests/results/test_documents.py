"""Each document has a JSON form that programs can rely on: its keys, their order, and what stands there."""

import json

import pytest

from caviar.errors import NotFoundError
from caviar.results.best import best_document
from caviar.results.curves import curves_document
from caviar.results.decisions import decisions_document
from caviar.results.family import family_document
from caviar.results.json_form import as_json
from caviar.results.status import status_document
from caviar.results.sweeps import Filter, listed, sweeps_document
from caviar.results.trial import output_document, trial_document

from .conftest import say_nothing

CONFIG = {"lr": "float", "beta": "float", "units": "int", "act": "str"}
TRIAL = {"trial": "int", "value": "float", "step": "int", "state": "str", "seed": "int", "config": CONFIG}
TRIAL |= {"n": "int", "sd": "null", "trials": []}
HEAD = {"sweep": "str", "name": "str"}
POINTS = {"steps": ["int"], "values": ["float"]}
ROW = {
    **HEAD,
    **dict.fromkeys(("created", "parent", "state", "metric", "mode", "rule"), "str"),
    **dict.fromkeys(("planned", "completed", "failed", "running", "stopped", "paused", "cancelled"), "int"),
    "tags": [],
    "note": "str",
    "seed": "int",
    "sampler": "str",
    **dict.fromkeys(("host", "git_commit", "git_dirty", "command", "user_name"), "null"),
    "best": {"trial": "int", "value": "float", "step": "int"},
    "took_s": "float",
    "imported": "null",
}
COUNTS = ("COMPLETED", "STOPPED", "FAILED", "CANCELLED", "RUNNING", "PAUSED", "LOST", "PENDING")
ATTEMPT = {
    **dict.fromkeys(("trial", "attempt"), "int"),
    **dict.fromkeys(("state", "cause", "kind", "error", "started", "ended"), "str"),
    "busy": "float",
    "host": "str",
    "pid": "int",
    "devices": "str",
    **dict.fromkeys(("rows", "step", "start"), "int"),
    "diverged": "bool",
    "program": "null",
    **{f"{form}_{metric}": "float" for metric in ("val_loss", "train_loss") for form in ("last", "min", "max")},
}
FORMS = {
    "status": {
        **HEAD,
        "state": "str",
        "planned": "int",
        "counts": dict.fromkeys(COUNTS, "int"),
        "began": "str",
        "latest": "str",
        "took_s": "float",
        "eta_s": "null",
        **dict.fromkeys(("metric", "mode", "rule"), "str"),
        "best": TRIAL,
        "failures": [{"kind": "str", "trials": "int", "first_trial": "int", "error": "str"}],
        "diverged": "int",
        "rejected": "int",
        "lack": "null",
        "imported": "null",
        "fingerprints": [
            {
                "host": "str",
                "machine": {
                    **dict.fromkeys(("python", "system", "cpu"), "str"),
                    "cores": "int",
                    **{name: ["str"] for name in ("blas", "gpus")},
                    **dict.fromkeys(("driver", "cuda", "cudnn"), "str"),
                },
                "distributions": {"numpy": "str"},
                "data": {"sha256": "str", "bytes": "int", "why": "str"},
            }
        ],
    },
    "best": {
        **HEAD,
        **dict.fromkeys(("metric", "mode", "rule"), "str"),
        "trials": [TRIAL],
        "final": {"trial": "int", "value": "float", "metrics": {"test_error": "float"}},
        "retest": "null",
        "where": [],
        "compared": "int",
        "luck": "str",
    },
    "trial": {
        **HEAD,
        "trial": "int",
        "state": "str",
        "seed": "int",
        "config": CONFIG,
        "held": {},
        "metric": "str",
        "started": "str",
        "ended": "str",
        "busy": "float",
        "host": "str",
        "pid": "int",
        "devices": "str",
        "rows": "int",
        "step": "int",
        "diverged": "bool",
        "kind": "str",
        "error": "str",
        "metrics": {"val_loss": {"last": "float", "best": "float"}, "train_loss": {"last": "float", "best": "null"}},
        "curves": {"val_loss": POINTS, "train_loss": POINTS},
        "attempts": [ATTEMPT],
        "output": [],
        "artifacts": {},
    },
    "curves": {"sweep": "str", "metric": "str", "trials": [{"trial": "int", **POINTS}]},
    "family": {
        **dict.fromkeys(("metric", "mode", "rule"), "str"),
        "family": [{"sweep": "str", "parent": "null"}],
        "trials": [{"sweep": "str", **TRIAL}],
    },
    "sweeps": {"store": "str", "sweeps": [ROW]},
    "decisions": {
        **HEAD,
        "trial": "int",
        **dict.fromkeys(("state", "metric", "stopping"), "str"),
        "decisions": [
            {
                "n": "int",
                "time": "str",
                "trial": "int",
                "attempt": "int",
                "action": "str",
                "decided_by": "str",
                "step": "int",
                "value": "float",
                "bar": "float",
                "numbers": {"median": "float", "of": "int"},
                "sentence": "str",
            }
        ],
    },
    "output": {
        "trial": "int",
        "state": "str",
        "output": [{"attempt": "int", "piece": "int", "time": "str", "stream": "str", "text": "str"}],
    },
}


def form(value):
    """What stands where: of a list, what its first entry is."""
    if isinstance(value, dict):
        return {name: form(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [form(inner) for inner in value[:1]]
    return "null" if value is None else type(value).__name__


def made(what, every, opened):
    """A document over the store of every kind."""
    store = every.store
    zoom = store.find(every.ids["digits-zoom"])
    return {
        "status": lambda: status_document(opened("digits")),
        "best": lambda: best_document(opened("digits"), k=2),
        "trial": lambda: trial_document(opened("digits"), 3),
        "curves": lambda: curves_document(opened("digits"), top=1),
        "family": lambda: family_document(store, zoom, say_nothing, k=2),
        "sweeps": lambda: sweeps_document(store, [zoom], say_nothing),
        "decisions": lambda: decisions_document(opened("resumed"), 1),
        "output": lambda: output_document(opened("digits"), 2),
    }[what]()


@pytest.mark.parametrize("what", FORMS)
def test_a_document_has_this_form(every, opened, what):
    document = as_json(made(what, every, opened))
    assert json.dumps(form(document)) == json.dumps(FORMS[what])  # the order, too
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_it_says_of_each_sweep_where_it_stands(opened):
    said = {name: status_document(opened(name)) for name in ("digits", "digits-zoom", "later", "halved", "resumed")}
    assert {name: (one.state, one.done, one.planned) for name, one in said.items()} == {
        "digits": ("finished", 8, 8),
        "digits-zoom": ("finished", 3, 3),
        "later": ("interrupted", 2, 4),
        "halved": ("interrupted", 2, 4),
        "resumed": ("running", 2, 4),
    }
    assert [{state: n for state, n in one.counts.items() if n} for one in (said["halved"], said["resumed"])] == [
        {"COMPLETED": 1, "CANCELLED": 1, "PAUSED": 1, "PENDING": 1},
        {"COMPLETED": 1, "STOPPED": 1, "RUNNING": 1, "PENDING": 1},
    ]


def test_trials_are_ranked_by_the_rule_of_their_sweep(opened):
    assert best_document(opened("resumed")).rule.startswith("mean of the last 5 reports")
    assert (
        best_document(opened("resumed"), rule="last").trials[0].value < best_document(opened("resumed")).trials[0].value
    )


@pytest.mark.parametrize("asked", [trial_document, decisions_document, output_document])
@pytest.mark.parametrize(("trial", "rule"), [(4, "its trials are 0 to 3"), (3, "that trial has not been drawn yet")])
def test_a_trial_that_is_not_there_is_told_in_the_same_words(every, opened, asked, trial, rule):
    with pytest.raises(NotFoundError) as error:
        asked(opened("later"), trial)
    assert str(error.value) == f"later ({every.ids['later']}) has no trial {trial}; {rule}"


def test_sweeps_are_listed_newest_first(every):
    store = every.store
    assert [one.id for one in listed(store, None, Filter())] == list(every.ids.values())[::-1]
    assert [one.id for one in listed(store, None, Filter(name="DIGITS", states=("finished",)))] == [
        every.ids["digits-zoom"],
        every.ids["digits"],
    ]
