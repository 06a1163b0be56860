"""Lines fit the terminal, in cells; what is to be copied stays whole; nothing is lost."""

import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from caviar.display.plain import PlainProgress, SilentProgress
from caviar.display.sanitize import plain
from caviar.display.wrap import NARROWEST, cells, column_width, padded, wrap

WORDS = st.one_of(
    st.text("abcxyz-_.,:;()'", min_size=1, max_size=120),
    st.text("確率的勾配降下法ｶﾅ、。", min_size=1, max_size=90),
    st.text("🎉👩\u200d👧❤\ufe0fé\u0301\u0300🏽", min_size=1, max_size=60),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.builds("/{}".format, st.text("abc/ß学 ", min_size=1, max_size=120).map(lambda text: text.replace(" ", ""))),
    st.text("abc/", min_size=1, max_size=120),
    st.sampled_from(["s3://b/" + "k" * 90, "'/tmp/" + "ü" * 90 + "'", "(./" + "x" * 90 + ")", "--store", "x" * 100]),
)
TEXTS = st.lists(st.tuples(st.sampled_from([" ", "  ", "     ", "\n"]), WORDS), max_size=8).map(
    lambda parts: plain("".join(space + word for space, word in parts))
)
COPIED = re.compile(r"""(^|["'(`\[<=:~.])/|^[\x00-\x7f]*/[\x00-\x7f]*$""")


def words(text):
    return re.findall(r"[^ \n]+", text)


@given(TEXTS, st.integers(20, 120), st.integers(0, 12))
@example("x" * 200, 80, 2)
@example(" " * 100 + "x", 80, 2)
@example("失敗" * 100, 81, 10)
@example("👩\u200d👩\u200d👧\u200d👦" * 30, 20, 0)
def test_lines_fit_and_nothing_is_lost(text, width, hang):
    lines = wrap(text, width, hang)
    width = max(width, hang + NARROWEST)
    assert "".join(words("".join(lines))) == "".join(words(text))
    all_words = words(text)
    for line in lines:
        if max(cells(line), cell_len(line)) > width:  # one word, which is to be copied
            (word,) = words(line)
            at = all_words.index(word)
            assert COPIED.search(word) or all_words[at - 1] == "--store"
    shown = [word for line in lines for word in words(line)]
    for word in all_words:
        if hang + cells(word) <= width or COPIED.search(word):
            assert word in shown, "a word that fits, or is to be copied, is whole"


@given(TEXTS, st.integers(0, 12))
def test_what_fits_stays_as_it_is_and_the_rest_hangs(text, hang):
    as_they_are = [line.rstrip(" ") for line in text.splitlines()] or [""]
    assert wrap(text, 10_000, hang) == as_they_are
    (first, *rest) = wrap("a " * 100, 40, hang)
    assert not first.startswith(" ")
    assert all(line.startswith(" " * hang + "a") for line in rest)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("失敗" * 10, ["失敗" * 5 + "失", "  " + "敗失" * 4 + "敗"]),
        ("a" + "失" * 11, ["a" + "失" * 10, "  失"]),
        ("read /a/very/long/path/to/a/file now", ["read", "  /a/very/long/path/to/a/file", "  now"]),
        ("e\u0301" * 25, ["e\u0301" * 22, "  " + "e\u0301" * 3]),
        ("caviar ls --store a-store-with-a-long-name x", ["caviar ls --store", "  a-store-with-a-long-name", "  x"]),
        ("", [""]),
        ("a\n\n b", ["a", "", " b"]),
    ],
)
def test_examples_on_22_cells(text, lines):
    assert wrap(text, 22, 2) == lines


def test_columns_are_padded_in_cells_and_a_long_entry_pads_no_other():
    names = ["lr", "学習率", "a_name_that_goes_on_and_on_and_on_and_on"]
    assert column_width(names) == 6
    assert [cells(padded(name, 6)) for name in names] == [6, 6, cells(names[2])]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("display", [PlainProgress, SilentProgress])
@pytest.mark.parametrize("note", ["word " * 40, "失敗" * 60, "x" * 300], ids=["words", "wide", "long"])
def test_plain_lines_fit_a_terminal_and_are_one_elsewhere(display, note, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        display(stream).note(note)
    assert max(map(cells, terminal.getvalue().splitlines())) <= 80
    assert pipe.getvalue() == f"[caviar] {note.strip()}\n"
