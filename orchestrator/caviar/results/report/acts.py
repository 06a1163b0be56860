"""What was done to trials while they trained, as a list and as marks on their curves, and the branches that ended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.display.sanitize import one_line
from caviar.results.decisions import act_sentence
from caviar.store.checkpoints import cuts_of
from caviar.store.read.sql import name as quoted
from caviar.store.untrusted_json import numbers_of
from caviar_workers.states import USER, Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caviar.results.open_sweep import OpenSweep
    from caviar.store.checkpoints import Cuts

MOST = 500
"""Acts that are shown: of more, the newest."""
MOST_BRANCHES = 40
MOST_POINTS = 100
"""Of each branch that ended."""
MOST_WORDS = 200
"""Characters of a note, a reason or a change."""
TOGETHER = 6
"""Sentences about the acts at one place."""
SYMBOLS = {
    Action.EDIT: "◆",
    "ramp": "◢",
    Action.ROLLBACK: "◄",
    Action.FORK: "Y",
    Action.PAUSE: "‖",
    Action.CONTINUE: "►",
    Action.NOTE: "●",
    Action.GUARD: "▲",
    Action.UNREAD: "?",
}
"""Kind of an act → its mark: characters that no system draws as a picture in colours."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that was done to a trial.

    Attributes:
        trial: on whose curve it is shown; of a fork, the one that it was forked from.
        branch: of that trial.
        step: where it took effect; None: not known, or before the first report.
        kind: its name in `SYMBOLS`.
        cells: of its row in the list: trial, step, kind, change, reason, who and when.
        said: a sentence that has all of it.
    """

    trial: int
    branch: int
    step: int | None
    kind: str
    cells: tuple[str, ...]
    said: str


def acts_document(opened: OpenSweep) -> dict[str, Any]:
    """The acts as rows of a list, the newest first; their marks; and what was trained behind rollbacks.

    Marks and branches are for curves of the sweep's own metric by step; a mark on the branch that lives has no value,
    for it lies on whatever curve is shown.
    """
    actions = ", ".join(f"'{action}'" for action in Action if action in SYMBOLS or action == Action.APPLIED)
    sql = (
        "SELECT n, trial, attempt, action, step, numbers, decided_by, time FROM decisions "
        f"WHERE trial IS NOT NULL AND action IN ({actions}) ORDER BY n"
    )
    made = [{**row, "numbers": numbers_of(row["numbers"])} for row in opened.rows(sql)]
    taken = {(one["trial"], one["numbers"].get("edit")): one["step"] for one in made if one["action"] == Action.APPLIED}
    backs = [one for one in made if one["action"] == Action.ROLLBACK]
    acts = [found for one in made if (found := act_of(one, taken, backs)) is not None][-MOST:]
    cuts = {trial: cuts_of(one for one in backs if one["trial"] == trial) for trial in {one["trial"] for one in backs}}
    branches = _ended(opened, cuts)
    return {
        "metric": opened.plan.metric,
        "rows": [act.cells for act in reversed(acts)],
        "marks": marks(acts, cuts, branches),
        "branches": branches,
    }


def act_of(one: Mapping[str, Any], taken: Mapping[Any, int | None], backs: Sequence[Mapping[str, Any]]) -> Act | None:
    """The act that a decision is; None: it is a policy's own, or only says that an edit was taken.

    Args:
        one: The decision; what its numbers hold is perhaps a stranger's.
        taken: Trial and number of an edit → the step after which it took effect.
        backs: All rollbacks.
    """
    action, numbers, step, trial = one["action"], one["numbers"], one["step"], one["trial"]
    if action == Action.APPLIED or (action in (Action.PAUSE, Action.CONTINUE) and one["decided_by"] != USER):
        return None
    branch = sum(back["trial"] == trial and back["n"] <= one["n"] for back in backs)
    said, shown = act_sentence(action, step, numbers, by=one["decided_by"]), trial
    if action == Action.EDIT:
        step = taken.get((trial, one["n"]), numbers.get("at_step") or step)
    to = numbers.get("to")
    if action in (Action.ROLLBACK, Action.FORK) and isinstance(to, dict):
        step = to.get("step")
    if action == Action.FORK and type(numbers.get("parent")) is int:
        shown, branch = numbers["parent"], numbers.get("branch")
        said = f"t{trial} {said}"
    step = step if type(step) is int and step >= 0 else None
    kind = "ramp" if action == Action.EDIT and numbers.get("over") else str(action)
    when = f"{one['time']:%Y-%m-%d %H:%M}"
    words = numbers.get("text") or numbers.get("why") or ""
    who = numbers.get("who") or one["decided_by"]
    cells = (f"t{trial}", "–" if step is None else f"{step}", f"{SYMBOLS[kind]} {kind}", _change(numbers), words, who)
    return Act(
        trial=shown,
        branch=branch if type(branch) is int and branch >= 0 else 0,
        step=step,
        kind=kind,
        cells=(*(one_line(str(cell), MOST_WORDS) for cell in cells), when),
        said=one_line(f"{said}, {when}", 2 * MOST_WORDS),
    )


def _change(numbers: Mapping[str, Any]) -> str:
    """From what to what."""
    old, new, to = (found if isinstance(found := numbers.get(key), dict) else {} for key in ("old", "set", "to"))
    told = [f"{name} {old.get(name)} → {value}" for name, value in new.items()]
    told += [f"over {numbers['over']} steps"] if numbers.get("over") else []
    parent = numbers.get("parent")
    told += [f"{'to' if parent is None else f'from t{parent} at'} step {to.get('step')}"] if to else []
    return ", ".join(told)


def marks(acts: Sequence[Act], cuts: Cuts, branches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One mark for the acts at one place of a curve: trial, step, symbols and sentences.

    `value` is null where the place is on the branch that lives, at the step; else it is on one that ended.
    """
    ended = {(one["trial"], one["branch"]): one["points"] for one in branches}
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for act in acts:
        if act.step is None:
            continue
        step, value = act.step, None
        if any(cut.step < act.step for cut in cuts.get(act.trial, ())[act.branch :]):
            points = ended.get((act.trial, act.branch))
            if not points:
                continue
            steps, values = zip(*points, strict=True)
            step, value = min(step, steps[-1]), float(np.interp(step, steps, values))
        place: dict[str, Any] = {"trial": act.trial, "step": step, "value": value, "symbols": "", "said": []}
        mark = found.setdefault((act.trial, step, value), place)
        if SYMBOLS[act.kind] not in mark["symbols"]:
            mark["symbols"] += SYMBOLS[act.kind]
        mark["said"].append(act.said)
    for mark in found.values():
        more = len(mark["said"]) - TOGETHER
        mark["said"] = mark["said"][-TOGETHER:] + ([f"and {more} before"] if more > 0 else [])
    return list(found.values())


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
