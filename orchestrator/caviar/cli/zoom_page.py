"""A zoom for a person: each parameter's old and new range, in words and as a picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from caviar.cli.dry_run_page import parameter_text
from caviar.cli.output import say
from caviar.display.zoom_picture import Dot, picture
from caviar.errors import SpecError
from caviar.results.family import children
from caviar.results.next_sweep import need_points, zoom_into
from caviar.results.selector import select
from caviar.search.zoom_places import child_boxes, places_in
from caviar.spec.plan import Plan
from caviar.store import Views
from caviar_workers.states import State

if TYPE_CHECKING:
    from caviar.results.zoom import ParameterChange, ZoomDocument
    from caviar.search.zoom import Zoom
    from caviar.space import Space
    from caviar.store import Store, SweepDir


def zoom_lines(document: ZoomDocument, title: str) -> list[str]:
    """A zoom for a person: `lr  float log  1e-4 to 1  →  0.0121 to 0.108  narrowed to 24% of the range`."""
    from caviar.display.numbers import counted
    from caviar.display.sanitize import one_line
    from caviar.display.wrap import column_width, padded

    rows = [
        (one_line(one.name), parameter_text(_bare(one.before)), _after(one), one.word) for one in document.parameters
    ]
    widths = [column_width(row[i] for row in rows) for i in range(3)]
    plan = document.plan
    lines = [f"{title}: round the best {document.top} of {document.of} trials", ""]
    for name, before, after, word in rows:
        was, becomes = padded(before, widths[1]), padded(after, widths[2])
        lines.append(f"  {padded(name, widths[0])}  {was}  →  {becomes}  {word}")
    return [*lines, "", f"plan   {plan['name']}, {counted(plan['trials'], 'trial')}, seed {plan['seed']}"]


def _bare(parameter: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameter.items() if key not in {"when", "prior"}}


def _after(change: ParameterChange) -> str:
    """The new range; what stays as it was is not said again."""
    if change.after is None:
        return "gone"
    before, after = parameter_text(_bare(change.before)), parameter_text(_bare(change.after))
    return "the same" if before == after else after.partition("  ")[2]


Axes = tuple[str | None, str | None]


def write_family_picture(store: Store, sweep: SweepDir, file: str, *, axes: Axes, top: int | None) -> None:
    """Write a picture of a sweep and its parent; without one, its newest child; without that, the box of a zoom."""
    from caviar.results.family import parent_of

    parent = parent_of(sweep)
    known = {one.id: one for one in store.readable()}
    coarse, fine = (
        (known[parent], sweep) if parent in known else (sweep, next(iter(children(store, sweep)[::-1]), None))
    )
    zoom = zoom_into(store, coarse, top=top)
    if fine is not None:
        zoom = child_boxes(zoom, Plan.from_json(fine.description()["plan"]).space)
    write_picture(store, coarse, zoom, fine, file, axes=axes)


def write_picture(store: Store, coarse: SweepDir, zoom: Zoom, fine: SweepDir | None, file: str, *, axes: Axes) -> None:
    """Write the picture to a file, which appears whole or not at all.

    Raises:
        SpecError: The file's name does not end in .svg, or there is no such axis.
        SpecError: The file cannot be written.
    """
    if Path(file).suffix.lower() != ".svg":
        raise SpecError(f"the picture is an SVG, which every browser shows, but got {file!r}: call it FILE.svg")
    plan = Plan.from_json(coarse.description()["plan"])
    dots = _dots(store, coarse, plan.space, fine=False, good=zoom.top)
    if fine is not None:
        dots += _dots(store, fine, plan.space, fine=True, good=0)
    text = picture(f"{plan.name} ({coarse.id})", plan.metric, plan.mode, zoom, dots, axes)
    aside = f"{file}.{uuid4().hex[:8]}.tmp"
    try:
        Path(aside).write_text(text, encoding="utf-8")
        os.replace(aside, file)
    except OSError as error:
        Path(aside).unlink(missing_ok=True)
        raise SpecError(f"cannot write {file}: {error.strerror or error}; name another file") from error
    say(f"drew {file}")


def _dots(store: Store, sweep: SweepDir, coarse: Space, *, fine: bool, good: int) -> list[Dot]:
    plan = Plan.from_json(sweep.description()["plan"])
    with Views(store, [sweep]) as views:
        rows = select(views, sweep.description(), k=2**31 - 1, steps=False).rows
        ended = "SELECT trial, u, state FROM trials WHERE state IN ('COMPLETED', 'STOPPED', 'FAILED') ORDER BY trial"
        found = views.execute(ended).fetchall()
    points = {trial: u for trial, u, _ in found}
    need_points(sweep.id, points, plan.space)
    stopped = {trial for trial, _, state in found if state == State.STOPPED}
    if not points:
        return []
    values = {row.trial: row.value for row in rows}
    among = {row.trial for row in rows[:good]}
    places = places_in(coarse, plan.space, np.array(list(points.values())))
    return [
        Dot(places=tuple(place), value=values.get(trial), fine=fine, good=trial in among, stopped=trial in stopped)
        for trial, place in zip(points, places.tolist(), strict=True)
    ]
