"""What a page is told of each parameter, and the columns of its values and of where they lie on its scale."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.display.numbers import option_text
from caviar.display.plot_ticks import ticks
from caviar.results.report.scales import LARGEST, LAST, MISSING, SMALLEST, near_one, single
from caviar.results.report.trial_rows import places_of
from caviar.search.zoom_places import number_edge
from caviar.space import Choice, Constant

if TYPE_CHECKING:
    from caviar.results.report.trial_rows import FloatArray, TrialRows
    from caviar.results.understand_findings import ParameterFindings, UnderstandDocument
    from caviar.space import Parameter

MOST_PAIRS = 6
MOST_PLACES = 20
"""Where values of a parameter have more, their dots hide few others."""
LONGEST = 60
"""Characters of an option's label."""
MOST_GOOD = 5
"""Options that are named."""
SHORT = 1e-3
"""Floats of 32 bits show too few digits of what is missing to 1 where less than this is."""


def parameters_document(rows: TrialRows, found: UnderstandDocument | None) -> list[dict[str, Any]]:
    """The parameters that are searched, the most important first; those that are not seen to matter as the space has
    them.
    """
    findings = {one.name: one for one in found.parameters} if found is not None else {}
    names = sorted(rows.searched, key=lambda name: -_share(findings.get(name)))
    return [_told(name, rows.searched[name][1], findings.get(name)) for name in names]


def fixed_document(rows: TrialRows) -> list[dict[str, str]]:
    """Parameters with one value, and those that are held at their defaults."""
    space = rows.plan.space
    return [
        {"label": f"{name} (fixed)", "shown": _fixed(one) + (", held" if name in rows.plan.held else "")}
        for name, one in space.items()
        if name not in rows.searched
    ]


def pairs_document(parameters: list[dict[str, Any]]) -> list[list[int]]:
    """Pairs of parameters to plot against each other: of those that matter, or of the first three if few do."""
    matter = [k for k, one in enumerate(parameters) if one["matters"]]
    chosen = matter[:4] if len(matter) > 2 else list(range(min(3, len(parameters))))
    return [list(pair) for pair in combinations(chosen, 2)][:MOST_PAIRS]


def parameter_columns(rows: TrialRows, parameters: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Columns `p0` … of values, `u0` … of places and, where dots would hide one another, `d0` … of where these lie."""
    values = rows.plan.space.arrays(rows.u)
    found = {}
    for k, told in enumerate(parameters):
        name = told["name"]
        j, parameter = rows.searched[name]
        here = np.broadcast_to(rows.exists.get(name, True), rows.count)
        if isinstance(parameter, Choice):
            option = parameter.values(rows.u[:, j])
            found[f"p{k}"] = np.where(here, np.minimum(option, MISSING - 1), MISSING).astype(np.uint16)
        else:
            found[f"p{k}"] = _numbers(parameter, np.ma.getdata(values[name]), here)
        places = np.clip(rows.places(name), 0.0, 1.0)
        found[f"u{k}"] = _placed(places)
        if (dots := spread(parameter, places, rows.trial)) is not None:
            found[f"d{k}"] = _placed(dots)
    return found


def _placed(places: FloatArray) -> np.ndarray:
    return np.where(np.isnan(places), MISSING, np.rint(places * LAST)).astype(np.uint16)


def spread(parameter: Any, places: FloatArray, trial: np.ndarray) -> FloatArray | None:
    """Where dots of few places (choices, small integers) are drawn, or they would hide one another; None: at these.

    The parameter decides it, and not who has trained so far: else each new trial would move the others' dots.
    """
    if parameter.count is None or parameter.count > MOST_PLACES:
        return None
    known = np.unique(places_of(parameter, parameter.levels(parameter.count)))
    gap = float(np.diff(known).min()) if len(known) > 1 else 0.5
    return np.clip(places + (_scattered(trial) - 0.5) * gap * 0.6, 0.0, 1.0)


def _scattered(trial: np.ndarray) -> FloatArray:
    """Numbers in [0, 1) that look random and are the same each time."""
    mixed = (trial.astype(np.uint64) + 1) * 0x9E3779B1 & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x85EBCA6B & 0xFFFFFFFF
    return (mixed ^ mixed >> 13) / 2.0**32


def _share(findings: ParameterFindings | None) -> float:
    return (findings.share or 0.0) if findings is not None else 0.0


def _told(name: str, parameter: Any, findings: ParameterFindings | None) -> dict[str, Any]:
    choice = isinstance(parameter, Choice)
    low, high = _region(parameter, findings)
    return {
        "name": name,
        "kind": "choice" if choice else parameter.kind,
        "scale": None if choice else parameter.scale,
        "ticks": [[place, label] for place, label in ticks(parameter, 0.0, 1.0)],
        "options": [option_text(one, LONGEST) for one in parameter.options] if choice else [],
        "matters": findings is not None and findings.matters,
        "importance": None if findings is None else findings.share,
        "low_u": low,
        "high_u": high,
        "aside": _aside(None if choice else parameter.scale, findings),
        "edge": None if findings is None else findings.edge,
        "constant": False,
    }


def _aside(scale: str | None, findings: ParameterFindings | None) -> str:
    """`62 % · log · good: 3e-4 to 0.06`: the share of the importance, the scale, and where the best lie."""
    told = [] if scale in (None, "linear") else [str(scale).replace("_", " ")]
    if findings is None or not findings.matters:
        return " · ".join(told)
    if findings.share:
        told.insert(0, f"{findings.share:.0%}".replace("%", " %"))
    if findings.low is not None:
        told.append(f"good: {option_text(findings.low, 20)} to {option_text(findings.high, 20)}")
    elif findings.options:
        told.append(f"good: {', '.join(option_text(one, 20) for one in findings.options[:MOST_GOOD])}")
    return " · ".join(told)


def _region(parameter: Any, findings: ParameterFindings | None) -> tuple[float | None, float | None]:
    """Where the best lie, as places on the scale, with the cells of both ends."""
    if findings is None or findings.low is None or findings.high is None:
        return None, None
    if isinstance(parameter, Choice):
        half = 0.5 / parameter.count
        return parameter.place(findings.low) - half, parameter.place(findings.high) + half
    half = 0.0 if parameter.lattice is None else parameter.lattice.half
    low, high = number_edge(parameter, findings.low - half), number_edge(parameter, findings.high + half)
    return max(0.0, low), min(1.0, high)


def _fixed(parameter: Parameter) -> str:
    if isinstance(parameter, Constant):
        return option_text(parameter.value, LONGEST)
    only = parameter.options[0] if isinstance(parameter, Choice) else parameter.low
    return option_text(only, LONGEST)


def _numbers(parameter: Any, values: FloatArray, here: Any) -> np.ndarray:
    """Whole numbers as 32 bits where these hold them and none is negative, for −1 is none; floats likewise."""
    finite = values[here]
    if parameter.kind == "int" and parameter.low >= 0 and parameter.high < 2**31:
        return np.where(here, values, -1).astype(np.int32)
    found = np.where(here, values, np.nan).astype(np.float64)
    if parameter.kind == "int" or not _fits(finite):
        return found
    if parameter.scale == "reverse_log" and len(finite) and (1 - finite).min() < SHORT:
        return near_one(found)
    return single(found)


def _fits(values: FloatArray) -> bool:
    """Whether floats of 32 bits hold these."""
    size = np.abs(values[values != 0])
    return not len(size) or bool(size.max() < LARGEST and size.min() > SMALLEST)
