"""A check for drift on a terminal: what has changed, what the canary says, the verdict, and what could not be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.cli.best_page import literal
from caviar.cli.output import emit, say
from caviar.display.numbers import counted, number
from caviar.display.typed_commands import typed

if TYPE_CHECKING:
    from caviar.results.drift import CanaryDocument, DriftDocument

SHOWN_CHANGES = 5


def print_drift(document: DriftDocument) -> None:
    """Write it to stdout; of one that was not due, a word to stderr."""
    named = f"{document.name or 'sweep'} ({document.sweep}) t{document.trial}"
    if not document.verdict:
        say(f"{named} was looked at on {document.looked[:10]}: nothing to check")
        return
    changed = f"; changed: {changes_in_words(document.changed)}" if document.changed else "; no change seen"
    emit(f"{named}, looked at on {document.looked[:10]}{changed}", hang=2)
    if document.canary is not None:
        emit(canary_in_words(document.canary), hang=2)
    for line in verdict_lines(document):
        emit(line, hang=2)
    if document.verdict == "drifted" and document.code == "today":
        emit("  is it the code, or data and machine? the old code, now:", hang=2)
        emit(f"  {typed('caviar retest')} {document.sweep} --since 1s --stored-code")
    if document.verdict == "retune":
        emit()
        emit("# config of the better neighbour")
        emit(literal(document.neighbours[0].config))


def verdict_lines(document: DriftDocument) -> list[str]:
    """The verdict with its numbers, and what it rests on."""
    metric, seeds = document.metric, counted(len(document.seeds), "seed")
    now = "no value" if document.now_mean is None else number(document.now_mean)
    was = "no value" if document.was_mean is None else number(document.was_mean)
    source = "a retest" if document.baseline == "retest" else "the stored code, today"
    head = f"{document.verdict}: {metric} {now}, was {was} by {source} ({seeds}, paired)"
    if (lost := sum(one is None for one in document.now)) > 0:
        head += f"; it diverged or failed on {lost} of them"
    if document.drop is not None:
        head += f"; {'any drop' if not document.drop else f'a drop of {number(document.drop)}'} shows in 8 of 10"
    return [head, f"  {_neighbours(document)}; a false alarm in 1 of 20 at most"]


def _neighbours(document: DriftDocument) -> str:
    count = len(document.neighbours)
    if not count:
        return "there is no other configuration near it"
    values = [one for one in document.neighbours[0].afresh if one is not None]
    best = (
        f"the best {number(sum(values) / len(values))} on {counted(len(values), 'fresh seed')}" if values else "failed"
    )
    found = "a better neighbour" if document.verdict == "retune" else "no better neighbour"
    return f"{found} of {count} ({best})"


def canary_in_words(canary: CanaryDocument) -> str:
    """What the canary says, in a line."""
    from caviar.results.drift import WHOSE

    whose = WHOSE[canary.code]
    if canary.outcome == "same":
        return f"canary same: {', '.join(canary.compared)} of the first report, bit for bit, with {whose}"
    if canary.outcome == "differs":
        return f"canary differs: {', '.join(canary.differing)} of the first report, with {whose}"
    why = f"two runs differ in {', '.join(canary.differing)}" if canary.differing else "there is nothing to compare"
    return f"canary says nothing: {why}, with {whose}"


def changes_in_words(changed: tuple[str, ...]) -> str:
    """The first few changes, and how many more there are."""
    more = len(changed) - SHOWN_CHANGES
    return f"{', '.join(changed[:SHOWN_CHANGES])}{f', and {more} more' if more > 0 else ''}"
