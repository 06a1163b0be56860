"""New trials from a checkpoint of another one, on whichever branch it is: its seed, other values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caviar.errors import CaviarError, SpecError
from caviar.results.edits import (
    Edit,
    acts_of,
    changed_config,
    new_value,
    range_of,
    standing,
    stored_name,
    with_options,
)
from caviar.results.imported import imported_from
from caviar.results.open_sweep import open_sweep
from caviar.run.acts import TRIES, Accepted, ask, check_words
from caviar.run.engine.births import MOST_FORKS
from caviar.run.engine.forks import why_unfit
from caviar.run.engine.stored_trial import drawn as first_config
from caviar.search.samplers import make_sampler
from caviar.space import Choice, Constant, Float, Int, Space
from caviar.space.inference import written
from caviar.space.option import option_to_json
from caviar.spec.plan import Plan
from caviar.store.checkpoints import Cut, cuts_of, is_cut, is_whole, restorable, saves_of, whole
from caviar_workers.schedule import config_at, schedule_of
from caviar_workers.states import Action

if TYPE_CHECKING:
    from caviar.results.edits import Standing
    from caviar.results.open_sweep import OpenSweep, Say
    from caviar.space import Parameter
    from caviar.store import Store, SweepDir
    from caviar_workers.checkpoint import Save


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkWish:
    """What is to be forked, and how."""

    branch: int | None = None
    """The parent's branch; None: the one that lives."""
    at_step: int | None = None
    """From the last checkpoint at or before this step; None: the newest."""
    k: int = 1
    """New trials, ≥ 1."""
    space: Mapping[str, Any]
    """Parameter → where its values are drawn from, a parameter of its own, or as text such as `log:1e-4..1e-2`."""
    values: Mapping[str, Any]
    """Parameter → its value in all of them, or what becomes of the parent's."""
    why: str = ""
    """For the diary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkDocument:
    """Trials that were forked from another one.

    Attributes:
        sweep: id of the sweep.
        parent: number of the trial that they were forked from.
        branch: of the parent.
        step: of the checkpoint that they begin from.
        trials: their numbers.
        configs: of each, the configuration with which it goes on.
        warnings: what to know about them.
    """

    sweep: str
    parent: int
    branch: int
    step: int
    trials: tuple[int, ...]
    configs: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]


def fork_trial(store: Store, sweep: SweepDir, trial: int, wish: ForkWish, *, say: Say) -> ForkDocument:
    """Make new trials of a sweep from a checkpoint of one; they begin at once where the sweep runs, else with `resume`.

    Args:
        store: The store.
        sweep: The trial's sweep.
        trial: Its number; it may have ended.
        wish: What is to be forked.
        say: Tells what is not shown of the sweep.

    Raises:
        SpecError, NotFoundError: It cannot be; nothing was changed.
        CaviarError: It was not accepted; nothing was changed.
    """
    check_words(wish.why)
    if imported_from(sweep.description()):
        raise SpecError(f"sweep {sweep.id} was imported, and has no code that could go on")
    if type(wish.k) is not int or not 1 <= wish.k <= MOST_FORKS:
        raise SpecError(f"a fork makes a whole number of trials from 1 to {MOST_FORKS:,}, but got {wish.k!r:.40}")
    why_not = ""
    for _ in range(TRIES):
        with open_sweep(store, sweep, say) as opened:
            now, branch, save, children = look_to_fork(opened, trial, wish)
        numbers = asked_of(branch, save, children) | ({"why": wish.why} if wish.why else {})
        answer = ask(store, sweep, Action.FORK, now, numbers, say)
        if isinstance(answer, Accepted):
            alike = wish.k == 1 and children[0][1] is None
            return ForkDocument(
                sweep=sweep.id,
                parent=trial,
                branch=branch,
                step=save.step,
                trials=answer.trials,
                configs=tuple(config for config, _ in children),
                warnings=("nothing changes: a deterministic train repeats itself",) if alike else (),
            )
        why_not = answer.why
        if not answer.again:
            break
    raise CaviarError(f"trial {trial} was not forked, for {why_not}: nothing was changed")


def asked_of(branch: int, save: Save, children: Sequence[tuple[dict[str, Any], Edit | None]]) -> dict[str, Any]:
    """What is asked of the process that runs the sweep."""
    to = {"attempt": save.attempt, "step": save.step}
    return {"to": to, "branch": branch, "children": [_told(config, edit) for config, edit in children]}


def _told(config: Mapping[str, Any], edit: Edit | None) -> dict[str, Any]:
    changed = {} if edit is None else {name: edit.numbers()[name] for name in ("set", "old")}
    return {"config": {name: option_to_json(value) for name, value in config.items()}, **changed}


def look_to_fork(
    opened: OpenSweep, trial: int, wish: ForkWish
) -> tuple[Standing, int, Save, list[tuple[dict[str, Any], Edit | None]]]:
    """How the parent stands, the branch and the checkpoint, and each child's configuration with what differs."""
    now, acts = standing(opened, trial), with_options(acts_of(opened, trial))
    cuts = cuts_of(acts)
    branch = len(cuts) if wish.branch is None else wish.branch
    if not 0 <= branch <= len(cuts):
        raise SpecError(f"trial {trial} has the branches 0 to {len(cuts)}, but got {branch}: nothing was changed")
    saves, published = saves_of(opened.sweep, trial), opened.views.published([trial])[trial]
    if branch == len(cuts):
        of_branch = restorable(saves, published, cuts)
    else:  # likewise with those before the branch began: it may have ended before it saved anything itself
        before = (save for save in whole(saves, published) if not is_cut(save, cuts[:branch]))
        of_branch = [save for save in before if _branch(save, cuts) <= branch]
    step = wish.at_step
    fit = (save for save in of_branch if step is None or save.step <= step)
    save = next((one for one in fit if is_whole(opened.sweep, one)), None)
    if save is None:
        steps = ", ".join(str(one.step) for one in sorted(of_branch, key=lambda one: one.step))
        at = "" if step is None else f" at or before {step}"
        what = f"there are {steps}" if steps else "it has none there"
        raise SpecError(f"branch {branch} of trial {trial} has no checkpoint{at}; {what}: nothing was changed")
    branch = _branch(save, cuts)
    backs = [one["n"] for one in acts if one["action"] == Action.ROLLBACK]
    until = backs[branch] if branch < len(backs) else None
    changes = schedule_of(one for one in acts if until is None or one["n"] < until)
    kept = tuple(one for one in changes if one.settled and one.after < save.step)
    plan = Plan.from_json(opened.sweep.description()["plan"])
    first, _ = first_config(opened.views, plan, trial)
    config = config_at(first, kept, save.step)
    drawn_values: list[dict[str, Any]] = [{} for _ in range(wish.k)]
    ranges = _ranges(opened, wish, config)
    if wish.k > 1 and all(isinstance(one, Constant) for one in ranges.values()):
        raise SpecError(
            f"{wish.k} forks with the same values would be alike: say where these come from, as --space does"
        )
    if ranges:
        space = Space(ranges)
        sampler = make_sampler("random", space, plan.seed + trial + save.step + max(now.seen, 0), wish.k)
        drawn_values = [space.config(point) for point in sampler.points(0, wish.k)]
    children = []
    for values in drawn_values:
        wishes = {**wish.values, **values}
        edit = changed_config(opened, config, wishes) if wishes else None
        child = {**config, **(edit.new if edit else {})}
        if why := why_unfit(plan.space, child):  # what the parent came to have, in the store of a stranger
            raise SpecError(f"trial {trial} cannot be forked: {why:.200}; nothing was changed")
        children.append((child, edit))
    return now, branch, save, children


def _branch(save: Save, cuts: Sequence[Cut]) -> int:
    return sum(save.attempt > cut.attempt for cut in cuts)


def _ranges(opened: OpenSweep, wish: ForkWish, config: Mapping[str, Any]) -> dict[str, Parameter]:
    """Where values are drawn from; SpecError where one of them might be none of its parameter's."""
    found: dict[str, Parameter] = {}
    given = {stored_name(opened, name) for name in wish.values}
    for called, drawn in wish.space.items():
        name = stored_name(opened, called)
        if name in given or name in found:
            raise SpecError(f"{called} is given twice, but gets one value, or one range: nothing was changed")
        allowed = range_of(opened, name, config, restarts=True)
        numeric, whole = isinstance(allowed, (Float, Int)), isinstance(allowed, Int)
        one = written(drawn, whole=whole) if isinstance(drawn, str) else drawn
        ends = _ends(called, one)
        text = next((value for value in ends if not isinstance(value, (int, float))), None)
        if numeric and (text is not None or (whole and isinstance(one, Float))):
            kind, few, many = ("whole numbers", "1..8", "1..64") if whole else ("numbers", "0.01..0.2", "1e-4..1e-2")
            raise SpecError(
                f"{called} is drawn from {kind}, such as {called}={few} or {called}=log:{many}, but got {drawn!s:.60}: "
                "nothing was changed"
            )
        for value in ends:
            new_value(called, value, config[name], allowed)
        found[name] = one
    return found


def _ends(name: str, drawn: object) -> Sequence[Any]:
    """The values of a parameter of which all are its parent's if these are."""
    if isinstance(drawn, (Float, Int)):
        return drawn.low, drawn.high
    if isinstance(drawn, Choice):
        return drawn.options
    if isinstance(drawn, Constant):
        return (drawn.value,)
    raise SpecError(f"{name} is drawn from a parameter, such as Float(1e-4, 1e-2, scale='log'), but got {drawn!r:.60}")
