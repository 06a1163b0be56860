"""What to know before one trusts the best trial of a sweep: a sentence each, with its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.display.numbers import number, option_text
from caviar.results.best import luck_in_words
from caviar.results.family import newest_retest
from caviar.results.understand_findings import Caveat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caviar.results.open_sweep import OpenSweep
    from caviar.results.understand_curves import StillImproving
    from caviar.results.understand_data import SweepData
    from caviar.results.understand_findings import DivergedRegion, MoreTrials, UnderstandDocument

MOST_NAMED = 5


def caveats(opened: OpenSweep, data: SweepData, document: UnderstandDocument) -> tuple[Caveat, ...]:
    """All that there is to say beside what a document has found."""
    return tuple(_found(opened, data, document))


def _found(opened: OpenSweep, data: SweepData, document: UnderstandDocument) -> Iterator[Caveat]:
    if document.refused is not None:
        yield Caveat(kind="refused", text=f"no importance, regions, bands or edges: {document.refused}")
    yield from _of_the_sweep(opened, data)
    yield from _ties(data, document)
    if document.refused is None and not document.enough:
        near = document.near_best
        text = f"only {near} trial{' is' if near == 1 else 's are'} near the best: where it lies is not well known"
        yield Caveat(kind="few_near_best", text=text)
    for one in document.parameters:
        if one.edge is not None:
            value = one.parts[0].low if one.edge == "low" else one.parts[-1].high
            text = f"the best press on the {one.edge} end of {one.name}, {option_text(value)}: better may lie beyond"
            yield Caveat(kind="edge", text=text)
    if document.diverged_region is not None:
        yield Caveat(kind="diverged", text=diverged_in_words(document.diverged_region))
    elif document.diverged:
        yield Caveat(kind="diverged", text=f"{document.diverged} of {document.trials} trials diverged")
    improving = document.still_improving
    if improving is not None and improving.improving * 2 > improving.trials:
        yield Caveat(kind="still_improving", text=improving_in_words(improving))
    if document.left_out:
        text = ", ".join(f"{count} {why}" for why, count in document.left_out.items())
        yield Caveat(kind="left_out", text=f"left out: {text}")


def _of_the_sweep(opened: OpenSweep, data: SweepData) -> Iterator[Caveat]:
    """What follows from how the sweep was made, whatever its trials found."""
    if opened.sweep.state() == "running":
        yield Caveat(kind="running", text="it still runs, and trials that are quick to end came first")
    luck = luck_in_words(data.trainings, len(data.values))
    if luck is not None:
        retested = newest_retest(opened.store, opened.sweep) is not None
        kind = "one_seed" if data.trainings == 1 else "few_seeds"
        worth = f"; what it is worth: caviar best {opened.sweep.id}" if retested else ""
        yield Caveat(kind=kind, text=luck + worth)


def _ties(data: SweepData, document: UnderstandDocument) -> Iterator[Caveat]:
    equal = data.trials[data.values == data.values.min()].tolist()
    if len(equal) > 1:
        named = ", ".join(f"t{trial}" for trial in equal[:MOST_NAMED]) + (", …" if len(equal) > MOST_NAMED else "")
        text = f"tie of {len(equal)}: {named} all have {number(document.best)}"
        yield Caveat(kind="tie", text=text)


def improving_in_words(found: StillImproving) -> str:
    """Whether more steps would help the best."""
    return f"{found.improving} of the best {found.trials} were best in the last tenth of their curves"


def more_in_words(found: MoreTrials) -> str:
    """What more trials would gain."""
    return f"{found.trials} more: better in {found.chance:.0%}, by {number(float(f'{found.gain:.2g}'))} on average"


def diverged_in_words(found: DivergedRegion) -> str:
    """`8 of 9 diverged have lr ≥ 0.3, where 21 trials are`."""
    sign = "≥" if found.side == "high" else "≤"
    where = f"{found.parameter} {sign} {option_text(found.value)}"
    return f"{found.diverged} of {found.of} diverged have {where}, where {found.trials} trials are"


def in_ten(share: float) -> str:
    """`6 in 10`; `1 in 50` where that is less than one in ten."""
    return f"{round(10 * share)} in 10" if share >= 0.1 else "1 in 50" if share >= 0.015 else "hardly ever"
