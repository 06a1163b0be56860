"""A zoom that was not run, as a document: each parameter's old and new range, and the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caviar.search.zoom import Change, Zoom
    from caviar.spec.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterChange:
    """What a zoom makes of one parameter.

    Attributes:
        name: of the parameter.
        before: the parameter, as the parent's plan has it.
        after: the same in the zoom's plan; None: it does not exist any more.
        box: where the best trials lie, low and high, on the scale of `before`, from 0 to 1; None: it has no scale, or
            did not exist among the best.
        word: about the change.
    """

    name: str
    before: dict[str, Any]
    after: dict[str, Any] | None
    box: tuple[float, float] | None
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomDocument:
    """A zoom into a sweep.

    Attributes:
        store: where it is.
        parent: id of the sweep.
        top: how many of its best trials the boxes hold.
        of: out of how many.
        parameters: in the order of the space.
        plan: of the new sweep, as the store would keep it.
    """

    store: str
    parent: str
    top: int
    of: int
    parameters: tuple[ParameterChange, ...]
    plan: dict[str, Any]


def zoom_document(parent: str, zoom: Zoom, plan: Plan, store: str) -> ZoomDocument:
    """A zoom into the sweep `parent`, and the plan over its space."""
    return ZoomDocument(
        store=store,
        parent=parent,
        top=zoom.top,
        of=zoom.of,
        parameters=tuple(map(_change, zoom.changes)),
        plan=plan.to_json(),
    )


def _change(change: Change) -> ParameterChange:
    return ParameterChange(
        name=change.name,
        before=change.before.to_json(),
        after=None if change.after is None else change.after.to_json(),
        box=None if change.box is None else (change.box.low, change.box.high),
        word=change.word,
    )
