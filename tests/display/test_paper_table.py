"""Tables for papers: what is in them stays text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.display.paper_table import latex, latex_lines, markdown, markdown_lines

ROWS = [["adam", 0.0123456, 3, None], ["s_g|d", float("nan"), None, None]]


def test_markdown():
    assert list(markdown_lines(["opt", "loss", "n", "x"], ROWS)) == [
        "| opt | loss | n | x |",
        "| --- | ---: | ---: | ---: |",
        "| adam | 0.01235 | 3 |  |",
        r"| s\_g\|d | nan |  |  |",
    ]


def test_latex():
    lines = "\n".join(latex_lines(["opt_x", "loss", "n", "x"], ROWS)).splitlines()
    assert lines == [
        r"% \usepackage{booktabs}",
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r"opt\_x & loss & n & x \\",
        r"\midrule",
        r"adam & 0.01235 & 3 &  \\",
        r"s\_g\textbar{}d & nan &  &  \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


@given(st.text())
def test_no_text_is_a_command_or_another_cell(text):
    set_in_latex = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]", "", latex(text))
    assert not re.search(r"[\\&%$#_{}~^]", set_in_latex)
    assert len(latex(text).splitlines()) <= 1
    assert not re.search(r"(?<!\\)[|`*_<>\[\]]", re.sub(r"\\\\", "", markdown(text)))
    assert len(markdown(text).splitlines()) <= 1


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\nb", "<script>", "$x$"])
def test_what_would_act_is_shown(text):
    for shown in (latex(text), markdown(text)):
        assert "\x1b" not in shown
        assert "\n" not in shown
