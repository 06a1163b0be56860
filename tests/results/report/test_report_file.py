"""A report from Python: a file that is whole, and a frame in a notebook."""

import base64
import html
import re
from pathlib import Path

import pytest

from caviar import Result
from caviar.display.page import report_html
from caviar.errors import NotFoundError, SpecError, StoreError
from caviar.results.report.columns import decode
from caviar.results.report.report_file import FIRST, MARK

from ...small_stores import add_digits, add_interrupted, add_zoom


def heads(page):
    found = re.findall(r'<script type="text/plain" id="sweep-\d+">([^<]*)</script>', page)
    return [decode(base64.b64decode(one))[0] for one in found]


def test_a_result_writes_its_report_and_says_where(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = Result(store.path, add_digits(store))
    assert result.report() == str(tmp_path / f"report-{result.id}.html")
    file = result.report(Path("a.html"), metrics="train_loss")
    (head,) = heads(Path(file).read_text("utf-8"))
    assert head["sweep"] == result.id
    assert [one["name"] for one in head["documents"]["metrics"]] == ["train_loss"]
    commands = [one["command"] for one in head["documents"]["verdict"]["commands"]]
    assert all(f"--store {store.path}" in one for one in commands), "they work when they are typed"


def test_mistakes_are_told_and_leave_what_was_there(store, tmp_path):
    result = Result(store.path, add_digits(store))
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    with pytest.raises(SpecError, match="is there already"):
        result.report(mine)
    with pytest.raises(NotFoundError, match="did you mean 'val_loss'"):
        result.report(tmp_path / "a.html", metrics=["val_los"])
    assert (mine.read_text(), (tmp_path / "a.html").exists()) == ("mine", False)


def test_a_notebook_shows_the_report_in_a_frame(store):
    result = Result(store.path, add_digits(store))
    frame = result._repr_html_()
    found = re.fullmatch(
        r'<iframe sandbox="allow-scripts" srcdoc="([^"]*)" width="100%" height="\d+"[^>]*></iframe>', frame
    )
    (head,) = heads(html.unescape(found[1]))
    assert head["sweep"] == result.id


def test_a_notebook_shows_a_table_where_the_report_would_be_long_or_cannot_be_made(store, monkeypatch):
    result = Result(store.path, add_digits(store))
    with monkeypatch.context() as patch:
        patch.setattr("caviar.sweep.result.MOST_FRAMED", 7)
        assert result._repr_html_().startswith("<p>digits")
    with monkeypatch.context() as patch:

        def cannot(*_):
            raise StoreError("it is gone")

        patch.setattr("caviar.results.report.report_file.sweep_payload", cannot)
        assert "<table>" in result._repr_html_()
    assert "iframe" in result._repr_html_()


def test_a_notebook_shows_the_report_of_a_sweep_without_a_winner(store):
    parent = add_digits(store)
    for sweep in (add_interrupted(store), add_zoom(store, parent)):
        assert "<iframe" in Result(store.path, sweep)._repr_html_()


def test_a_report_is_known_by_its_first_bytes():
    assert MARK in report_html("x" * 500, []).encode()[:FIRST]
