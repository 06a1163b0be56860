"""What a space probably does not mean: scales that do not suit their range, pairs that look like one, and repeats.

Advice in a line each, never a refusal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from caviar.space.choice import Choice
from caviar.space.float_parameter import Float
from caviar.space.int_parameter import Int
from caviar.space.parameter import Parameter
from caviar.space.scale import inverse

DECADES = 1000.0
"""A linear range over this factor leaves its lower decades nearly untried."""
NARROW = 3.0
"""Within this factor a log scale hardly differs from a linear one."""
NEAR_ONE = 10.0
"""A range in which 1 − value changes by this factor is one for reverse_log."""
FEW = 5
"""So few integers are better on a linear scale."""


def scale_advice(parameters: Mapping[str, Parameter]) -> tuple[str, ...]:
    """Return a sentence for each parameter whose scale probably does not suit its range, in order."""
    found = (
        _pair_advice(name, one) if isinstance(one, Choice) else _advice(name, one.scale, one.low, one.high, one)
        for name, one in parameters.items()
        if isinstance(one, (Float, Int, Choice))
    )
    return tuple(line for line in found if line is not None)


def repeat_advice(parameters: Mapping[str, Parameter], trials: int) -> tuple[str, ...]:
    """Return a sentence where a sweep has more trials than there are configurations."""
    counts = [one.count for one in parameters.values()]
    different = math.prod(count for count in counts if count is not None)
    if None in counts or trials <= different:
        return ()
    return (
        f"there are {different:,} different configurations at most, so {trials - different:,} of the {trials:,} trials "
        f"repeat one with another seed; trials={different} with sampler='grid' tries each once",
    )


def _pair_advice(name: str, choice: Choice) -> str | None:
    if not choice.bare_pair:
        return None
    low, high = sorted(choice.options)
    kind = "Int" if choice.kind == "int" else "Float"
    return (
        f"{name}: {tuple(choice.options)!r} is a choice of these two values, and nothing between them; write "
        f"{kind}({low!r}, {high!r}) for the range, or Choice([{low!r}, {high!r}]) for the two"
    )


def _advice(name: str, scale: str, low: float, high: float, parameter: Float | Int) -> str | None:
    if scale == "linear" and low > 0.0 and high / low >= DECADES:
        top = 1.0 - inverse("linear", low, high, high / 10.0)
        return (
            f"{name}: on a linear scale from {low:g} to {high:g}, {top:.0%} of the draws lie above {high / 10.0:g}; "
            f"scale='log' gives every decade its share"
        )
    if scale == "linear" and low >= 0.5 and high < 1.0 and (1.0 - low) / (1.0 - high) >= NEAR_ONE:
        near = 1.0 - (1.0 - high) * NEAR_ONE
        return (
            f"{name}: on a linear scale from {low:g} to {high:g}, only "
            f"{1.0 - inverse('linear', low, high, near):.0%} of the draws lie above {near:g}; "
            f"scale='reverse_log' spreads 1 − {name} by factors"
        )
    if scale == "log" and isinstance(parameter, Int) and parameter.count <= FEW:
        return f"{name}: {parameter.count} integers from {low:g} to {high:g} are too few for a log scale; leave it out"
    if scale == "log" and high / low <= NARROW:
        return (
            f"{name}: from {low:g} to {high:g} is a factor of {high / low:.3g}, within which a log scale hardly "
            f"differs from a linear one; leave it out, or widen the range"
        )
    return None
