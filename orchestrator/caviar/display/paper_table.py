"""Tables for papers and pages: LaTeX and Markdown. Text is escaped, numbers have four digits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caviar.display.numbers import value_text
from caviar.display.sanitize import one_line

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
_MARKDOWN = "\\`*_{}[]<>|~#&!$"
"""What begins something in Markdown, or in the HTML that may be in it; `$` for formulas."""

Rows = Sequence[Sequence[object]]


def markdown_lines(names: Sequence[str], rows: Rows) -> Iterator[str]:
    """A table of GitHub's Markdown.

    Args:
        names: Of the columns.
        rows: Values, as many as there are names.
    """
    yield _row(map(markdown, names))
    yield _row("---:" if right else "---" for right in _numeric(names, rows))
    for row in rows:
        yield _row(markdown(_cell(value)) for value in row)


def latex_lines(names: Sequence[str], rows: Rows) -> Iterator[str]:
    """A `tabular` with the rules of booktabs, to be put into a `table`."""
    columns = "".join("r" if right else "l" for right in _numeric(names, rows))
    yield f"% \\usepackage{{booktabs}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule"
    yield f"{' & '.join(map(latex, names))} \\\\\n\\midrule"
    for row in rows:
        yield f"{' & '.join(latex(_cell(value)) for value in row)} \\\\"
    yield "\\bottomrule\n\\end{tabular}"


def markdown(text: str) -> str:
    """Text as Markdown shows it, on one line."""
    return "".join(f"\\{one}" if one in _MARKDOWN else one for one in one_line(text))


def latex(text: str) -> str:
    """Text as LaTeX sets it, on one line."""
    return "".join(_LATEX.get(one, one) for one in one_line(text))


def _cell(value: object) -> str:
    return "" if value is None else value_text(value, 10_000)


def _row(cells: Iterator[str] | map[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _numeric(names: Sequence[str], rows: Rows) -> list[bool]:
    return [all(isinstance(row[i], (int, float, type(None))) for row in rows) for i in range(len(names))]
