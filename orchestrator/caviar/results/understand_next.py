"""What the next sweep should search, by what one has found: each change with its reason, and no parameter is fixed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.display.numbers import number, option_text
from caviar.errors import NoResultError
from caviar.results.statistics.importance import good_among
from caviar.results.understand import understood
from caviar.results.understand_caveats import diverged_in_words
from caviar.results.understand_data import Scaled, SweepData, sweep_data
from caviar.results.understand_findings import NextDocument, ProposedParameter
from caviar.results.understand_next_file import next_file, no_file_of
from caviar.search.zoom import Box, limits, narrowed
from caviar.search.zoom_places import number_edge
from caviar.space import Choice, Parameter, Space, parameter_from_json

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep
    from caviar.results.understand_findings import DivergedRegion, ParameterFindings, UnderstandDocument

OUT = 0.3
"""An end on which the best press is moved out by this share of the range, on its scale."""
SURE = 0.05
"""Options are dropped only where chance would leave one out of the good so clearly in less than this many sweeps."""


def next_document(opened: OpenSweep, *, trials: int | None = None, folder: str | None = None) -> NextDocument:
    """Propose the next sweep after one that was sampled from its space.

    Args:
        opened: The sweep.
        trials: How many it should have; None: as many as the sweep had.
        folder: In which the file will lie; None: not known.

    Raises:
        NoResultError: The trials say nothing of the space.
        SpecError: It is a retest.
    """
    data = sweep_data(opened)
    if data.refused is not None:
        raise NoResultError(
            f"{opened.title} says nothing of where to search next: {data.refused}; caviar zoom {data.sweep} looks round"
            " its best"
        )
    found = understood(opened, data)
    document = NextDocument(
        sweep=data.sweep,
        name=_name(data.plan.name),
        metric=data.plan.metric,
        mode=data.plan.mode,
        trials=trials or data.plan.trials,
        trials_reason=_trials_reason(found),
        parameters=tuple(_proposed(data, found)),
        file=None,
        no_file=no_file_of(opened),
    )
    if document.no_file is not None:
        return document
    return replace(document, file=next_file(opened, data.plan, document, folder))


def _name(name: str) -> str:
    """`digits` → `digits-next` → `digits-next2`."""
    stem, dash, number = name.rpartition("-next")
    if not dash or not (number == "" or number.isdecimal()):
        return f"{name}-next"
    return f"{stem}-next{int(number or 1) + 1}"


def _trials_reason(found: UnderstandDocument) -> str:
    assert found.more is not None
    gain = number(float(f"{found.more.gain:.2g}"))
    return (
        f"as many again, in the old space: better in {found.more.chance:.0%}, by {gain} on average; "
        "what the best is worth beside its luck, caviar retest says"
    )


def _proposed(data: SweepData, found: UnderstandDocument) -> list[ProposedParameter]:
    """All parameters of the space, in order; those that are held or constant stay as they are."""
    searched = {one.name: one for one in data.parameters}
    findings = {one.name: one for one in found.parameters}
    best = _best_config(data)
    space = {name: data.plan.held.get(name, one) for name, one in data.plan.space.items()}
    waited_for = {parent for one in space.values() for parent in one.when or ()}
    proposed = []
    for name, parameter in space.items():
        after, reason = parameter, "held: there were too few trials for its tier" if name in data.plan.held else ""
        if name in findings:
            one, says = searched[name], findings[name]
            after, reason = _changed(data, one, says, best.get(name), keep_all=name in waited_for)
            after, reason = _below_cut(data, one, found.diverged_region, after, reason)
            if not says.matters:
                reason = _kept(found)
        same = after.to_json() == parameter.to_json()
        proposed.append(
            ProposedParameter(
                name=name, before=parameter.to_json(), after=after.to_json(), changed=not same, reason=reason
            )
        )
    Space({one.name: parameter_from_json(one.after) for one in proposed})  # it holds together, or says why not
    return proposed


def _kept(found: UnderstandDocument) -> str:
    missed = found.weak_missed
    often = f"{round(10 * missed)} in 10" if missed >= 0.1 else f"in {missed:.0%} of sweeps"
    return f"kept: no effect seen, a weak one is missed {often}"


def _best_config(data: SweepData) -> dict[str, Any]:
    """Values of the best trial, of those parameters that were searched."""
    row = int(data.values.argmin())
    here = {one.name: float(one.axis.places[row]) for one in data.parameters}
    return {one.name: one.value(here[one.name], up=False) for one in data.parameters if not np.isnan(here[one.name])}


def _changed(
    data: SweepData, one: Scaled, says: ParameterFindings, best: Any, *, keep_all: bool
) -> tuple[Parameter, str]:
    """A parameter over the region where the best lie, moved out where they press on an end, and why."""
    parameter: Any = one.parameter
    if not says.matters:
        return parameter, ""
    if isinstance(parameter, Choice) and not parameter.ordered:
        return _options(data, one, best, keep_all=keep_all)
    low, high = _box(one, says)
    if isinstance(parameter, Choice) and keep_all:
        return parameter, "kept: others wait for its options"
    after = narrowed(parameter, Box(low=low, high=high, word=""), best)
    reason = f"the best lie there (p {says.p:.3f})"
    if says.edge is not None:
        end = one.parameter.low if says.edge == "low" else one.parameter.high  # type: ignore[union-attr]
        reason = f"the best press on {option_text(end)} (p {says.p:.3f})"
    elif low == 0.0 and high == 1.0:
        reason = f"the best lie all over it (p {says.p:.3f})"
    return after, reason


def _box(one: Scaled, says: ParameterFindings) -> tuple[float, float]:
    """The region as places on the scale of a parameter, 0 and 1 being its bounds, moved out at an edge."""
    parameter: Any = one.parameter
    if isinstance(parameter, Choice):
        half = 0.5 / parameter.count
        return parameter.place(says.low) - half, parameter.place(says.high) + half
    half = 0.0 if parameter.lattice is None else parameter.lattice.half
    low, high = (number_edge(parameter, end) for end in (says.low - half, says.high + half))
    floor, ceiling = limits(parameter)
    if says.edge == "low":
        low = max(-OUT, floor)
    if says.edge == "high":
        high = min(1.0 + OUT, ceiling)
    return (low if says.edge == "low" else max(0.0, low)), (high if says.edge == "high" else min(1.0, high))


def _options(data: SweepData, one: Scaled, best: Any, *, keep_all: bool) -> tuple[Parameter, str]:
    """A choice without the options that clearly did badly, two at least: chance would have had one among the good."""
    parameter, axis = one.parameter, one.axis
    assert isinstance(parameter, Choice)
    exists = axis.exists
    good = good_among(data.values, exists, data.rng)
    tried = np.bincount(axis.cell[exists], minlength=axis.cells)
    did_well = np.bincount(axis.cell[good], minlength=axis.cells)
    all_bad = [_none_of(int(exists.sum()), len(good), int(count)) < SURE / parameter.count for count in tried]
    order = sorted(range(parameter.count), key=lambda k: (all_bad[k] and not did_well[k], -did_well[k]))
    keep = {k for k in order if did_well[k] or not all_bad[k]} | set(order[:2])
    gone = [parameter.options[k] for k in range(parameter.count) if k not in keep]
    if not gone:
        return parameter, "kept: none of its options is clearly bad"
    if keep_all:
        return parameter, "kept: others wait for its options"
    options = [parameter.options[k] for k in sorted(keep)]
    default = best if parameter.default in gone else parameter.default
    named = ", ".join(option_text(option, 20) for option in gone)
    after = replace(parameter, options=options, prior=None, default=default)
    return after, f"dropped {named}: not among the best {len(good)} of {int(exists.sum())}"


def _none_of(trials: int, good: int, tried: int) -> float:
    """The chance that none of so many trials is good, if which are good has nothing to do with them."""
    left = np.arange(good)
    return float(np.prod(np.maximum(trials - tried - left, 0) / (trials - left)))


def _below_cut(
    data: SweepData, one: Scaled, region: DivergedRegion | None, after: Parameter, reason: str
) -> tuple[Parameter, str]:
    """A range without the side of the cut where trials diverge, if no good trial lies there."""
    parameter: Any = after
    if region is None or region.parameter != one.name or not hasattr(parameter, "low") or one.axis.count is not None:
        return after, reason
    values = np.array(one.parameter.values(data.axes[data.parameters.index(one)].places), dtype=np.float64)
    good = good_among(data.values, one.axis.exists, data.rng)
    beyond = values[good] >= region.value if region.side == "high" else values[good] <= region.value
    inside = parameter.low < region.value < parameter.high
    if beyond.any() or not inside:
        return after, reason
    narrower = {"high": region.value} if region.side == "high" else {"low": region.value}
    if parameter.lattice is not None:
        return after, reason
    said = f"{reason}; " if reason else ""
    return replace(parameter, **narrower, prior=None), f"{said}{diverged_in_words(region)}, none of them good"
