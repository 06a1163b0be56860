import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from caviar.display.sanitize import csv_cell, one_line, plain


def test_escape_sequences_disappear_whole() -> None:
    assert plain("\x1b[31mred\x1b[0m") == "red"
    assert plain("\x1b]0;title\x07text") == "text"
    assert plain("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\") == "link"
    assert plain("\x9b2Jtext\x1b(B") == "text"


def test_an_escape_sequence_without_an_end_hides_only_its_line() -> None:
    assert plain("a\x1b]0;oops\nValueError: seen") == "a\nValueError: seen"


def test_a_progress_bar_that_overwrites_itself_becomes_lines() -> None:
    assert plain("10%\r20%\r\ndone\tnow") == "10%\n20%\ndone    now"


@given(st.text())
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    left = plain(text).replace("\n", "")
    assert not [c for c in left if unicodedata.category(c) in {"Cc", "Cs"} or c in "\u202e\u2066"]
    left.encode("utf-8")


@given(st.text(), st.integers(1, 20))
def test_one_line_is_one_line(text: str, width: int) -> None:
    line = one_line(text, width)
    assert len(line) <= width
    assert len(line.splitlines()) <= 1


def test_a_spreadsheet_runs_no_formula() -> None:
    assert csv_cell("=cmd|'/c calc'!A0") == "'=cmd|'/c calc'!A0"
    assert [csv_cell(x) for x in ("+1", "-1", "@x")] == ["'+1", "'-1", "'@x"]
    assert [csv_cell(x) for x in ("\n=1", "\t=1", "\r=1", "＝1", "－1")] == ["'\n=1", "'\t=1", "'\r=1", "'＝1", "'－1"]
    assert [csv_cell(x) for x in (-1.5, "relu", None)] == [-1.5, "relu", None]
