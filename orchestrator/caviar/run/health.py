"""One thing that was looked at: how it is, and what to type if it should be otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was found.

    Attributes:
        name: of what was looked at; one word or two.
        health: `warning`: sweeps run, but worse than they could; `failed`: they do not.
        found: what it is, in words.
        advice: what to do and to type; empty: nothing.
    """

    name: str
    health: Health = Health.OK
    found: str
    advice: str = ""
