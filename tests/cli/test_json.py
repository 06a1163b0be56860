"""What the verbs print with --json is read by programs: it stays as it was, key by key.

Where an answer is meant to change, empty the file of answers and run this with CAVIAR_KEEP=1: the answers of this
version are kept then, and `git diff` shows what a program that reads them will meet.
"""

import json
import os
import re
import shutil
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
    "run EXPERIMENT:drawn --dry-run",
    "run EXPERIMENT:asked --dry-run",
    "zoom digits --dry-run",
    "zoom digits --top 3 --trials 9 --dry-run",
    "stop digits",
    "stop later",
    "stop digits --trial 3",
    "simulate digits --orders 2 --slots 2",
    "simulate digits --stopping median --trials 4 --orders 2 --slots 2",
    "store info",
    "store info digits",
    "store check",
    "store check later",
    "store check later --dry-run",
    "store compact",
    "store compact halved",
    "rm later --yes",
]
FOUND_DAMAGE = 5
HURT = {"store check later": FOUND_DAMAGE, "store check later --dry-run": FOUND_DAMAGE}
"""Calls before which a byte of the sweep `later` is changed, and how they exit."""
SQL = "select trial, state, lr, last_val_loss from trials order by trial"


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """Path of a store with sweeps of every kind, and their ids by their names."""
    path = tmp_path_factory.mktemp("every") / "store"
    return str(path), add_every_kind(Store.open(path, create=True))


EXPERIMENT = """
from caviar import Choice, Float, Int, Sweep

def train(config, trial, epochs=3):
    return config["lr"] * epochs

def admits(config):
    return config["lr"] > 1e-3

space = {
    "lr": Float(1e-4, 1.0, scale="log"),
    "momentum": Float(0.0, 0.99, default=0.9, tier=2),
    "units": Int(50, 100, step=10),
    "act": Choice(["relu", "tanh"]),
}
first = [{"lr": 0.01, "units": 60, "act": "tanh"}]
drawn = Sweep(train, space, metric="loss", mode="min", trials=6, first=first, constraint=admits, name="drawn")
asked = Sweep(train, space, metric="loss", mode="max", trials=12, searcher="gp", stopping="asha", name="asked")
"""

MADE_THE_SAME = {
    r'"created": "[^"]*"': '"created": "NOW"',
    r'"took_s": \d{6,}[\d.]*': '"took_s": "UNTIL NOW"',
    r'"(bytes|bytes_a_row)": [0-9.]+': r'"\1": 1',  # pyarrow's versions write files of other sizes
    r"checksum is \w+, and was \w+": "checksum is A, and was B",
    r"(_hot/\d+-\d+-\w+)-[^\"]*": r"\1-CHECKSUM",
}


def hurt(store, sweep):
    """Change a byte of the first curves of a sweep."""
    (path,) = Path(store).glob(f"sweep={sweep}/_hot/0001-000000001-curves-*")
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def answer(caviar, every, call, tmp_path):
    """The document that a call prints; ids, paths and what depends on the clock are made the same."""
    path, ids = every
    if call.split()[0] in ("store", "rm"):
        path = str(shutil.copytree(path, tmp_path / "copy"))
    if call in HURT:
        hurt(path, ids["later"])
    (tmp_path / "experiment.py").write_text(EXPERIMENT, "utf-8")
    words = call.replace("EXPERIMENT", str(tmp_path / "experiment.py")).split()
    if words[0] == "query":
        words.insert(1, SQL)
    got = caviar(*words, "--store", path, "--json")
    assert got.code == HURT.get(call, 0), got.err
    assert words[0] == "query" or got.out == json.dumps(json.loads(got.out), indent=2) + "\n"
    text = got.out.replace(path, "STORE")
    for name, sweep in ids.items():
        text = text.replace(sweep, f"<{name}>")
    for varies, same in MADE_THE_SAME.items():
        text = re.sub(varies, same, text)
    return rounded(json.loads(text))


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
def test_an_answer_is_what_it_was(caviar, every, kept, call, tmp_path):
    found = answer(caviar, every, call, tmp_path)
    if "CAVIAR_KEEP" in os.environ:
        with KEPT.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"call": call, "answer": found}) + "\n")
        return
    assert json.dumps(found) == json.dumps(kept[call])  # the order of the keys, too


def test_every_answer_that_is_kept_is_asked_for(kept):
    assert list(kept) == CALLS
