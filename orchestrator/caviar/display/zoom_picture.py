"""The lecture's picture of coarse to fine: coarse points, the box round the best of them, fine points inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from caviar.display.axis_ticks import ticks, value_ticks, value_unit
from caviar.display.svg import Picture
from caviar.errors import SpecError
from caviar.search.zoom import Box, Zoom
from caviar.space import Constant, did_you_mean

WIDTH, HEIGHT = 760, 560
LEFT, RIGHT, TOP, BOTTOM = 86, 24, 74, 64
GREY, DARK, BLUE, ORANGE = "#9a9a9a", "#444", "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe and Ito (2008), which colour-blind people tell apart."""
PAD = 0.04
SMALL = 2.0
"""Radius of those that were stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One trial in the picture."""

    places: tuple[float, ...]
    """On the scales of the coarse sweep's parameters, in their order; NaN where one does not exist."""
    value: float | None
    """Of the metric; None: no usable one."""
    fine: bool
    good: bool = False
    """Whether it is one of those that the box holds."""
    stopped: bool = False
    """Whether the trial was stopped early, and so has no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    title: str
    marks: list[tuple[float, str]]
    low: float
    high: float
    of: Callable[[Dot], float | None]
    box: Box | None

    def share(self, place: float) -> float:
        return (place - self.low) / (self.high - self.low)


def picture(
    title: str, metric: str, mode: str, zoom: Zoom, dots: Sequence[Dot], axes: tuple[str | None, str | None]
) -> str:
    """Return the picture as SVG.

    Args:
        title: at the top.
        metric: what decides.
        mode: `min` or `max`.
        zoom: what became of each parameter.
        dots: coarse and fine trials.
        axes: names of the two parameters to show; None: those that were narrowed most, rather such that every trial
            has. The second may be the metric.

    Raises:
        SpecError: there is no such parameter, or it is a constant.
    """
    first, second = _chosen(zoom, metric, axes)
    x, y = _axis(zoom, first, dots), _metric_axis(metric, dots) if second == metric else _axis(zoom, second, dots)
    picture = Picture(WIDTH, HEIGHT, f"{title}: coarse trials, the box round the best, and fine trials")
    _frame(picture, x, y, title)
    _box(picture, x, y)
    best = _best(dots, mode)
    for dot in sorted(dots, key=lambda one: (one.fine, one is best)):
        _dot(picture, x, y, dot, best=dot is best)
    _legend(picture, zoom, dots, metric)
    return picture.svg()


def _chosen(zoom: Zoom, metric: str, axes: tuple[str | None, str | None]) -> tuple[str, str]:
    shown = [one.name for one in zoom.changes if not isinstance(one.before, Constant)]
    for name in axes:
        if name is not None and name not in shown and not (name == metric and name == axes[1]):
            raise SpecError(f"the picture has no axis {name!r}{did_you_mean(name, [*shown, metric])}")
    boxes = [(one.before.when is not None, one.box.high - one.box.low, one.name) for one in zoom.changes if one.box]
    ranked = [name for *_, name in sorted(boxes, key=lambda one: one[:2])]
    ranked += [name for name in shown if name not in ranked]
    first = axes[0] or next((name for name in ranked if name != axes[1]), None)
    if first is None:
        raise SpecError("a picture needs a parameter that is no constant")
    return first, axes[1] or next((name for name in ranked if name != first), metric)


def _axis(zoom: Zoom, name: str, dots: Sequence[Dot]) -> _Axis:
    j, change = next((j, one) for j, one in enumerate(zoom.changes) if one.name == name)
    places = [dot.places[j] for dot in dots if dot.places[j] == dot.places[j]]
    box = change.box
    low = min([0.0, *places] + ([box.low] if box else []))
    high = max([1.0, *places] + ([box.high] if box else []))
    scale = getattr(change.before, "scale", "linear")

    def of(dot: Dot) -> float | None:
        return dot.places[j] if dot.places[j] == dot.places[j] else None

    title = name if scale == "linear" else f"{name}, {scale} scale"
    return _Axis(title=title, marks=ticks(change.before, low, high), low=low - PAD, high=high + PAD, of=of, box=box)


def _metric_axis(metric: str, dots: Sequence[Dot]) -> _Axis:
    values = [dot.value for dot in dots if dot.value is not None] or [0.0, 1.0]
    low, high = min(values), max(values)
    unit = value_unit(low, high)
    span = (high / unit - low / unit) or 1.0

    def of(dot: Dot) -> float | None:
        return None if dot.value is None else (dot.value / unit - low / unit) / span

    return _Axis(title=metric, marks=value_ticks(low, high), low=-PAD, high=1.0 + PAD, of=of, box=None)


def _at(x: _Axis, y: _Axis, place: tuple[float, float]) -> tuple[float, float]:
    across = LEFT + x.share(place[0]) * (WIDTH - LEFT - RIGHT)
    return across, HEIGHT - BOTTOM - y.share(place[1]) * (HEIGHT - TOP - BOTTOM)


def _frame(picture: Picture, x: _Axis, y: _Axis, title: str) -> None:
    foot, left = HEIGHT - BOTTOM, float(LEFT)
    for place, label in x.marks:
        across = _at(x, y, (place, 0.0))[0]
        picture.line((across, TOP), (across, foot), "#eee")
        picture.text((across, foot + 18), label)
    for place, label in y.marks:
        down = _at(x, y, (0.0, place))[1]
        picture.line((left, down), (WIDTH - RIGHT, down), "#eee")
        picture.text((left - 8, down + 4), label, anchor="end")
    picture.line((left, foot), (WIDTH - RIGHT, foot), DARK)
    picture.line((left, TOP), (left, foot), DARK)
    picture.text((LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 16), x.title, size=14)
    picture.text((18, TOP + (HEIGHT - TOP - BOTTOM) / 2), y.title, size=14, turn=-90)
    picture.text((left, 24), title, anchor="start", size=16)


def _box(picture: Picture, x: _Axis, y: _Axis) -> None:
    if x.box is None and y.box is None:
        return
    low = _at(x, y, (x.box.low if x.box else x.low, y.box.low if y.box else y.low))
    high = _at(x, y, (x.box.high if x.box else x.high, y.box.high if y.box else y.high))
    picture.box((low[0], high[1]), (high[0] - low[0], low[1] - high[1]), BLUE, filled=0.06)


def _dot(picture: Picture, x: _Axis, y: _Axis, dot: Dot, *, best: bool) -> None:
    across, up = x.of(dot), y.of(dot)
    if across is None or up is None:
        return
    at = _at(x, y, (across, up))
    if dot.value is None:
        colour = BLUE if dot.fine else GREY
        picture.dot(at, SMALL, colour) if dot.stopped else picture.cross(at, 3.5, colour)
        return
    fill = BLUE if dot.fine else GREY if dot.good else "none"
    picture.dot(at, 4.5, BLUE if dot.fine else DARK if dot.good else GREY, fill)
    if best:
        picture.dot(at, 9.0, ORANGE)


def _best(dots: Sequence[Dot], mode: str) -> Dot | None:
    usable = [dot for dot in dots if dot.value is not None]
    sign = -1.0 if mode == "max" else 1.0
    return min(usable, key=lambda dot: sign * (dot.value or 0.0), default=None)


def _legend(picture: Picture, zoom: Zoom, dots: Sequence[Dot], metric: str) -> None:
    fine = sum(dot.fine for dot in dots)
    coarse = len(dots) - fine
    entries = [("coarse", f"{coarse} coarse"), ("good", f"best {zoom.top} of them")]
    entries += [("fine", f"{fine} fine")] if fine else []
    entries += [("best", f"best {metric}")]
    without = [dot.stopped for dot in dots if dot.value is None]
    entries += [("stopped", "stopped early")] if any(without) else []
    entries += [("failed", "no usable result")] if not all(without) else []
    across = float(LEFT) + 6
    for kind, words in entries:
        at = (across, 48.0)
        if kind == "failed":
            picture.cross(at, 3.5, GREY)
        elif kind == "stopped":
            picture.dot(at, SMALL, GREY)
        elif kind == "best":
            picture.dot(at, 6.0, ORANGE)
        else:
            fill = {"coarse": "none", "good": GREY, "fine": BLUE}[kind]
            picture.dot(at, 4.5, {"coarse": GREY, "good": DARK, "fine": BLUE}[kind], fill)
        picture.text((across + 11, 52), words, anchor="start")
        across += 34 + 6.6 * len(words)
