"""What a sweep tells of its space, on a terminal: a line a finding, and what to know before one trusts it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from caviar.cli.output import emit, say_left_out
from caviar.display.console import STRONG
from caviar.display.numbers import MISSING, counted, number, option_text
from caviar.display.sanitize import one_line
from caviar.display.table import Column, print_table
from caviar.display.typed_commands import typed
from caviar.results.understand_caveats import improving_in_words, in_ten, more_in_words

if TYPE_CHECKING:
    from caviar.results.understand_findings import BestOfTrials, ParameterFindings, UnderstandDocument

UNKNOWN = "?"


def print_understood(document: UnderstandDocument, title: str) -> None:
    """Write all of it to stdout."""
    emit(title, hang=2)
    emit(f"{document.rule}, {document.mode}; {_trials(document)}", hang=2)
    emit(_best(document), hang=2)
    if document.refused is None:
        emit()
        _print_parameters(document)
        for line in _curve_lines(document):
            emit(line, hang=2)
    for line in _learning(document):
        emit(line, hang=2)
    emit()
    emit("before you trust it:")
    for one in document.caveats:
        emit(f"  {typed(one.text)}", hang=4)


def _trials(document: UnderstandDocument) -> str:
    diverged = f", of which {document.diverged} diverged and count as worst" if document.diverged else ""
    return f"{counted(document.trials, 'trial')}{diverged}"


def _best(document: UnderstandDocument) -> str:
    enough = "enough" if document.enough else "few"
    near = f"{counted(document.near_best, 'trial')} near the best: {enough}"
    median = MISSING if document.median is None else number(document.median)
    return f"best t{document.winner} {number(document.best)}, median {median}; {near}"


def _print_parameters(document: UnderstandDocument) -> None:
    """What matters, the most important first, and what is not seen to."""
    matter = sorted((one for one in document.parameters if one.matters), key=lambda one: -(one.share or 0.0))
    columns = [
        Column(name="matters", keep=True, style=STRONG),
        Column(name="p", align="right"),
        Column(name="share", align="right"),
        Column(name="95 %", align="right"),
        Column(name="the best lie in", keep=True, shrink=True),
    ]
    rows = [
        [
            one_line(one.name),
            p_text(one.p),
            f"{one.share or 0:.2f}",
            f"{one.share_low or 0:.2f} to {one.share_high or 0:.2f}",
            region_text(one),
        ]
        for one in matter
    ]
    if rows:
        say_left_out(print_table(columns, rows, sys.stdout))
    unseen = [one_line(one.name) for one in document.parameters if not one.matters]
    if unseen:
        missed = in_ten(document.weak_missed)
        emit(f"no effect seen: {', '.join(unseen)}; a weak one (6 % of the variance) is missed {missed}", hang=2)
    emit()


def region_text(one: ParameterFindings) -> str:
    """`3e-4 to 0.06`, `70 to 100, and press on 100`, or the options that do well."""
    if one.low is None:
        return ", ".join(option_text(option, 20) for option in one.options) or "all of it"
    text = f"{option_text(one.low, 20)} to {option_text(one.high, 20)}"
    if one.edge is not None:
        value = one.parts[0].low if one.edge == "low" else one.parts[-1].high
        text += f", and press on {option_text(value, 20)}"
    return text


def p_text(p: float | None) -> str:
    """`.003`, `.2`, or `-`."""
    return MISSING if p is None else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _curve_lines(document: UnderstandDocument) -> list[str]:
    curve, more = document.curve, document.more
    if curve is None or more is None:
        return []
    shown = [k for k in range(len(curve.trials)) if curve.trials[k] in _shown_trials(document.trials)]
    told = [f"{curve.trials[k]}: {_of_median(curve, k)}" for k in shown]
    return [f"best of k trials, median (best to worst, 95 %): {'; '.join(told)}", more_in_words(more)]


def _shown_trials(trials: int) -> set[int]:
    """Few numbers of trials, each four times the one before."""
    return {4**power for power in range(1, 12) if 4**power <= trials // 2} | {trials}


def _of_median(curve: BestOfTrials, k: int) -> str:
    """`0.51 (0.48 to 0.53)`; `?` where these trials cannot tell."""
    worst, best = (UNKNOWN if one is None else number(one) for one in (curve.worst[k], curve.best[k]))
    return f"{UNKNOWN if curve.median[k] is None else number(curve.median[k])} ({best} to {worst})"


def _learning(document: UnderstandDocument) -> list[str]:
    lines = []
    improving, gap = document.still_improving, document.gap
    if improving is not None and not any(one.kind == "still_improving" for one in document.caveats):
        lines.append(improving_in_words(improving))
    if gap is not None and gap.winner is not None and gap.all is not None:
        lines.append(
            f"worse than {one_line(gap.metric)} by {number(gap.winner)} in the best trial, "
            f"by {number(gap.all)} in the median one"
        )
    return lines
