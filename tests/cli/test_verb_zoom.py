"""`zoom --dry-run`, `plot` and `best --family` on a store that is there."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from caviar.space import Int
from caviar.spec.plan import Plan
from caviar.store import Store

from ..small_stores import add_digits, make_plan


def test_dry_run_shows_old_and_new_ranges(caviar, filled, tmp_path):
    picture = tmp_path / "zoom.svg"
    got = caviar("zoom", "digits", "--dry-run", "--plot", str(picture), "--store", filled.path)
    assert got.code == 0, got.err
    assert got.lines[0] == f"digits ({filled.digits}): round the best 5 of 8 trials"
    assert any(line.startswith("  lr     float log  1e-4 to 1") and "→" in line for line in got.lines)
    assert any(line.startswith("  act    choice  relu, =tanh") for line in got.lines)
    assert "plan   digits-zoom, 8 trials, seed 1" in got.lines
    assert got.err == f"drew {picture}\nnothing was run (--dry-run)\n"
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert len(Store.open(filled.path).sweeps()) == 2


def test_dry_run_as_json(caviar, filled):
    got = caviar("zoom", "digits", "--top", "3", "--trials", "9", "--dry-run", "--json", "--store", filled.path)
    document = json.loads(got.out)
    assert (document["parent"], document["top"], document["of"]) == (filled.digits, 3, 8)
    plan = Plan.from_json(document["plan"])
    assert (plan.parent, plan.trials) == (filled.digits, 9)
    for one in document["parameters"]:
        assert one["word"]
        assert one["after"] == plan.space[one["name"]].to_json()
        assert one["box"] is None or one["box"][0] < one["box"][1]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["zoom", "later", "--dry-run"], 3, "at least 3 trials with a usable val_loss"),
        (["zoom", "digits", "--dry-run", "--plot", "x.gif"], 2, "a plot is a PNG, an SVG or a PDF"),
        (["zoom", "nobody", "--dry-run"], 4, "No sweep 'nobody'"),
        (["plot", "digits", "-o", "/none/x.svg"], 2, "cannot write /none/x.svg"),
        (["plot", "digits", "-o", "x.svg", "--x", "lrr"], 2, "no axis 'lrr'; did you mean 'lr'"),
        (["zoom", "digits", "--top", "2", "--dry-run"], 2, "--top"),
        (["plot", "digits", "-o", "x.png", "--kind", "axes", "--x", "lr"], 2, "--x means nothing to --kind axes"),
        (["plot", "digits", "-o", "x.png", "--kind", "retest"], 3, "was not tested again yet"),
        (["plot", "digits", "-o", "x.png", "--kind", "tuning-curve"], 3, "has no tuning curve"),
        (["plot", "digits", "-o", "x.png", "--kind", "curves", "--metric", "los"], 4, "no reports of the metric 'los'"),
    ],
)
def test_what_cannot_be_is_a_sentence(caviar, filled, args, code, words):
    got = caviar(*args, "--store", filled.path)
    assert (got.code, words in got.err) == (code, True), got.err
    assert got.err.count("\n") == 1


def test_a_family_is_shown_as_one(caviar, tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    parent = add_digits(store)
    plan = replace(
        Plan.from_json(store.find(parent).description()["plan"]), name="digits-zoom", parent=parent, relation="zoom"
    )
    child = add_digits(store, plan)
    got = caviar("best", "--family", "-k", "3", "--store", str(store.path))
    assert got.lines[0] == "best by last val_loss, 12 trials of 2 sweeps at step 19, min"
    assert f"# config of t2 of {parent}" in got.out
    document = json.loads(caviar("best", "--family", "--json", "--store", str(store.path)).out)
    assert document["family"] == [{"sweep": parent, "parent": None}, {"sweep": child, "parent": parent}]
    assert [(one["sweep"], one["trial"]) for one in document["trials"][:2]] == [(parent, 2), (child, 2)]
    listed = caviar("ls", "--store", str(store.path))
    assert parent.rpartition("-")[2] in next(line for line in listed.lines if "digits-zoom" in line).split()
    drawn = caviar("plot", "-o", str(tmp_path / "family.svg"), "--y", "val_loss", "--store", str(store.path))
    assert drawn.code == 0, drawn.err
    texts = [one.text for one in ElementTree.parse(tmp_path / "family.svg").getroot().iter() if one.text]
    for kind in ("curves", "history", "axes"):
        other = caviar("plot", "--kind", kind, "-o", str(tmp_path / f"{kind}.png"), "--store", str(store.path))
        assert other.code == 0, other.err
        assert (tmp_path / f"{kind}.png").read_bytes().startswith(b"\x89PNG")
    assert "8 coarse" in texts
    assert "8 fine" in texts


def test_show_says_which_values_are_defaults_and_status_what_was_rejected(caviar, tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    held = {"units": Int(50, 100, default=64, tier=2)}
    add_digits(store, make_plan("digits", 8, held=held))
    page = caviar("show", "2", "--store", str(store.path))
    assert any(line.startswith("  units  ") and line.endswith("(its default; tier 2)") for line in page.lines)
    assert json.loads(caviar("status", "--json", "--store", str(store.path)).out)["rejected"] == 0
