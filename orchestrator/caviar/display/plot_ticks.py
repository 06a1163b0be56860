"""Where an axis has its marks, and what they say: round values of the parameter, on its scale."""

from __future__ import annotations

from caviar.search.zoom import value_at
from caviar.search.zoom_places import number_place
from caviar.space import Choice, Constant, Int, Parameter
from caviar.space.round_numbers import even_steps
from caviar.space.scale import KNOWN

LONGEST = 14


def ticks(parameter: Parameter, low: float, high: float) -> list[tuple[float, str]]:
    """Return (place on the parameter's scale, label) of the marks between two places."""
    if isinstance(parameter, Constant):
        return [(0.5, _short(parameter.value))]
    if isinstance(parameter, Choice):
        return [((k + 0.5) / parameter.count, _short(one)) for k, one in enumerate(parameter.options)]
    ends = [value_at(parameter.scale, parameter.low, parameter.high, place) for place in (low, high)]
    values = KNOWN[parameter.scale].ticks(ends[0], ends[1])
    if isinstance(parameter, Int):
        values = [value for value in values if float(value).is_integer()] or [parameter.low, parameter.high]
    found = [(number_place(parameter, value), tick_text(value, 10)) for value in values]
    return [(place, label) for place, label in found if low - 1e-9 <= place <= high + 1e-9]


def value_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return (share of the way from low to high, label) of round values between them."""
    unit = value_unit(low, high)
    first, last = low / unit, high / unit
    span = (last - first) or 1.0
    return [((value - first) / span, tick_text(value * unit)) for value in even_steps(first, last)]


def tick_text(value: float, digits: int = 6) -> str:
    """A round value in the shorter form that numbers have everywhere: 0.001, 1e-5, 2e8."""
    mantissa, power, exponent = f"{value:.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if power else mantissa


def value_unit(low: float, high: float) -> float:
    """Return a divisor of values whose differences are then neither beyond the largest float nor nothing."""
    largest = max(abs(low), abs(high))
    return 1e300 if largest > 1e300 else 1e-290 if 0 < largest < 1e-290 else 1.0


def _short(option: object) -> str:
    words = str(option)
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
