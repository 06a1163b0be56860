"""The picture of a zoom, from what the store holds of the coarse sweep and of the fine one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from caviar.cli.output import say
from caviar.errors import SpecError
from caviar.plan import Plan
from caviar.plot import Dot, picture
from caviar.results.family import children
from caviar.results.next_sweep import need_points, zoom_into
from caviar.results.selector import select
from caviar.store import Views
from caviar.zoom import drawn_box, places_in
from caviar_workers.states import State

if TYPE_CHECKING:
    from caviar.space import Space
    from caviar.store import Store, SweepDir
    from caviar.zoom import Zoom

Axes = tuple[str | None, str | None]


def draw_family(store: Store, sweep: SweepDir, file: str, *, axes: Axes, top: int | None) -> None:
    """Draw a sweep and its parent; without one, its newest child; without that, the box that a zoom would draw."""
    from caviar.results.family import parent_of

    parent = parent_of(sweep)
    known = {one.id: one for one in store.readable()}
    coarse, fine = (
        (known[parent], sweep) if parent in known else (sweep, next(iter(children(store, sweep)[::-1]), None))
    )
    zoom = zoom_into(store, coarse, top=top)
    if fine is not None:
        zoom = drawn_box(zoom, Plan.from_json(fine.description()["plan"]).space)
    draw(store, coarse, zoom, fine, file, axes=axes)


def draw(store: Store, coarse: SweepDir, zoom: Zoom, fine: SweepDir | None, file: str, *, axes: Axes) -> None:
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
