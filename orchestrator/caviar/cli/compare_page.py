"""Two sweeps, compared, on a terminal: a line each, the verdict, and what could have been seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.cli.output import emit
from caviar.cli.understand_page import p_text
from caviar.display.numbers import counted, number

if TYPE_CHECKING:
    from caviar.results.compare import CompareDocument


def print_comparison(document: CompareDocument, titles: tuple[str, str]) -> None:
    """Write all of it to stdout."""
    for title, side in zip(titles, (document.first, document.second), strict=True):
        diverged = f", {side.diverged} diverged" if side.diverged else ""
        left_out = "".join(f", {count} {why} left out" for why, count in side.left_out.items())
        emit(f"{title}: {side.rule}, {document.mode}; {counted(side.trials, 'trial')}{diverged}{left_out}", hang=2)
        emit(f"  best {number(side.best)}; mean best of {document.budget}: {number(side.expected)}", hang=4)
    emit()
    emit(_verdict(document, titles), hang=2)
    emit(_could_see(document), hang=2)


def _verdict(document: CompareDocument, titles: tuple[str, str]) -> str:
    p = p_text(document.p)
    if document.verdict == "none":
        return f"no difference seen: two sweeps of one space differ as much with p = {p}"
    if document.verdict == "mixed":
        return (
            f"they differ (p = {p}), but neither is better: one has the better trials, the other the better best of"
            f" {document.budget}"
        )
    better = titles[0] if document.verdict == "first" else titles[1]
    return f"{better} searched the better space: two sweeps of one space differ as much with p = {p}"


def _could_see(document: CompareDocument) -> str:
    if document.could_see is None:
        return "no difference could have been seen with so few trials: run more"
    gap = number(float(f"{document.could_see:.2g}"))
    return f"a difference of {gap} in all trials shows in 8 of 10"
