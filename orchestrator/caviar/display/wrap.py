"""Lines that fit a terminal, counted in its cells: an ideogram or an emoji takes two, an accent none.

The rule: no line is wider than the terminal. Lines are broken at spaces; a word that fits on a line of its own is
never broken, and a longer one is, where a line is full, with nothing lost. The exception is what is there to be copied:
a path, a URL, the value of `--store` stay whole, on a line of their own if they are too wide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from rich.cells import cell_len

from caviar.display.console import data_console

NARROWEST = 20
"""Cells that a line has at least, behind the indentation."""
MOST_JOINED = 16
"""Cells of an emoji that others are joined to: wider ones are broken like anything else."""
MOST_PADDED = 32
"""Cells of a column that is set without a table: what is wider pushes the rest of its own line, not of all others."""

_JOINER, _AS_EMOJI = "\u200d", "\ufe0f"
_WORDS = re.compile(r"( *)([^ ]+)")
_TO_COPY = re.compile(r"(?:^|[\"'(`\[<=:~.])/")  # /a, ./a, ~/a, s3://a, also quoted or in brackets


def cells(text: str) -> int:
    """Cells that the text takes at most: terminals disagree about joined emoji, so each part of one counts."""
    return len(text) if text.isascii() else sum(1 if one == _AS_EMOJI else cell_len(one) for one in text)


def padded(text: str, width: int) -> str:
    """The text with spaces behind it, up to so many cells."""
    return text + " " * (width - cells(text))


def column_width(texts: Iterable[str]) -> int:
    """Cells to which the entries of a column are padded; those that are much wider than a name do not count."""
    return max((one for one in map(cells, texts) if one <= MOST_PADDED), default=0)


def wrapped(text: str, hang: int, stream: TextIO) -> list[str]:
    """The text in lines for the stream's terminal; see `wrap`."""
    return wrap(text, data_console(stream).width, hang)


def wrap(text: str, width: int, hang: int) -> list[str]:
    """The text in lines, by the rule above.

    Args:
        text: What `plain` made safe; its own lines stay lines.
        width: Cells of a line; `hang` + NARROWEST at least.
        hang: Cells from the left where what is too long for a line goes on.
    """
    width = max(width, hang + NARROWEST)
    return [part for line in text.splitlines() for part in _broken(line, width, " " * hang)] or [""]


def _broken(line: str, width: int, indent: str) -> Iterator[str]:
    shown, empty, before = "", True, ""
    for space, word in _WORDS.findall(line):
        if cells(shown + space + word) <= width:
            shown, empty, before = shown + space + word, False, word
            continue
        whole = _to_copy(word, before)
        if not empty and (whole or cells(indent + word) <= width):
            yield shown
            shown = indent + word
        elif whole:
            shown += space + word
        else:
            *full, shown = _cut(word, shown + space, width, indent)
            yield from full
        empty, before = False, word
    yield shown


def _to_copy(word: str, before: str) -> bool:
    return before == "--store" or bool(_TO_COPY.search(word)) or (word.isascii() and "/" in word)


def _cut(word: str, shown: str, width: int, indent: str) -> Iterator[str]:
    """The lines that come of a word too long for one, begun behind what is shown already."""
    began = False
    for piece in _characters(word):
        if cells(shown + piece) > width:
            if began or shown.strip():
                yield shown.rstrip(" ")
            shown = indent
        shown, began = shown + piece, True
    yield shown


def _characters(word: str) -> list[str]:
    """Yield the characters of a text, each with the accents and joined emoji that belong to it."""
    found: list[str] = []
    for one in word:
        joined = found and (cell_len(one) == 0 or one == _AS_EMOJI or found[-1].endswith(_JOINER))
        if joined and cells(found[-1] + one) <= MOST_JOINED:
            found[-1] += one
        else:
            found.append(one)
    return found
