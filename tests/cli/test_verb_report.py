"""`caviar report` writes one file with the sweeps that are named, and leaves the files of others alone."""

import base64
import json
import re
from pathlib import Path

import pytest

from caviar.results.report.columns import decode
from caviar.results.report.report_file import report_frame
from caviar.store import Store

from ..small_stores import add_digits, add_interrupted, add_zoom, make_plan


def heads(file):
    """The heads of the payloads in a report, by their order."""
    page = Path(file).read_text("utf-8")
    found = re.findall(r'<script type="text/plain" id="sweep-\d+">([^<]*)</script>', page)
    return [decode(base64.b64decode(one))[0] for one in found]


def test_the_file_is_named_by_the_sweeps_id_and_holds_it(caviar, filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    got = caviar("report", "digits", "--store", filled.path)
    assert (got.code, got.out) == (0, "")
    file = tmp_path / f"report-{filled.digits}.html"
    assert str(file) in got.err
    assert [one["sweep"] for one in heads(file)] == [filled.digits]
    assert heads(file)[0]["list"]["best"]["trial"] == 2


def test_several_sweeps_are_in_one_file_in_their_order(caviar, filled, tmp_path):
    file = tmp_path / "both.html"
    got = caviar("report", "later", "digits", "later", "-o", str(file), "--store", filled.path, "--json")
    told = json.loads(got.out)
    assert [one["sweep"] for one in heads(file)] == [filled.later, filled.digits] == told["sweeps"]
    assert (told["file"], told["bytes"]) == (str(file), file.stat().st_size)


def test_a_family_is_shown_together(caviar, tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    parent = add_digits(store)
    child = add_zoom(store, parent)
    add_interrupted(store)
    file = tmp_path / "family.html"
    assert caviar("report", child, "--family", "-o", str(file), "--store", str(store.path)).code == 0
    assert [one["sweep"] for one in heads(file)] == [parent, child]


def test_a_report_is_written_over_and_no_other_file(caviar, filled, tmp_path):
    file = tmp_path / "a.html"
    words = ("report", "digits", "-o", str(file), "--store", filled.path)
    assert [caviar(*words).code, caviar(*words).code] == [0, 0]
    file.write_text("my own page")
    got = caviar(*words)
    assert got.code == 2
    assert got.err.endswith(f"{file} is there already: name another file, or add --force to replace it\n")
    assert file.read_text() == "my own page"
    assert caviar(*words, "--force").code == 0
    assert heads(file)


def test_a_folder_and_a_place_that_is_not_there_are_refused(caviar, filled, tmp_path):
    for place, why in ((tmp_path, "no folder is replaced"), (tmp_path / "nowhere" / "a.html", "cannot write")):
        got = caviar("report", "-o", str(place), "--store", filled.path)
        assert (got.code, got.out) == (2, "")
        assert why in got.err


def test_only_the_metrics_that_were_asked_for_are_there(caviar, filled, tmp_path):
    file = tmp_path / "a.html"
    words = ("report", "digits", "-o", str(file), "--store", filled.path)
    assert caviar(*words, "--metric", "train_loss").code == 0
    assert [one["name"] for one in heads(file)[0]["documents"]["metrics"]] == ["train_loss"]
    got = caviar(*words, "--metric", "train_los")
    assert got.code == 4
    assert "did you mean 'train_loss'?" in got.err


def test_a_sweep_without_trials_has_a_report(caviar, fresh, tmp_path):
    file = tmp_path / "a.html"
    got = caviar("report", "-o", str(file), "--store", fresh.path)
    assert got.code == 0, got
    assert "no trial with a usable" in heads(file)[0]["documents"]["verdict"]["none"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x>', "</script><b>", "\u202eexe"])
def test_a_name_never_becomes_markup_or_a_path(caviar, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    store = Store.open(tmp_path / "store", create=True)
    sweep = add_digits(store, make_plan(name, 8, note=name, tags=(name,)))
    assert caviar("report", "--store", str(store.path)).code == 0
    page = (tmp_path / f"report-{sweep}.html").read_text("utf-8")
    assert "<img" not in page.partition("<body>")[2]
    assert "alert(1)</script>" not in page
    assert heads(tmp_path / f"report-{sweep}.html")[0]["documents"]["sweep"]["name"] == name


def test_a_frame_may_run_scripts_and_nothing_else(filled):
    from caviar.results.open_sweep import open_sweep

    store = Store.open(filled.path)
    with open_sweep(store, store.find(filled.digits), print) as opened:
        frame = report_frame(opened, (), 900)
    assert frame.startswith('<iframe sandbox="allow-scripts" srcdoc="&lt;!DOCTYPE html&gt;')
    assert frame.count("<") == 2, "the page is text of an attribute"
