"""What somebody did to trials by hand, as marks on their curves, and the branches that ended with a rollback."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from caviar.results.decisions import act_sentence
from caviar.store.checkpoints import cuts_of
from caviar.store.read.sql import name as quoted
from caviar.store.untrusted_json import numbers_of
from caviar_workers.states import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caviar.results.open_sweep import OpenSweep
    from caviar.store.checkpoints import Cuts

MOST = 500
"""Acts that are shown: of more, the newest."""
MOST_BRANCHES = 40
MOST_POINTS = 100
"""Of each branch that ended."""
SHOWN = (Action.EDIT, Action.ROLLBACK, Action.FORK, Action.PAUSE, Action.CONTINUE, Action.NOTE, Action.UNREAD)


def acts_document(opened: OpenSweep) -> dict[str, Any]:
    """Marks, each with its trial, step, kind and sentence; and what was trained behind rollbacks.

    Both are for curves of the sweep's own metric by step.
    """
    actions = ", ".join(f"'{action}'" for action in (*SHOWN, Action.APPLIED))
    sql = (
        "SELECT n, trial, attempt, action, step, numbers, decided_by FROM decisions "
        f"WHERE trial IS NOT NULL AND action IN ({actions}) ORDER BY n"
    )
    made = [{**row, "numbers": numbers_of(row["numbers"])} for row in opened.rows(sql)]
    taken = {(one["trial"], one["numbers"].get("edit")): one["step"] for one in made if one["action"] == Action.APPLIED}
    marks = [found for one in made if (found := mark(one, taken)) is not None][-MOST:]
    backs = [one for one in made if one["action"] == Action.ROLLBACK]
    cuts = {trial: cuts_of(one for one in backs if one["trial"] == trial) for trial in {one["trial"] for one in backs}}
    return {"metric": opened.plan.metric, "marks": marks, "branches": _ended(opened, cuts)}


def mark(one: Mapping[str, Any], taken: Mapping[Any, int | None]) -> dict[str, Any] | None:
    """Where an act is shown; None: nowhere, for it is a policy's, or no step is known of it."""
    action, numbers, step = one["action"], one["numbers"], one["step"]
    by_hand = action not in (Action.PAUSE, Action.CONTINUE) or one["decided_by"] == "user"
    if action == Action.APPLIED or not by_hand:
        return None
    said = act_sentence(action, step, numbers)
    if action == Action.EDIT:
        step = taken.get((one["trial"], one["n"]), numbers.get("at_step") or step)
    to = numbers.get("to")
    if action in (Action.ROLLBACK, Action.FORK) and isinstance(to, dict):
        step = to.get("step")
    if type(step) is not int or step < 0:
        return None
    return {"trial": one["trial"], "step": step, "kind": action, "said": said}


def _ended(opened: OpenSweep, cuts: Cuts) -> list[dict[str, Any]]:
    """The rows that count no more of trials that were rolled back, a few of each branch, from where the next began."""
    metric = opened.plan.metric
    if not cuts or metric not in opened.views.metrics():
        return []
    wanted = ", ".join(map(str, cuts))
    sql = (
        f"SELECT trial, _branch, list(step ORDER BY step) AS steps, list({quoted(metric)} ORDER BY step) AS found "
        f"FROM branches WHERE NOT _living AND trial IN ({wanted}) AND {quoted(metric)} IS NOT NULL "
        f"GROUP BY trial, _branch ORDER BY trial, _branch DESC LIMIT {MOST_BRANCHES}"
    )
    before = (
        f"SELECT step, {quoted(metric)} AS found FROM _curves WHERE trial = ? AND step < ? "
        f"AND {quoted(metric)} IS NOT NULL ORDER BY _row DESC LIMIT 1"
    )
    found = []
    for row in opened.rows(sql):
        end = min((cut.step for cut in cuts[row["trial"]][row["_branch"] :]), default=math.inf)
        points = [one for one in zip(row["steps"], row["found"], strict=True) if one[0] > end]  # not those of a retry
        if points:
            left = [(one["step"], one["found"]) for one in opened.rows(before, [row["trial"], points[0][0]])]
            found.append({"trial": row["trial"], "branch": row["_branch"], "points": thinned([*left, *points])})
    return found


def thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Some points of a curve, its ends among them; what is not finite ends it."""
    end = next((place for place, (_, value) in enumerate(points) if not math.isfinite(value)), len(points))
    every = max(1, -(-end // MOST_POINTS))
    return [*points[: end - 1 : every], *points[max(0, end - 1) : end]] if end else []
