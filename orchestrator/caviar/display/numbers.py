"""How a number, a duration and a parameter's value are written for a person to read."""

import json
import math
import numbers

from caviar.display.sanitize import one_line

SIGNIFICANT = 4
MISSING = "-"


def number(value: object) -> str:
    """Four significant digits, in the shorter of the usual forms: `0.0712`, `1e-4`, `2.5e7`.

    Close to 1 there are more (`0.99995`). Integers keep all their digits, None is `-`; what is not finite is
    `nan`, `inf` or `-inf`.
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return _real(float(value))
    return str(value)


def _real(x: float) -> str:
    if not math.isfinite(x):
        return str(x)
    # Rounded before the form is chosen: 999999.7 is 1e6, not 1000000.
    rounded = float(f"{x:.{SIGNIFICANT - 1}e}")
    if rounded == 0 or 1e-3 <= abs(rounded) < 1e6:
        return _fixed(x)
    short = _scientific(x)
    return min(_fixed(x), short, key=len) if abs(rounded) < 1e-3 else short


def _fixed(x: float) -> str:
    if x == 0:
        return "0"
    if 0.999 < abs(x) < 1:
        # A momentum of 0.99995 must not read as 1: two digits of what is missing to 1.
        decimals = 1 - math.floor(math.log10(1 - abs(x)))
    else:
        decimals = SIGNIFICANT - 1 - math.floor(math.log10(abs(x)))
    text = f"{x:.{max(decimals, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scientific(x: float) -> str:
    mantissa, exponent = f"{x:.{SIGNIFICANT - 1}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def value_text(value: object, width: int = 40) -> str:
    """A parameter's value on one line of at most `width` characters; lists and mappings as JSON."""
    if isinstance(value, str):
        return one_line(value, width)
    if value is None or isinstance(value, numbers.Real):
        return number(value)
    return one_line(json.dumps(value, default=str, ensure_ascii=False), width)


def option_text(value: object, width: int = 40) -> str:
    """A value that a configuration has: as `value_text`, but None is one too."""
    return "None" if value is None else value_text(value, width)


def config_text(config: dict[str, object]) -> str:
    """A configuration on one line: `lr=0.031 beta=0.987 units=210`."""
    return " ".join(f"{one_line(name, 40)}={option_text(value)}" for name, value in config.items())


def duration(seconds: float | None) -> str:
    """Seconds as `0.8s`, `52s`, `3m20s`, `2h05m` or `3d04h`; `?` when not known."""
    if seconds is None or not math.isfinite(seconds):
        return "?"
    seconds = max(seconds, 0.0)
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


def age(seconds: float) -> str:
    """How long ago, in one unit: `now`, `52s`, `3m`, `2h`, `4d`, `9w`."""
    whole = int(seconds)
    if whole < 1:
        return "now"
    units = ((604800, "w", 8), (86400, "d", 2), (3600, "h", 2), (60, "m", 2))
    for length, unit, least in units:
        if whole >= least * length:
            return f"{whole // length}{unit}"
    return f"{whole}s"


def counted(count: int, noun: str) -> str:
    """`1 trial`, `64 trials`: a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def sized(size: int) -> str:
    """`1 byte`, `12,345 bytes`."""
    return f"{size:,} byte" if size == 1 else f"{size:,} bytes"


def with_half_width(value: float, half_width: float | None) -> str:
    """`0.0250 ± 0.0051`: the half width with two digits, the value with as many decimals."""
    if not half_width or not math.isfinite(half_width) or not math.isfinite(value):
        return number(value)
    decimals = min(12, max(0, 1 - math.floor(math.log10(half_width))))
    if decimals > 7 or abs(value) >= 1e7:
        return f"{number(value)} ± {half_width:.2g}"
    return f"{value:.{decimals}f} ± {half_width:.{decimals}f}"
