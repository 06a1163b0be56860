"""What an edit of a trial's configuration would do, from the store alone: it is checked before anything is touched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from caviar.errors import SpecError, did_you_mean
from caviar.results.selector import as_given
from caviar.space import Choice, Float, Int, Parameter, editable_range, live_range, parameter_from_json
from caviar.space.condition import Condition
from caviar.space.option import option_from_json, option_to_json
from caviar.spec.overrides import Typed, read
from caviar.store.checkpoints import Cut, cuts_of
from caviar.store.untrusted_json import numbers_of
from caviar_workers.config_form import kept_name, own_name
from caviar_workers.schedule import Change, config_at, schedule_of
from caviar_workers.states import ACTS, CHANGING, ENDED, USER, Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.results.open_sweep import OpenSweep
    from caviar_workers.checkpoint import Save

MOST_STEPS = 2**62
"""What an edit may wait for, and last; a database has no numbers for more than twice as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A trial whose configuration may be changed, as it stands."""

    trial: int
    state: str
    attempt: int | None
    """Its newest; None: it has not begun."""
    step: int | None
    """Of its newest report; None: there is none."""
    value: float | None
    """Of the sweep's metric there."""
    metrics: Mapping[str, float]
    """The last value of each metric."""
    first: Mapping[str, Any]
    """The configuration that it began with."""
    changes: tuple[Change, ...]
    """What was changed in it since."""
    seen: int
    """The newest decision that changes it; −1: none does."""

    def config(self, step: int | None = None) -> dict[str, Any]:
        """The configuration with which a step is trained; None: the next one."""
        if step is None:  # what was taken is published before the rows that were trained with it
            taken = [one.after for one in self.changes if one.settled and not one.over]
            step = max([-1 if self.step is None else self.step, *taken]) + 1
        return config_at(self.first, self.changes, step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What is to be changed, with absolute values."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]
    asked: Mapping[str, str]
    """Parameter → what was typed, where that was relative."""
    scales: Mapping[str, str]
    """Parameter → the scale on which a ramp goes."""
    at_step: int | None
    """After which it is to take effect; None: after the next report."""
    over: int
    """Steps of the ramp; 0: none."""
    now: bool = False
    """Train begins again for it, from its next checkpoint."""

    def numbers(self) -> dict[str, Any]:
        """What the decision keeps of it."""
        found: dict[str, Any] = {
            "set": {name: option_to_json(value) for name, value in self.new.items()},
            "old": {name: option_to_json(value) for name, value in self.old.items()},
        }
        if self.asked:
            found["asked"] = dict(self.asked)
        if self.at_step is not None:
            found["at_step"] = self.at_step
        if self.over:
            found |= {"over": self.over, "scales": dict(self.scales)}
        return found | ({"now": True} if self.now else {})


def acts_of(opened: OpenSweep, trial: int) -> list[dict[str, Any]]:
    """What was done to a trial by hand, oldest first: rows of `decisions`, each with its numbers as a mapping."""
    names = ", ".join(f"'{action}'" for action in ACTS)
    acted = f"(action IN ({names}) OR (action = '{Action.PAUSE}' AND decided_by = '{USER}'))"
    sql = f"SELECT * EXCLUDE (sweep) FROM decisions WHERE trial = ? AND {acted} ORDER BY n"
    return [{**row, "numbers": numbers_of(row["numbers"])} for row in opened.rows(sql, [trial])]


def with_options(acts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Acts whose new values are as train gets them."""
    return [one | {"numbers": one["numbers"] | {"set": _options(one["numbers"].get("set"))}} for one in acts]


def _options(values: object) -> dict[str, Any]:
    found = values if isinstance(values, dict) else {}
    return {name: option_from_json(value) for name, value in found.items()}


def standing(opened: OpenSweep, trial: int) -> Standing:
    """How a trial stands.

    Raises:
        NotFoundError: The sweep has no such trial, or it was not drawn yet.
    """
    row = opened.trial(trial)
    acts = with_options(acts_of(opened, trial))
    newest = opened.rows("SELECT max(attempt) AS attempt FROM attempts WHERE trial = ?", [trial])[0]["attempt"]
    metrics = {name: row[f"last_{name}"] for name in opened.views.metrics() if row.get(f"last_{name}") is not None}
    return Standing(
        trial=trial,
        state=row["state"],
        attempt=newest,
        step=row["step"],
        value=metrics.get(opened.plan.metric),
        metrics=metrics,
        first=as_given(opened.plan.parameters, row),
        changes=schedule_of(acts),
        seen=max((one["n"] for one in acts if one["action"] in CHANGING), default=-1),
    )


def edit_of(
    opened: OpenSweep,
    now: Standing,
    wishes: Mapping[str, Any],
    *,
    at_step: int | None = None,
    over: int | None = None,
    restarts: bool = False,
) -> Edit:
    """What is to be changed in a trial's configuration.

    Args:
        opened: Its sweep.
        now: The trial.
        wishes: Parameter → its new value; or, of a number, as text, what becomes of the one that it has: `*0.5`,
            `/2` or `+0.1`.
        at_step: Change it after the report of this step; None: after the next one.
        over: Get there in so many steps; None: at once.
        restarts: Change parameters that are not live too: train begins again for them, from its next checkpoint.

    Raises:
        SpecError: There is no such parameter, it is not live, the value is none of its, nothing changes, the trial has
            ended, or the step is past.
    """
    if now.state in ENDED:
        raise SpecError(f"trial {now.trial} is {now.state}, and only one that has not ended can be edited")
    _check_steps(now, at_step, over)
    before = now.config(None if at_step is None else at_step + 1)
    wishes = {stored_name(opened, name): wish for name, wish in wishes.items()}
    ranges = {name: range_of(opened, name, before, restarts=restarts) for name in wishes}
    if not ranges:
        raise SpecError("an edit changes a parameter, such as lr=*0.5: nothing was changed")
    found = _edit(before, ranges, wishes, at_step=at_step, over=over)
    still = [name for name in ranges if live_range(parameter_from_json(opened.plan.parameters[name])) is None]
    if still and over:
        raise SpecError(f"{still[0]} is not live, so it cannot change bit by bit: leave the steps out")
    return replace(found, now=bool(still))


def _edit(
    before: Mapping[str, Any],
    ranges: Mapping[str, Float | Int | Choice],
    wishes: Mapping[str, Any],
    *,
    at_step: int | None = None,
    over: int | None = None,
) -> Edit:
    """What becomes of the present values."""
    new = {name: new_value(name, wish, before[name], ranges[name]) for name, wish in wishes.items()}
    same = [name for name, value in new.items() if before[name] == value]
    if len(same) == len(new):
        raise SpecError(f"nothing changes: {own_name(same[0])} is {before[same[0]]!r} already")
    if over:
        for name, one in ranges.items():
            if not isinstance(one, (Float, Int)):
                raise SpecError(f"{own_name(name)} is no number, so it cannot change bit by bit: leave the steps out")
    return Edit(
        old={name: before[name] for name in new},
        new=new,
        asked={name: wish for name, wish in wishes.items() if _relative(wish, ranges[name])},
        scales={name: _scale(one) for name, one in ranges.items()},
        at_step=at_step,
        over=over or 0,
    )


def _scale(parameter: Parameter) -> str:
    """The scale on which a ramp leads to another value."""
    return parameter.scale if isinstance(parameter, Float) else "int" if isinstance(parameter, Int) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """Where a trial is to go on from, and with what."""

    to: Cut
    """Attempt and step of the checkpoint."""
    edit: Edit | None
    """What is to be changed there; None: nothing."""
    forgets: tuple[int, ...]
    """Numbers of the edits that took effect after it, or were to."""

    def numbers(self) -> dict[str, Any]:
        """What the decision keeps of it."""
        edit = {} if self.edit is None else self.edit.numbers()
        return {**edit, "to": self.to._asdict(), "forgets": list(self.forgets)}


def rollback_of(
    opened: OpenSweep, now: Standing, saves: Sequence[Save], wishes: Mapping[str, Any], *, to_step: int
) -> Rollback:
    """Where a trial is to go on from: its last living checkpoint at or before a step.

    Args:
        opened: Its sweep.
        now: The trial.
        saves: Its checkpoints that may be restored, the newest first.
        wishes: As for `edit_of`; parameters that are not live may change too, for the trial begins another attempt.
        to_step: The step.

    Raises:
        SpecError: There is no such checkpoint, the step lies ahead, or a value is none of its parameter's.
    """
    if now.step is not None and to_step > now.step and (left := _left_behind(opened, now.trial, to_step)) is not None:
        branch, step = left
        raise SpecError(
            f"step {to_step} is on branch {branch}, which was left at {step}: caviar fork {opened.sweep.id} "
            f"{now.trial} --branch {branch} --at-step {to_step} goes on from there; nothing was changed"
        )
    if now.step is None or to_step > now.step:
        at = "has reported nothing" if now.step is None else f"is at step {now.step}"
        raise SpecError(f"trial {now.trial} {at}, and is rolled back to a step before that: nothing was changed")
    found = next((save for save in saves if save.step <= to_step), None)
    if found is None:
        there = ", ".join(str(save.step) for save in sorted(saves, key=lambda one: one.step))
        what = f"there are {there}" if there else "it has none that it could go on from"
        raise SpecError(f"no checkpoint at or before {to_step}; {what}: nothing was changed")
    kept = tuple(one for one in now.changes if one.settled and one.after < found.step)
    before = config_at(now.first, kept, found.step)
    edit = None
    wishes = {stored_name(opened, name): wish for name, wish in wishes.items()}
    if wishes:
        ranges = {name: range_of(opened, name, before, restarts=True) for name in wishes}
        edit = _edit(before, ranges, wishes)
    forgets = tuple(one.decision for one in now.changes if one.values and one not in kept)
    return Rollback(to=Cut(found.attempt, found.step), edit=edit, forgets=forgets)


def changed_config(opened: OpenSweep, before: Mapping[str, Any], wishes: Mapping[str, Any]) -> Edit | None:
    """What is changed in a configuration with which another trial begins; None: nothing. Errors as of `rollback_of`."""
    wishes = {stored_name(opened, name): wish for name, wish in wishes.items()}
    ranges = {name: range_of(opened, name, before, restarts=True) for name in wishes}
    if all(new_value(name, wish, before[name], ranges[name]) == before[name] for name, wish in wishes.items()):
        return None
    return _edit(before, ranges, wishes)


def _left_behind(opened: OpenSweep, trial: int, step: int) -> tuple[int, int] | None:
    """The newest branch that ended and reached a step, and the step at which it was left; None: there is none."""
    cuts = cuts_of(acts_of(opened, trial))
    if not cuts:
        return None
    sql = "SELECT max(_branch) AS branch FROM branches WHERE trial = ? AND NOT _living AND step >= ?"
    branch = opened.rows(sql, [trial, step])[0]["branch"]
    return None if branch is None or branch >= len(cuts) else (branch, cuts[branch].step)


def _check_steps(now: Standing, at_step: int | None, over: int | None) -> None:
    """See that a change lies ahead."""
    for name, value, least in (("at_step", at_step, 0), ("over", over, 1)):
        if value is not None and (type(value) is not int or not least <= value < MOST_STEPS):
            raise SpecError(f"{name} is a whole number of steps from {least} to 2^62, but got {_shown(value)}")
    if at_step is not None and now.step is not None and at_step < now.step:
        raise SpecError(f"trial {now.trial} is past step {at_step}, at {now.step}: nothing was changed")


def stored_name(opened: OpenSweep, name: str) -> str:
    """The name by which a plan has a parameter that its user calls so."""
    return name if name in opened.plan.parameters or kept_name(name) not in opened.plan.parameters else kept_name(name)


def range_of(
    opened: OpenSweep, name: str, config: Mapping[str, Any], *, restarts: bool = False
) -> Float | Int | Choice:
    """The values that a parameter may get: while its trial trains, or where train begins again."""
    parameters = {key: parameter_from_json(one) for key, one in opened.plan.parameters.items()}
    if name not in parameters:
        raise SpecError(
            f"there is no parameter {name!r}{did_you_mean(name, map(own_name, parameters))}: nothing was changed"
        )
    if name not in config:
        raise SpecError(f"this trial has no {name}, which exists {parameters[name].when}: nothing was changed")
    found = editable_range(parameters[name], restarts=restarts)
    if found is None:
        way = ": nothing was changed"
        if not restarts and editable_range(parameters[name], restarts=True) is not None:
            way = "; --now lets it begin again from its next checkpoint: nothing was changed"
        raise SpecError(f"{name} is not live, as Float(…, live=True) is, so train does not look at it{way}")
    for key, one in parameters.items():
        if isinstance(one.when, Condition) and name in one.when:
            raise SpecError(f"{name} decides whether there is a {key}, and cannot change: nothing was changed")
    return found


_STEP = re.compile(r"\s*[*/+]\s*[0-9.][0-9.eE+_-]*\s*")


def _relative(wish: object, parameter: Parameter) -> str:
    """A wish that says what becomes of the present value, as it was typed; empty: it is a value itself."""
    numeric = isinstance(parameter, (Float, Int)) or parameter.kind in ("float", "int")
    return wish.strip() if numeric and isinstance(wish, str) and _STEP.fullmatch(wish) else ""


def new_value(name: str, wish: object, present: Any, parameter: Float | Int | Choice, *, clipped: bool = False) -> Any:
    """The new value of a parameter.

    Args:
        name: Of it.
        wish: Its new value, or as text what becomes of the present one.
        present: That one.
        parameter: The values that it may get.
        clipped: A number that is beyond its bounds is the bound.

    Raises:
        SpecError: It is none of these values.
    """
    relative = _relative(wish, parameter)
    numeric = isinstance(parameter, (Float, Int))
    if relative:
        value: Any = _changed(name, relative, present)
    else:
        value = _number(name, wish, present) if numeric and isinstance(wish, str) else read(wish, present, name)
    if isinstance(parameter, Int) and isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(parameter, (Float, Int)) and type(value) in (int, float):
        value = min(max(value, parameter.low), parameter.high) if clipped else value
        value = round(value) if clipped and isinstance(parameter, Int) else value
        _check_bounds(name, value, parameter)
    try:
        return parameter.plain(value)
    except SpecError as error:
        raise SpecError(f"{name}: {error}; nothing was changed") from error


def _number(name: str, text: str, present: Any) -> Any:
    """What somebody typed who means a number."""
    try:
        return read(Typed(text), present, name)
    except SpecError as error:
        raise SpecError(
            f"{name} is a number, but got {text!r:.40}: give its value, or what becomes of it, such as {name}=*0.5; "
            "nothing was changed"
        ) from error


def _check_bounds(name: str, value: float, parameter: Float | Int) -> None:
    if not parameter.low <= value <= parameter.high:
        raise SpecError(
            f"{name}={_shown(value)} is outside {parameter.low:g} … {parameter.high:g}: nothing was changed"
        )


def _shown(value: object) -> str:
    """A value in a sentence; Python does not print the longest whole numbers."""
    if isinstance(value, int) and abs(value) >= 2**64:
        return "a number of many digits"
    return f"{value:g}" if type(value) in (int, float) else f"{value!r:.40}"


def _changed(name: str, relative: str, present: Any) -> float:
    sign, number = relative[0], relative[1:].strip()
    try:
        by = float(number)
        return float({"*": present * by, "/": present / by if by else float("inf"), "+": present + by}[sign])
    except (ValueError, OverflowError) as error:
        raise SpecError(f"{name} changes by a number, such as {name}=*0.5, but got {relative!r:.40}") from error
