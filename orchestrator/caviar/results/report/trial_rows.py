"""The trials of a sweep as columns of numbers, read with one query: what all pictures of a page are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from caviar.errors import NotFoundError, StoreError
from caviar.results.edited import edited_trials
from caviar.results.next_sweep import ALL
from caviar.results.repeats import may_repeat
from caviar.results.selector import Selection, select
from caviar.search.zoom_places import number_place
from caviar.space import Choice, Constant
from caviar.spec.plan import Plan

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep
    from caviar.space import Parameter, Space

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class TrialRows:
    """The n trials of a sweep that have begun or ended, by number.

    Attributes:
        plan: of the sweep.
        selection: of all trials by the sweep's own rule.
        began: when the first of them did, in milliseconds since 1970; None: nobody knows.
        trial: their numbers, ascending, [n].
        state: of each, as the store calls it, [n].
        step: of the last report, [n]; -1: none.
        value: by the sweep's rule, [n]; NaN: no usable one.
        started: in seconds since `began`, [n]; NaN: not known.
        ended: likewise; NaN: not yet.
        seconds: inside the user's function, of the last attempt, [n]; NaN: not known.
        attempts: that began, [n].
        reports: rows of the curve, [n].
        u: points, [n, d of the space].
    """

    plan: Plan
    selection: Selection | None
    began: int | None
    trial: IntArray
    state: npt.NDArray[np.object_]
    step: IntArray
    value: FloatArray
    started: FloatArray
    ended: FloatArray
    seconds: FloatArray
    attempts: IntArray
    reports: IntArray
    u: FloatArray

    @property
    def count(self) -> int:
        """How many trials there are."""
        return len(self.trial)

    @cached_property
    def row(self) -> dict[int, int]:
        """Trial → its row."""
        return {trial: row for row, trial in enumerate(self.trial.tolist())}

    @cached_property
    def order(self) -> IntArray:
        """Rows with a usable value, the best first; of equal ones the smaller number."""
        good = np.flatnonzero(np.isfinite(self.value))
        sign = -1.0 if self.plan.mode == "max" else 1.0
        return good[np.argsort(sign * self.value[good], kind="stable")]

    @cached_property
    def timed(self) -> bool:
        """Whether it is known when each trial ended that has a usable value."""
        return not np.isnan(self.ended[self.order]).any()

    @cached_property
    def as_they_ended(self) -> IntArray:
        """Rows of the trials that have ended, the first one first; of all, by number, where it is not `timed`."""
        if not self.timed:
            return np.arange(self.count)
        ends = np.flatnonzero(~np.isnan(self.ended))
        return ends[np.argsort(self.ended[ends], kind="stable")]

    @cached_property
    def exists(self) -> dict[str, BoolArray]:
        """Conditional parameter → in which trials it exists, [n]."""
        return self.plan.space.active(self.u)

    @cached_property
    def searched(self) -> dict[str, tuple[int, Parameter]]:
        """Parameter that is searched → its place in the space, and itself."""
        items = enumerate(self.plan.space.items())
        return {name: (j, one) for j, (name, one) in items if not isinstance(one, Constant) and one.count != 1}

    def places(self, name: str) -> FloatArray:
        """Where the trials lie on a searched parameter's scale, [n], in [0, 1]; NaN where it does not exist."""
        j, parameter = self.searched[name]
        found = places_of(parameter, self.u[:, j])
        return np.where(self.exists.get(name, True), found, np.nan)


def places_of(parameter: Any, u: FloatArray) -> FloatArray:
    """What `search.zoom_places.places_in` gives of one parameter in its own space, without a loop over trials."""
    if isinstance(parameter, Choice):
        return np.asarray((parameter.values(u) + 0.5) / parameter.count)
    if parameter.lattice is None:
        return np.asarray(parameter.places(u))
    values, which = np.unique(parameter.values(u), return_inverse=True)
    return np.array([number_place(parameter, value) for value in values.tolist()], np.float64)[which]


def trial_rows(opened: OpenSweep) -> TrialRows:
    """Read the trials of a sweep.

    Raises:
        StoreError: A trial has a point that is none of its space.
    """
    plan = Plan.from_json(opened.sweep.description()["plan"])
    points = "".join(f", u[{j + 1}] AS u{j}" for j in range(len(plan.space)))
    found = fetched(
        opened,
        "SELECT trial, state, step, epoch_ms(started) AS started, epoch_ms(ended) AS ended, busy, attempts, rows, "
        f"coalesce(len(u), 0) AS d{points} FROM trials WHERE state <> 'PENDING' OR started IS NOT NULL ORDER BY trial",
    )
    started = _floats(found["started"])
    known = ~np.isnan(started)  # an imported trial ended when it was imported, and nobody knows when it was trained
    ended, busy = (np.where(known, _floats(found[name]), np.nan) for name in ("ended", "busy"))
    began = int(started[known].min()) if known.any() else None
    trial = np.asarray(found["trial"], np.int64)
    selection, value = _values(opened, trial)
    return TrialRows(
        plan=plan,
        selection=selection,
        began=began,
        trial=trial,
        state=np.asarray(found["state"], object),
        step=_whole(found["step"], -1),
        value=value,
        started=(started - (began or 0)) / 1000,
        ended=(ended - (began or 0)) / 1000,
        seconds=busy,
        attempts=_whole(found["attempts"], 0),
        reports=_whole(found["rows"], 0),
        u=_points(opened, plan.space, found),
    )


def configurations(opened: OpenSweep, rows: TrialRows) -> IntArray | None:
    """Which trials share a configuration, [n]: the number of the first of them; None: no two do, as far as is known."""
    if not may_repeat(opened.sweep.description()):
        return None
    if not rows.count:
        return None
    changed = np.isin(rows.trial, list(edited_trials(opened.views)))  # these had no configuration of their own
    apart = np.where(changed, rows.trial, -1)
    columns = [apart, *(np.round(rows.places(name), 12) for name in rows.searched)]
    places = np.nan_to_num(np.stack(columns, axis=1), nan=-1.0)
    _, first, which = np.unique(places, axis=0, return_index=True, return_inverse=True)
    return rows.trial[first[which.ravel()]] if len(first) < rows.count else None


def fetched(opened: OpenSweep, sql: str) -> dict[str, Any]:
    """All rows of a trusted query as numpy columns, masked where they are NULL."""
    columns: dict[str, Any] = opened.views.execute(sql).fetchnumpy()
    return columns


def _values(opened: OpenSweep, trial: IntArray) -> tuple[Selection | None, FloatArray]:
    """What the sweep's own rule says of each trial; NaN: it does not compete."""
    description = opened.sweep.description()
    bare = {**description, "plan": {**description["plan"], "space": {"parameters": {}}}}  # no configuration is made
    try:
        selection = select(opened.views, bare, k=ALL, steps=False)
    except NotFoundError:  # its metric is never reported
        return None, np.full(len(trial), np.nan)
    found = {row.trial: row.value for row in selection.rows}  # some may have begun since the trials were read
    return selection, np.array([found.get(one, np.nan) for one in trial.tolist()], np.float64)


def _points(opened: OpenSweep, space: Space, found: dict[str, Any]) -> FloatArray:
    d = len(space)
    u = np.stack([_floats(found[f"u{j}"]) for j in range(d)], axis=1) if d else np.zeros((len(found["trial"]), 0))
    if (np.asarray(found["d"]) == d).all() and ((u >= 0) & (u <= 1)).all():
        return u
    raise StoreError(
        f"trials of sweep {opened.sweep.id} have points that are none of its space: restore it from a copy."
    )


def _floats(column: Any) -> FloatArray:
    return np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan)


def _whole(column: Any, missing: int) -> IntArray:
    return np.asarray(np.ma.filled(np.ma.asarray(column), missing), np.int64)
