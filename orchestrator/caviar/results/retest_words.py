"""The verdict of a retest in words: who wins, what the winner is worth, which difference would have been seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.display.numbers import MISSING, counted, number, with_half_width

if TYPE_CHECKING:
    from caviar.results.retest import RetestDocument, RetestedTrial


def seeds_in_words(document: RetestDocument) -> str:
    """`5 fresh seeds each`."""
    return f"{document.seeds} fresh seeds each" if document.seeds else "on fresh seeds"


def trial_name(document: RetestDocument, one: RetestedTrial) -> str:
    """`t19`, or, where another sweep of the family had it, `t19 of 20261123-041233-7f3a`."""
    return f"t{one.trial}" if one.sweep == document.sweep else f"t{one.trial} of {one.sweep}"


def verdict_lines(document: RetestDocument) -> list[str]:
    """The verdict, what its winner is worth, and which difference would have been seen."""
    said = [_verdict(document)]
    if document.missing:
        lack = counted(document.missing, "training")
        resume = f"caviar resume {document.retests[-1]}"
        said.append(f"{lack} to come, while it runs" if document.running else f"{lack} missing: {resume}")
    winner = document.winner
    if winner is not None:
        said.append(_worth(document, winner))
    if document.unmoved:
        said.append("each configuration has one and the same value on all its seeds: does train use trial.seed?")
    if document.gap is not None and len(document.trials) > 1:
        after = ""
        if document.next_gap is not None and document.verdict == "tie":
            after = f"; with --repeats {document.next_seeds} one of {number_2(document.next_gap)}"
        said.append(f"a gap of {number_2(document.gap)} shows in 8 of 10{after}")
    return said


def _verdict(document: RetestDocument) -> str:
    if not document.verdict:
        return "no verdict yet"
    if document.verdict == "none":
        return "no winner: all that were left failed on a fresh seed, or were stopped"
    live = [trial_name(document, one) for one in document.trials if one.live]
    if document.verdict == "measured":
        return f"{live[0]}, measured on fresh seeds"
    if document.verdict == "wins":
        return f"{live[0]} wins"
    text = f"tie: {', '.join(live)}. Best mean {live[0]}"
    other = document.cheaper
    if other is None:
        return text
    named = f"t{other.trial}" if other.sweep == document.sweep else f"t{other.trial} of {other.sweep}"
    return f"{text}; {named} is {number_2(other.behind)} behind, {other.faster:.1f} × faster"


def _worth(document: RetestDocument, winner: RetestedTrial) -> str:
    value = MISSING if winner.value is None else with_half_width(winner.value, winner.half_width)
    lucky = "" if winner.lucky is None else f" (the sweep said {number(winner.lucky)})"
    text = f"{trial_name(document, winner)}: {document.metric} {value}{lucky}"
    if document.on_other_examples is not None:
        share = f"if it is a share of {document.examples:,}"
        return f"{text}; on other examples ± {number_2(document.on_other_examples)}, {share}"
    return f"{text}; for other seeds, on the same data"


def number_2(value: float) -> str:
    """Two digits of a difference."""
    return f"{value:.2g}"
