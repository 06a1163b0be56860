"""What was done to a trial by hand, day by day, and what its curve made of it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from caviar.results.edits import acts_of, standing
from caviar.results.forked import schedule_of_line
from caviar.store.checkpoints import cuts_of
from caviar.store.read.sql import name as quoted
from caviar.store.untrusted_json import numbers_of
from caviar_workers.schedule import Change, config_at, leads
from caviar_workers.states import CHANGING, Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from caviar.results.open_sweep import OpenSweep


FORKS = "forks"
"""In the diary of a trial: others were forked from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryEntry:
    """One act.

    Attributes:
        day: days since the trial began, from 1.
        time: when it was decided, UTC.
        action: edit, rollback or note; unread: train had not looked at what was edited; fork: it was forked itself, and
            so begun; forks: others were forked from it.
        step: the newest step then; null: it had reported none.
        after: of an edit, the step after which it took effect; null: it has not yet; of a rollback, the one it went to.
        who: user and host; or what decided.
        changes: parameter → what it was and what it became.
        over: steps in which it got there; 0: at once.
        text: the reason, or the note.
        before: the sweep's metric then; null: not known.
        since: the metric where the next change took effect, or now; null: it was not reported since.
        better: whether that is better; null: that cannot be told. Of an act that a rollback undid: on its own branch.
        metrics: the last values of all metrics then.
        undone: whether it holds no more, for the trial was rolled back behind it.
        children: numbers of the trials that were forked from it; their checkpoint is that of `after`.
    """

    day: int
    time: datetime
    action: str
    step: int | None
    after: int | None
    who: str
    changes: dict[str, tuple[Any, Any]]
    over: int
    text: str
    before: float | None
    since: float | None
    better: bool | None
    metrics: dict[str, float]
    undone: bool = False
    children: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryDocument:
    """What was done to one trial by hand.

    Attributes:
        sweep: id of its sweep.
        name: name of its sweep.
        trial: its number.
        state: as in `TrialDocument`.
        metric: what the sweep's trials are judged by.
        step: of its newest report.
        value: of the metric there.
        first: the configuration that it began with.
        config: the one that it is trained with now.
        entries: oldest first.
    """

    sweep: str
    name: str
    trial: int
    state: str
    metric: str
    step: int | None
    value: float | None
    first: dict[str, Any]
    config: dict[str, Any]
    entries: tuple[DiaryEntry, ...]


def diary_document(opened: OpenSweep, trial: int) -> DiaryDocument:
    """What was done to a trial by hand, each act with what its curve made of it.

    Raises:
        NotFoundError: The sweep has no such trial.
    """
    now = standing(opened, trial)
    acts = acts_of(opened, trial)
    living = {one.decision: one for one in now.changes}
    taken = {one["numbers"].get("edit"): one["step"] for one in acts if one["action"] == Action.APPLIED}
    taken |= {one["n"]: cut.step for one, cut in zip(_rollbacks(acts), cuts_of(acts), strict=False)}
    curve, dead = _curve(opened, trial), _branches(opened, trial) if cuts_of(acts) else {}
    began = opened.trial(trial)["started"]
    entries, branch = [], 0
    for one in acts:
        branch += one["action"] == Action.ROLLBACK
        if one["action"] == Action.APPLIED:
            continue
        after = taken.get(one["n"])
        undone = one["action"] in CHANGING and bool(one["numbers"].get("set")) and one["n"] not in living
        own = dead.get(branch, curve) if undone else curve
        own_acts = _made_on(acts, branch) if undone else living
        marks = sorted(mark for n in own_acts if (mark := taken.get(n)) is not None)
        following = next((mark for mark in marks if after is not None and mark > after), float("inf"))
        since = own.at(following) if after is not None and own.steps and own.steps[-1] > after else None
        before = own.at(after)
        before = one["value"] if before is None else before
        entries.append(replace(_entry(one, began, after, before, since, opened.plan.mode), undone=undone))
    entries = sorted([*entries, *_forks(opened, trial, began)], key=lambda one: one.time)
    return DiaryDocument(
        sweep=opened.sweep.id,
        name=opened.plan.name,
        trial=trial,
        state=now.state,
        metric=opened.plan.metric,
        step=now.step,
        value=now.value,
        first=dict(now.first),
        config=now.config(),
        entries=tuple(entries),
    )


def _forks(opened: OpenSweep, trial: int, began: datetime | None) -> list[DiaryEntry]:
    """What was forked from a trial: an entry for all that were at once."""
    sql = f"SELECT * EXCLUDE (sweep) FROM decisions WHERE action = '{Action.FORK}' AND contains(numbers, ?) ORDER BY n"
    found: dict[tuple[Any, ...], DiaryEntry] = {}
    for row in opened.rows(sql, [f'"parent": {int(trial)}']):
        one = row | {"numbers": numbers_of(row["numbers"])}
        numbers, to = one["numbers"], _mapping(one["numbers"].get("to"))
        if numbers.get("parent") != trial or type(numbers.get("parent")) is not int:
            continue
        step = to.get("step") if type(to.get("step")) is int else None
        key = (one["time"], one["decided_by"], step, str(numbers.get("token")), str(numbers.get("why")))
        plain = _entry(one | {"numbers": numbers | {"set": {}, "old": {}}}, began, step, None, None, "min")
        entry = found.setdefault(key, replace(plain, action=FORKS))
        found[key] = replace(entry, children=(*entry.children, one["trial"]))
    return list(found.values())


def _rollbacks(acts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in acts if one["action"] == Action.ROLLBACK]


def _made_on(acts: Sequence[Mapping[str, Any]], branch: int) -> list[int]:
    """Numbers of the acts that were made while a branch lived."""
    found, present = [], 0
    for one in acts:
        present += one["action"] == Action.ROLLBACK
        if present == branch:
            found.append(one["n"])
    return found


class _Curve(NamedTuple):
    """The sweep's metric by step."""

    steps: Sequence[int] = ()
    values: Sequence[float] = ()

    def at(self, step: float | None) -> float | None:
        """The newest value at a step; None: there is none so far."""
        place = -1 if step is None else bisect_right(self.steps, step) - 1
        return None if place < 0 else self.values[place]


def _curve(opened: OpenSweep, trial: int) -> _Curve:
    """The curve of a trial's branch that lives."""
    return _curves(opened, trial, "SELECT 0 AS branch, *, _row AS place FROM _curves").get(0, _Curve())


def _branches(opened: OpenSweep, trial: int) -> dict[int, _Curve]:
    """What was trained on each branch of a trial."""
    return _curves(opened, trial, "SELECT _branch AS branch, *, step AS place FROM branches")


def _curves(opened: OpenSweep, trial: int, source: str) -> dict[int, _Curve]:
    metric = opened.plan.metric
    if metric not in opened.views.metrics():
        return {}
    column = quoted(metric)
    sql = f"SELECT branch, step, {column} AS value FROM ({source}) WHERE trial = ? AND {column} IS NOT NULL "
    found: dict[int, tuple[list[int], list[float]]] = {}
    for row in opened.rows(f"{sql} ORDER BY branch, place", [trial]):
        steps, values = found.setdefault(row["branch"], ([], []))
        steps.append(row["step"])
        values.append(row["value"])
    return {branch: _Curve(*one) for branch, one in found.items()}


def _entry(
    act: Mapping[str, Any],
    began: datetime | None,
    after: int | None,
    before: float | None,
    since: float | None,
    mode: str,
) -> DiaryEntry:
    numbers = act["numbers"]  # perhaps a stranger's: what is not of its kind says nothing
    old, new, metrics = (_mapping(numbers.get(key)) for key in ("old", "set", "before"))
    over = numbers.get("over")
    better = None
    if before is not None and since is not None and before != since:
        better = since > before if mode == "max" else since < before
    return DiaryEntry(
        day=1 + max(0, (act["time"] - began).days) if began is not None else 1,
        time=act["time"],
        action=act["action"],
        step=act["step"],
        after=after,
        who=str(numbers.get("who") or act["decided_by"]),
        changes={name: (old.get(name), value) for name, value in new.items()},
        over=over if type(over) is int and over > 0 else 0,
        text=_text(act["action"], numbers),
        before=before,
        since=since,
        better=better,
        metrics=dict(metrics),
    )


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _text(action: str, numbers: Mapping[str, Any]) -> str:
    if action == Action.UNREAD:
        names = numbers.get("names")
        of = ", ".join(map(str, names)) if isinstance(names, list) else "a parameter"
        if numbers.get("stale") is True:
            return f"train reports {of} as before it changed: perhaps a state that was loaded has overwritten it"
        return f"train has not looked at {of} since it changed"
    return str(numbers.get("why") or numbers.get("text") or "")


def schedule_code(opened: OpenSweep, trial: int) -> str:
    """The configuration of a trial at each step as a Python module, which any script can use.

    Raises:
        NotFoundError: The sweep has no such trial.
    """
    first, changes = schedule_of_line(opened, trial)
    lines = [
        f'"""The configuration of trial {trial} of sweep {opened.sweep.id}, step by step."""',
        "",
        "from math import exp, log",
        "",
        f"FIRST = {first!r}",
        "",
        "",
        "def config_at(step):",
        '    """The configuration with which a step is trained."""',
        "    config = dict(FIRST)",
    ]
    for place, change in enumerate(changes):
        if not change.values:
            continue
        start = config_at(first, changes[:place], change.after + 1)
        lines.append(f"    if step > {change.after}:")
        lines += [f"        config[{name!r}] = {_value_code(name, change, start)}" for name in change.values]
    return "\n".join([*lines, "    return config"])


def _value_code(name: str, change: Change, start: Mapping[str, Any]) -> str:
    """The value of a parameter from a change on, as an expression of `step`."""
    last = change.values[name]
    scale = change.scales.get(name, "linear")
    if change.through == change.after + 1 or not leads(start.get(name), last, scale):
        return repr(last)
    share = f"((step - {change.after}) / {change.over})"
    ways = {
        "int": "round({a} + ({b} - {a}) * {s})",
        "log": "exp(log({a}) + (log({b}) - log({a})) * {s})",
        "reverse_log": "1.0 - exp(log(1.0 - {a}) + (log(1.0 - {b}) - log(1.0 - {a})) * {s})",
    }
    way = ways.get(scale, "{a} + ({b} - {a}) * {s}")
    going = way.format(a=repr(start[name]), b=repr(last), s=share)
    return f"{last!r} if step >= {change.through} else {going}"
