"""How many trials a sweep may train at a time since it was asked, as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caviar.store import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleDocument:
    """A sweep that was asked to train more or fewer trials at a time.

    Attributes:
        sweep: its id.
        state: running, finished, interrupted or failed.
        max_slots: trials at a time, at most.
    """

    sweep: str
    state: str
    max_slots: int


def scale_document(sweep: SweepDir, max_slots: int) -> ScaleDocument:
    """How a sweep stands that has taken a request for `max_slots` trials at a time."""
    return ScaleDocument(sweep=sweep.id, state=sweep.state(), max_slots=max_slots)
