"""The parameter that a column of values was drawn from: as somebody writes it in a few characters, or as it looks."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from caviar.errors import SpecError
from caviar.space.choice import Choice
from caviar.space.constant import Constant
from caviar.space.float_parameter import Float
from caviar.space.int_parameter import Int
from caviar.space.parameter import Parameter
from caviar.space.round_numbers import outwards
from caviar.space.scale import KNOWN, Scale, check_scale

FEW = 12
"""Different numbers, at most, that are taken for options rather than for draws from a range."""
TIMES = 3
"""How often each of these occurs then, in the mean, at least."""
MOST_OPTIONS = 256
ROOM = 5.0
"""A bound moves out to a round number by so many times the mean gap between two values, at most …"""
LEAST_ROOM, MOST_ROOM = 0.01, 0.05
"""… but within these shares of the range."""
CLEARLY = 0.8
"""Another scale than `linear` is chosen where values are spread more evenly on it by this factor."""

_RANGE = re.compile(r"(?:(\w+):)?([^.\s,]*(?:\.(?!\.)[^.\s,]*)?)\.\.([^\s,]+)")


def inferred(values: Sequence[Any]) -> Parameter:
    """The parameter whose values these may be.

    * One value: a constant. Texts and truth values: a choice. Up to 12 different numbers, each three times in the mean:
      an ordered choice, unless they are all whole numbers between two.
    * Else a range from the smallest to the largest value; whole if all values are. Its scale is the one on which they
      are spread most evenly, by the largest gap between their distribution and an even one (Kolmogorov, Smirnov);
      `linear` unless another one is clearly better. A bound that is not whole moves out to a round number that is near:
      of n draws, the outermost lies 1/n of the range within.

    Args:
        values: At least one, each a number, a truth value or a text.

    Raises:
        SpecError: They are infinite, too large, or too many different texts.
    """
    different = sorted(set(values), key=lambda one: (str(type(one)), one))
    if len(different) == 1:
        return Constant(different[0])
    if any(isinstance(one, (bool, str)) for one in different):
        if len(different) > MOST_OPTIONS:
            raise SpecError(f"it has {len(different):,} different texts, and a choice to import at most {MOST_OPTIONS}")
        return Choice(different)
    low, high = different[0], different[-1]
    if not math.isfinite(float(high) - float(low)):
        raise SpecError(f"it has values from {low!r} to {high!r}, and no range holds these")
    whole = all(isinstance(one, int) for one in different)
    full = whole and high - low == len(different) - 1
    if len(different) <= FEW and len(different) * TIMES <= len(values) and not full:
        return Choice(different, ordered=True)
    scale = _scale(np.array(values, np.float64), whole=whole)
    return Int(low, high, scale) if whole else _rounded(low, high, scale, len(values))


def _rounded(low: float, high: float, scale: Scale, count: int) -> Float:
    """The range between two values, or between round numbers just outside of them."""
    its = KNOWN[scale]
    near = min(MOST_ROOM, max(LEAST_ROOM, ROOM / count)) * abs(its.axis(high) - its.axis(low))

    def rounded(value: float, *, up: bool) -> float:
        for other in (0.0, outwards(value, up=up, digits=1), outwards(value, up=up, digits=2)):
            outside = other >= value if up else other <= value
            if outside and its.lower < other < its.upper and abs(its.axis(other) - its.axis(value)) <= near:
                return other
        return value

    return Float(rounded(low, up=False), rounded(high, up=True), scale)


def _scale(values: np.ndarray[Any, Any], *, whole: bool) -> Scale:
    low, high = float(values.min()), float(values.max())
    even = {"linear": CLEARLY * _unevenness(values)}
    if low >= 1 or (low > 0 and not whole):
        even["log"] = _unevenness(np.log(values))
    if high < 1 and not whole:
        even["reverse_log"] = _unevenness(-np.log1p(-values))
    return check_scale("Float", min(even, key=lambda name: even[name]))


def _unevenness(places: np.ndarray[Any, Any]) -> float:
    """The largest difference between the distribution of some places and an even one over their range, 0 … 1."""
    placed = np.sort(places)
    span = placed[-1] - placed[0]
    if not math.isfinite(span) or span <= 0:
        return math.inf
    steps = np.arange(len(placed) + 1) / len(placed)
    u = (placed - placed[0]) / span
    return float(max(np.abs(u - steps[:-1]).max(), np.abs(u - steps[1:]).max()))


def written(text: str, *, whole: bool) -> Parameter:
    """The parameter of a short text: `1e-4..1`, `log:1e-4..1` (or `log:1e-4:1`), or `adam,sgd`.

    Args:
        text: What somebody wrote.
        whole: Whether all values are whole numbers: a range between such is one of whole numbers then.

    Raises:
        SpecError: It is none of these, or breaks a rule of the parameter.
    """
    found = _RANGE.fullmatch(re.sub(r"(?<=\w:)([^:,]+):(?=[^:,]+$)", r"\1..", text.strip()))
    if found is None:
        options = [_option(one.strip()) for one in text.split(",")]
        if ".." in text or (not all(options) and "" in options):
            raise SpecError(f"a range is written as 1e-4..1 or log:1e-4..1, and options as adam,sgd, got {text!r}")
        return Choice(options) if len(options) > 1 else Constant(options[0])
    scale = check_scale("Float", found[1] or "linear")
    low, high = _option(found[2]), _option(found[3])
    if isinstance(low, str) or isinstance(high, str) or isinstance(low, bool) or isinstance(high, bool):
        raise SpecError(f"a range is written as 1e-4..1 or log:1e-4..1, with numbers, got {text!r}")
    if whole and isinstance(low, int) and isinstance(high, int):
        return Int(low, high, scale)
    return Float(low, high, scale)


def _option(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.casefold(), text)


def in_words(parameter: Parameter) -> str:
    """What it is, in as few characters as `written` reads, such as `log 1e-4 to 1`."""
    if isinstance(parameter, (Float, Int)):
        scale = "" if KNOWN[parameter.scale].name == "linear" else f"{parameter.scale} "
        return f"{scale}{parameter.low:g} to {parameter.high:g}"
    if isinstance(parameter, Choice):
        return f"one of {', '.join(map(str, parameter.options[:FEW]))}" + (", …" if parameter.count > FEW else "")
    return f"always {parameter.value}"
