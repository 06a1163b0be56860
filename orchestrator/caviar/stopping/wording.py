"""Numbers in the sentences that tell a decision."""

from __future__ import annotations

from typing import Any


def number(value: Any) -> str:
    """Four digits of a number; `nothing` for None."""
    return "nothing" if value is None else f"{float(value):.4g}"


def apart(value: float | None, bar: float | None) -> tuple[str, str]:
    """Both as text, with so many digits that they look different where they are."""
    if value is not None and bar is not None and value != bar:
        for digits in (4, 7, 11):
            texts = f"{value:.{digits}g}", f"{bar:.{digits}g}"
            if texts[0] != texts[1]:
                return texts
        return repr(float(value)), repr(float(bar))
    return number(value), number(bar)
