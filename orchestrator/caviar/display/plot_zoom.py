"""The lecture's picture of coarse to fine: coarse points, the box round the best of them, fine points inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caviar.display.figure import BLUE, DARK, GREY, ORANGE, PAD, mark, new_figure, words
from caviar.display.plot_ticks import ticks, value_ticks, value_unit
from caviar.errors import SpecError
from caviar.search.zoom import Box, Zoom
from caviar.space import Constant, did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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


def zoom_figure(
    title: str, metric: str, mode: str, zoom: Zoom, dots: Sequence[Dot], axes: tuple[str | None, str | None]
) -> Figure:
    """Draw it.

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
    figure = new_figure(title)
    shown = figure.axes[0]
    _box(shown, x, y)
    best = _best(dots, mode)
    for name, kind in _kinds(zoom, dots, metric).items():
        chosen = [best] if name == "best" and best else [dot for dot in dots if _kind_of(dot) == name]
        at = [(x.of(dot), y.of(dot)) for dot in chosen]
        kind.plot(shown, [(across, up) for across, up in at if across is not None and up is not None])
    shown.set_xlim(x.low, x.high)
    shown.set_ylim(y.low, y.high)
    mark(shown, "x", x.marks, x.title)
    mark(shown, "y", y.marks, y.title)
    figure.legend(loc="outside lower left", ncols=3, fontsize=8, frameon=False)
    return figure


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


def _box(axes: Axes, x: _Axis, y: _Axis) -> None:
    from matplotlib.colors import to_rgb  # noqa: PLC0415
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    if x.box is None and y.box is None:
        return
    low = (x.box.low if x.box else x.low, y.box.low if y.box else y.low)
    high = (x.box.high if x.box else x.high, y.box.high if y.box else y.high)
    size = (high[0] - low[0], high[1] - low[1])
    axes.add_patch(Rectangle(low, *size, edgecolor=BLUE, facecolor=(*to_rgb(BLUE), 0.06), linewidth=1.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How trials of a kind are drawn."""

    words: str
    marker: str
    size: float
    edge: str
    face: str

    def plot(self, axes: Axes, at: Sequence[tuple[float, float]]) -> None:
        paint: dict[str, Any] = (
            {"color": self.edge} if self.marker == "x" else {"edgecolors": self.edge, "facecolors": self.face}
        )
        across, up = [one[0] for one in at], [one[1] for one in at]
        axes.scatter(across, up, s=self.size, marker=self.marker, linewidths=1.2, label=self.words, **paint)


def _kinds(zoom: Zoom, dots: Sequence[Dot], metric: str) -> dict[str, _Kind]:
    """The kinds that there are, in the order in which they are drawn."""
    fine = sum(dot.fine for dot in dots)
    without = [dot.stopped for dot in dots if dot.value is None]
    kinds = {
        "coarse": _Kind(words=f"{len(dots) - fine} coarse", marker="o", size=26, edge=GREY, face="none"),
        "good": _Kind(words=f"best {zoom.top} of them", marker="o", size=26, edge=DARK, face=GREY),
    }
    if fine:
        kinds["fine"] = _Kind(words=f"{fine} fine", marker="o", size=26, edge=BLUE, face=BLUE)
    if any(without):
        kinds["stopped"] = _Kind(words="stopped early", marker=".", size=12, edge=GREY, face=GREY)
    if not all(without):
        kinds["failed"] = _Kind(words="no usable result", marker="x", size=20, edge=GREY, face=GREY)
    kinds["best"] = _Kind(words=f"best {words(metric)}", marker="o", size=120, edge=ORANGE, face="none")
    return kinds


def _kind_of(dot: Dot) -> str:
    if dot.value is None:
        return "stopped" if dot.stopped else "failed"
    return "fine" if dot.fine else "good" if dot.good else "coarse"


def _best(dots: Sequence[Dot], mode: str) -> Dot | None:
    usable = [dot for dot in dots if dot.value is not None]
    sign = -1.0 if mode == "max" else 1.0
    return min(usable, key=lambda dot: sign * (dot.value or 0.0), default=None)
