"""What the verbs print with --json is read by programs: it stays as it was, key by key.

Where an answer is meant to change, empty the file of answers and run this with CAVIAR_KEEP=1: the answers of this
version are kept then, and `git diff` shows what a program that reads them will meet.
"""

import json
import os
import re
from pathlib import Path

import pytest

from caviar.store import Store

from ..small_stores import add_every_kind

KEPT = Path(__file__).parent / "json_answers.jsonl"

CALLS = [
    "ls",
    "ls digits --state finished",
    *(
        f"{verb} {name}"
        for verb in ("status", "best")
        for name in ("digits", "digits-zoom", "later", "halved", "resumed")
    ),
    "best digits -k 2 --rule best",
    "best digits -k 2 --at-step 4",
    "best digits-zoom -k 2 --family",
    "curves digits --top 1",
    "curves resumed --metric train_loss --top 2",
    *(f"show digits {trial}" for trial in (2, 3, 4, 5)),
    "show halved 1",
    "show resumed 0",
    "show resumed 2",
    "explain resumed 1",
    "explain digits 0",
    "logs digits 2",
    "logs later 0",
    "query --sweep digits",
]
SQL = "select trial, state, lr, last_val_loss from trials order by trial"


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """Path of a store with sweeps of every kind, and their ids by their names."""
    path = tmp_path_factory.mktemp("every") / "store"
    return str(path), add_every_kind(Store.open(path, create=True))


def answer(caviar, every, call):
    """The document that a call prints; ids, the store's path and what depends on the clock are made the same."""
    path, ids = every
    words = call.split()
    if words[0] == "query":
        words.insert(1, SQL)
    got = caviar(*words, "--store", path, "--json")
    assert got.code == 0, got.err
    assert words[0] == "query" or got.out == json.dumps(json.loads(got.out), indent=2) + "\n"
    text = got.out.replace(path, "STORE")
    for name, sweep in ids.items():
        text = text.replace(sweep, f"<{name}>")
    return rounded(json.loads(re.sub(r'"created": "[^"]*"', '"created": "NOW"', text)))


def rounded(document):
    """The same to twelve digits: mathematical libraries differ beyond them."""
    if isinstance(document, dict):
        return {name: rounded(inner) for name, inner in document.items()}
    if isinstance(document, list):
        return [rounded(inner) for inner in document]
    return float(f"{document:.12g}") if isinstance(document, float) else document


@pytest.fixture(scope="module")
def kept():
    lines = KEPT.read_text("utf-8").splitlines() if KEPT.exists() else []
    return {one["call"]: one["answer"] for one in map(json.loads, lines)}


@pytest.mark.parametrize("call", CALLS)
def test_an_answer_is_what_it_was(caviar, every, kept, call):
    found = answer(caviar, every, call)
    if "CAVIAR_KEEP" in os.environ:
        with KEPT.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"call": call, "answer": found}) + "\n")
        return
    assert json.dumps(found) == json.dumps(kept[call])  # the order of the keys, too


def test_every_answer_that_is_kept_is_asked_for(kept):
    assert list(kept) == CALLS
