"""Options of ECharts for the pictures of a page that do not follow the selection, as plain dicts.

Every axis of numbers runs from 0 to 1, or over whole numbers, and has `ticks`: places and labels; so all scales and all
floats look alike. A colour is the name of a CSS variable. `caviar/display/page/charts.js` resolves both.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.display.numbers import duration
from caviar.display.plot_axes import fewer
from caviar.display.plot_ticks import ticks, value_ticks
from caviar.display.plot_values import ValueAxis, value_axis
from caviar.results.report.slots import MOST_BARS, PARTS
from caviar.results.retest_words import trial_name
from caviar.results.statistics.new_bests import new_bests
from caviar.results.understand_caveats import more_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caviar.results.report.slots import SlotUse
    from caviar.results.report.trial_rows import FloatArray, TrialRows
    from caviar.results.retest import RetestDocument
    from caviar.results.understand_findings import UnderstandDocument

Option = dict[str, Any]
MOST_DOTS = 2000
"""Trials that are shown as dots behind the best so far."""
PAD = 0.04
"""Beyond the ends of an axis of values."""
ROW, MARGIN = 22, 60
"""Pixels of a row of names, and round all of them."""


def importance(found: UnderstandDocument) -> Option | None:
    """Each parameter's share of the importance, with its 95 % interval; None: none is seen to matter."""
    if not any(one.matters for one in found.parameters):
        return None
    ordered = sorted(found.parameters, key=lambda one: one.share or 0.0)  # an axis begins at the bottom
    bars = [round(one.share or 0.0, 4) for one in ordered]
    intervals = [
        {"coords": [[round(one.share_low, 4), k], [round(one.share_high, 4), k]]}
        for k, one in enumerate(ordered)
        if one.share is not None and one.share_low is not None and one.share_high is not None
    ]
    return {
        "said": "share of what parts good trials from others (PED-ANOVA), with its 95 % interval; no bar: no "
        "effect is seen",
        "height": ROW * len(ordered) + MARGIN,
        "xAxis": _across(_axis([(k / 5, f"{20 * k} %") for k in range(6)])),
        "yAxis": _up(_names([one.name for one in ordered])),
        "series": [
            {"type": "bar", "data": bars, "barMaxWidth": 12, "itemStyle": {"color": "--pale"}},
            {
                "type": "lines",
                "coordinateSystem": "cartesian2d",
                "data": intervals,
                "lineStyle": {"color": "--ink", "width": 1.5, "opacity": 1},
                "silent": True,
                "z": 3,  # over the bars, or its lower end is hidden
            },
        ],
    }


def isolation(rows: TrialRows, found: UnderstandDocument, name: str) -> Option | None:
    """The best trial in each part of a parameter's range, beside what chance alone gives; None: it has no values."""
    one = next((one for one in found.parameters if one.name == name), None)
    if one is None or not any(part.best is not None for part in one.parts):
        return None
    best = _numbers(part.best for part in one.parts)
    low = _numbers(part.chance_low for part in one.parts)
    high = _numbers(part.chance_high for part in one.parts)
    axis = value_axis([best, low, high])
    count = len(one.parts)
    edges = [(k / count, (k + 1) / count) for k in range(count)]
    return {
        "title": name,
        "said": f"the best {found.metric} in each part of {name}, beside what chance alone gives",
        "xAxis": _across(_axis(ticks(rows.searched[name][1], 0.0, 1.0))),
        "yAxis": _up(_value_axis(axis)),
        "series": [
            *_band(_steps(edges, axis.places(low)), _steps(edges, axis.places(high)), "chance"),
            _line(_steps(edges, axis.places(best)), "--mark", width=2),
        ],
    }


def tuning_curve(found: UnderstandDocument) -> Option | None:
    """How good the best of k trials is, against k, with a band that holds for all k together; None: it is not known."""
    curve = found.curve
    if curve is None:
        return None
    lines = [_numbers(one) for one in (curve.expected, curve.median, curve.worst, curve.best)]
    axis = value_axis(lines)
    expected, median, worst, best = (axis.places(line) for line in lines)
    most = math.log2(max(2, curve.trials[-1]))
    x = [math.log2(k) / most for k in curve.trials]
    low, high = np.fmin(worst, best), np.fmax(worst, best)
    known = np.isfinite(worst) & np.isfinite(best)
    step = max(1, math.ceil(most / 8))
    marks = [(k / most, f"{2**k}") for k in range(0, int(most) + 1, step)]
    return {
        "said": ("" if found.more is None else f"{more_in_words(found.more)}. ")
        + "Half of all sweeps of so many trials do better than the thick line; dashed: the mean; the 95 % band ends "
        "where these trials can no longer tell",
        "xAxis": _across(_axis(marks), "trials"),
        "yAxis": _up(_value_axis(axis), f"best {found.metric}"),
        "series": [
            *_band(_points(x, np.where(known, low, np.nan)), _points(x, np.where(known, high, np.nan)), "band"),
            _line(_points(x, expected), "--faint", dashed=True),
            _line(_points(x, median), "--mark", width=2),
        ],
    }


def best_so_far(rows: TrialRows) -> Option | None:
    """The best value by how many trials have ended, with each new best by its name; None: there is none."""
    if not len(rows.order):
        return None
    in_order = rows.as_they_ended
    value, n = rows.value[in_order], len(in_order)
    new = new_bests(value, rows.plan.mode)
    axis = value_axis([value[new]])  # what is worse than the first lies beyond it
    line = [[int(k) + 1, _place(axis, value[k])] for k in new]
    heights = axis.places(value)
    inside = np.flatnonzero((heights >= 0) & (heights <= 1))
    dots = [[int(k) + 1, round(float(heights[k]), 5)] for k in inside if n <= MOST_DOTS]
    marks: list[Option] = [
        {"value": point, "name": f"t{int(rows.trial[in_order[k]])}"} for point, k in zip(line, new, strict=True)
    ]
    # The line comes to the last mark from the worse side and goes on to the right: its name stands between the two.
    beside = {"position": "right", "offset": [2, 10 if rows.plan.mode == "max" else -10], "color": "--best"}
    label = {"show": True, "formatter": marks[-1]["name"], "fontWeight": "bold", **beside}
    marks[-1] |= {"itemStyle": {"color": "--best"}, "label": label}
    across = _axis([(share * n, label) for share, label in value_ticks(0.0, float(n))])
    return {
        "said": "each step is a new best" + ("" if n <= MOST_DOTS else "; the other trials are left out"),
        "xAxis": _across(across | {"max": n}, "trials that have ended" if rows.timed else "trials"),
        "yAxis": _up(_value_axis(axis), rows.plan.metric),
        "series": [
            {"type": "scatter", "data": dots, "symbolSize": 3, "itemStyle": {"color": "--faint"}, "silent": True},
            _line([*line, [n, line[-1][1]]], "--mark", width=2) | {"step": "end"},
            {
                "type": "scatter",
                "data": marks,
                "symbolSize": 7,
                "itemStyle": {"color": "--mark"},
                "label": {"show": False, "position": "top", "color": "--best"},
            },
        ],
    }


def utilisation(rows: TrialRows, use: SlotUse) -> Option | None:
    """How busy the slots were over time; None: there are so few trials that the page shows each of them."""
    if rows.count <= MOST_BARS:
        return None
    x = ((np.arange(PARTS) + 0.5) / PARTS).tolist()
    return {
        "said": f"share of {use.slots:,} slots that were taken, imports included",
        "xAxis": _across(_axis(time_ticks(use.seconds))),
        "yAxis": _up(_axis([(k / 4, f"{25 * k} %") for k in range(5)]), "slots taken"),
        "series": [
            _line(_points(x, np.clip(use.parts, 0.0, 1.0)), "--mark") | {"areaStyle": {"color": "--band", "opacity": 1}}
        ],
    }


def retest(document: RetestDocument) -> Option | None:
    """Fresh seeds of each configuration, what it is worth, and what the sweep had said; None: there are none."""
    shown = list(document.trials)[::-1]  # an axis begins at the bottom
    if not any(one.values for one in shown):
        return None
    worth = {k: one for k, one in enumerate(shown) if one.value is not None and one.half_width is not None}
    ends = {k: (one.value - one.half_width, one.value + one.half_width) for k, one in worth.items()}  # type: ignore[operator]
    said = {k: one.lucky for k, one in enumerate(shown) if one.lucky is not None}
    every = [value for one in shown for value in one.values] + [end for pair in ends.values() for end in pair]
    axis = value_axis([np.array([*every, *said.values()])], log=False)
    dots = [[_place(axis, value), k] for k, one in enumerate(shown) for value in one.values]
    live = {k: "--best" if one.live else "--faint" for k, one in worth.items()}
    return {
        "said": "dots: fresh seeds; line: what it is worth, with its 95 % interval; diamond: what the sweep had said",
        "height": ROW * len(shown) + MARGIN,
        "xAxis": _across(_value_axis(axis), document.metric),
        "yAxis": _up(_names([trial_name(document, one) for one in shown])),
        "series": [
            {"type": "scatter", "data": dots, "symbolSize": 5, "itemStyle": {"color": "--faint"}, "silent": True},
            {
                "type": "lines",
                "coordinateSystem": "cartesian2d",
                "data": [
                    {
                        "coords": [[_place(axis, low), k], [_place(axis, high), k]],
                        "lineStyle": {"color": live[k], "width": 2.5, "opacity": 1},
                    }
                    for k, (low, high) in ends.items()
                ],
                "silent": True,
            },
            {
                "type": "scatter",
                "data": [
                    {"value": [_place(axis, one.value), k], "itemStyle": {"color": live[k]}} for k, one in worth.items()
                ],
                "symbolSize": 9,
                "silent": True,
            },
            {
                "type": "scatter",
                "symbol": "diamond",
                "data": [[_place(axis, value), k] for k, value in said.items()],
                "symbolSize": 9,
                "itemStyle": {"color": "--warn"},
                "silent": True,
            },
        ],
    }


def time_ticks(high: float) -> list[tuple[float, str]]:
    """Share and label of round times from 0 to `high` seconds."""
    step = next((one for one in _TIMES if high / one <= 7), None)
    step = step or _TIMES[-1] * math.ceil(high / _TIMES[-1] / 7)
    return (
        [(k * step / high, duration(k * step) if k else "0") for k in range(int(high / step) + 1)] if high > 0 else []
    )


_TIMES = (
    *(m * 10.0**e for e in (-3, -2, -1, 0) for m in (1, 2, 5)),
    10,
    20,
    30,
    60,
    120,
    300,
    600,
    1200,
    1800,
    3600,
    7200,
)
_TIMES = (*_TIMES, 14400, 21600, 43200, 86400, 172800, 604800)


def _axis(marks: Sequence[tuple[float, str]]) -> Option:
    return {"type": "value", "min": 0, "max": 1, "ticks": [[round(place, 5), label] for place, label in marks]}


def _names(names: list[str]) -> Option:
    """An axis of names, each of them shown."""
    return {"type": "category", "data": names, "axisLabel": {"width": 140}}


def _value_axis(axis: ValueAxis, most: int = 6) -> Option:
    return _axis(fewer(axis.marks(), most)) | {"min": -PAD, "max": 1 + PAD}


def _across(axis: Option, name: str = "") -> Option:
    """An axis along the bottom, with its name below it."""
    where: Option = {"name": name, "nameLocation": "middle", "nameGap": 24} if name else {}
    return _quiet(axis) | where | {"nameTextStyle": _SMALL}


def _up(axis: Option, name: str = "") -> Option:
    """An axis along the left; its name stands at its top, where it needs no room beside the labels."""
    where: Option = {"name": name, "nameLocation": "end", "nameGap": 10} if name else {}
    labels: Option = {"interval": 0, "overflow": "truncate", "width": 100} | axis.get("axisLabel", {})
    beside = {"align": "left", "padding": [0, 0, 0, -30]}
    return _quiet(axis | {"axisLabel": labels}) | where | {"nameTextStyle": _SMALL | beside}


def _quiet(axis: Option) -> Option:
    """An axis with little ink."""
    rule = {"lineStyle": {"color": "--line"}}
    labels = _SMALL | {"hideOverlap": True} | axis.get("axisLabel", {})
    return axis | {"axisLine": rule, "splitLine": rule, "axisTick": {"show": False}, "axisLabel": labels}


_SMALL: Option = {"color": "--faint", "fontSize": 11}


def _line(points: list[Any], colour: str, *, width: float = 1.2, dashed: bool = False) -> Option:
    style: Option = {"color": colour, "width": width} | ({"type": "dashed"} if dashed else {})
    return {"type": "line", "data": points, "showSymbol": False, "lineStyle": style, "silent": True}


def _band(low: list[Any], high: list[Any], stack: str) -> list[Option]:
    """Two stacked lines: one that is not seen, and the area from there up to the other one."""
    upper = [[x, None if a is None or b is None else round(b - a, 5)] for (x, a), (_, b) in zip(low, high, strict=True)]
    bare: Option = {"type": "line", "stack": stack, "showSymbol": False, "lineStyle": {"opacity": 0}, "silent": True}
    return [{**bare, "data": low}, {**bare, "data": upper, "areaStyle": {"color": "--band", "opacity": 1}}]


def _steps(edges: Sequence[tuple[float, float]], places: FloatArray) -> list[Any]:
    """The same height from one edge to the next."""
    return [
        [round(edge, 5), None if math.isnan(place) else round(place, 5)]
        for pair, place in zip(edges, places.tolist(), strict=True)
        for edge in pair
    ]


def _points(x: Sequence[float], places: FloatArray) -> list[Any]:
    return [[round(a, 5), None if math.isnan(b) else round(b, 5)] for a, b in zip(x, places.tolist(), strict=True)]


def _place(axis: ValueAxis, value: Any) -> float | None:
    found = float(axis.places(value))
    return None if math.isnan(found) else round(found, 5)


def _numbers(values: Iterable[float | None]) -> FloatArray:
    """NaN for None. Twelve digits: what a mean is off by its rounding would fill the axis of equal values."""
    return np.array([np.nan if one is None else float(f"{one:.12g}") for one in values], np.float64)
