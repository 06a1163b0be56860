"""Acts that somebody asks for in a browser: what a page sends is a stranger's word, and the answer is sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.display.numbers import number, option_text
from caviar.display.typed_commands import typed
from caviar.errors import NotFoundError, SpecError
from caviar.results.edits import acts_of, range_of, standing
from caviar.results.open_sweep import open_sweep
from caviar.results.paused import paused_by_user
from caviar.run.acts import ActDocument, Wish, edit_trial, note_trial, roll_back
from caviar.run.forks import ForkWish, fork_trial
from caviar.run.pauses import go_on, pause
from caviar.space import Choice, live_range, parameter_from_json
from caviar.spec.overrides import Typed
from caviar.store.checkpoints import cuts_of, restorable, saves_of
from caviar_workers.config_form import own_name
from caviar_workers.states import Action
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.results.open_sweep import Say
    from caviar.store import Store, SweepDir

FIELDS: dict[str, frozenset[str]] = {
    Action.EDIT: frozenset({"set", "why", "at_step", "over", "now"}),
    Action.ROLLBACK: frozenset({"set", "why", "to_step", "skip_data"}),
    Action.FORK: frozenset({"set", "why", "branch", "at_step", "k"}),
    Action.PAUSE: frozenset(),
    Action.CONTINUE: frozenset(),
    Action.NOTE: frozenset({"note"}),
}
"""What may be asked for, and what else belongs to it."""
TAKES_S = 5.0
"""Seconds that an answer waits until the trial has taken the edit."""
NAMED = 10
"""Checkpoints that a form offers, the newest."""
LONGEST = 60
"""Characters of a value."""


def act_of_page(store: Store, sweep: str, trial: int, asked: dict[str, Any]) -> dict[str, Any]:
    """Do what a page asks for.

    Args:
        store: The store.
        sweep: Id of a sweep.
        trial: A number.
        asked: `act`, one of `FIELDS` (default: a note where there is one, else an edit), and its fields; numbers also
            as text, as they are typed; `set` has values by parameter; of a fork also where they are drawn from. Or
            `form`, all fields that the page's form has, as text, and `set`.

    Returns:
        `said`: what was done.

    Raises:
        SpecError, NotFoundError: It cannot be; nothing was changed.
        CaviarError: It was not accepted; nothing was changed.
    """
    wanted = _of_form(asked) if isinstance(asked.get("form"), dict) else dict(asked)
    act = wanted.pop("act", Action.NOTE if "note" in asked else Action.EDIT)
    if not isinstance(act, str) or act not in FIELDS:
        raise SpecError(f"an act is one of {', '.join(FIELDS)}, but got {act!r:.40}: nothing was changed")
    if odd := sorted(set(wanted) - FIELDS[act]):
        has = f"{', '.join(sorted(FIELDS[act])) or 'nothing else'}"
        raise SpecError(f"{act} has {has}, but got {odd[0]!r:.40}: nothing was changed")
    found, warnings = _found(store, sweep, trial), list[str]()
    runs = found.owner().runs
    said = _done(store, found, trial, act, wanted, warnings.append)
    if act in (Action.ROLLBACK, Action.FORK, Action.CONTINUE) and not runs:
        said.append(f"nobody runs the sweep: {typed(f'caviar resume {sweep}')} goes on with it")
    return {"said": "; ".join(said)}


def _of_form(asked: dict[str, Any]) -> dict[str, Any]:
    """What is asked for by all fields of a form: those of the chosen act that hold something."""
    form, values = asked["form"], asked.get("set")
    act = form.get("act")
    known = FIELDS.get(act, frozenset()) if isinstance(act, str) else frozenset()
    wanted = {name: value for name, value in form.items() if name in known and value != ""}
    wanted |= {name: True for name in ("now", "skip_data") if name in wanted}  # a box is there if it is ticked
    if "set" in known and isinstance(values, dict):
        wanted["set"] = {name: value for name, value in values.items() if value != ""}
    return {"act": act, **({"note": ""} if act == Action.NOTE else {}), **wanted}


def _found(store: Store, sweep: str, trial: int) -> SweepDir:
    if trial >= 2 * FORKED:  # a database has no numbers for the longest
        raise NotFoundError("no sweep has a trial of such a number")
    return store.find(sweep)


def _done(store: Store, sweep: SweepDir, trial: int, act: str, wanted: dict[str, Any], say: Say) -> list[str]:
    """Do it, and say what was done."""
    why, values = wanted.get("why", ""), _values(wanted)
    if act == Action.NOTE:
        note_trial(store, sweep, trial, wanted.get("note", ""), say=say)
        return ["noted"]
    if act in (Action.PAUSE, Action.CONTINUE):
        held = (pause if act == Action.PAUSE else go_on)(store, sweep, trial, say=say)
        return ["pauses at its next checkpoint" if act == Action.PAUSE else "goes on", *held.warnings]
    at_step = _whole(wanted, "at_step")
    if act == Action.FORK:
        drawn = {name: value for name, value in values.items() if isinstance(value, Typed) and ".." in value}
        fixed = {name: value for name, value in values.items() if name not in drawn}
        k, branch = _whole(wanted, "k", 1), _whole(wanted, "branch")
        fork = ForkWish(branch=branch, at_step=at_step, k=k, space=drawn, values=fixed, why=why)  # type: ignore[arg-type]
        born = fork_trial(store, sweep, trial, fork, say=say)
        named = ", ".join(f"t{one}" for one in born.trials[:5]) + (", …" if len(born.trials) > 5 else "")
        return [f"{named} from step {born.step}", *born.warnings]
    if act == Action.ROLLBACK:
        to_step = _whole(wanted, "to_step")
        if to_step is None:
            raise SpecError("a rollback names the step that it goes back to: nothing was changed")
        back = Wish(values=values, skip_data=_yes(wanted, "skip_data"), why=why)
        done = roll_back(store, sweep, trial, back, to_step=to_step, say=say)
        return [f"goes on from step {done.after}", *_changed(done), *done.warnings]
    edit = Wish(values=values, at_step=at_step, over=_whole(wanted, "over"), now=_yes(wanted, "now"), why=why)
    done = edit_trial(store, sweep, trial, edit, say=say, takes_s=TAKES_S)
    return [*_changed(done, done.after), *done.warnings]


def _values(wanted: dict[str, Any]) -> dict[str, Any]:
    """Parameter → its value, as it is or as it is typed."""
    values = wanted.get("set", {})
    if not isinstance(values, dict):
        raise SpecError("set has values by parameter, such as lr=*0.5: nothing was changed")
    return {name: Typed(value) if isinstance(value, str) else value for name, value in values.items()}


def _whole(wanted: dict[str, Any], name: str, default: int | None = None) -> int | None:
    """A whole number, which may be text."""
    found = wanted.get(name, default)
    if isinstance(found, str) and found.strip().isdecimal() and len(found) < 20:
        return int(found)
    if found is not None and type(found) is not int:
        raise SpecError(f"{name} is a whole number, but got {found!r:.40}: nothing was changed")
    return found


def _yes(wanted: dict[str, Any], name: str) -> bool:
    found = wanted.get(name, False)
    if not isinstance(found, bool):
        raise SpecError(f"{name} is true or false: nothing was changed")
    return found


def _changed(done: ActDocument, after: int | None = None) -> list[str]:
    when = "" if after is None else " from the beginning" if after < 0 else f" after step {after}"
    return [f"{name} {old} → {new}{when}" for name, (old, new) in done.changes.items()]


def form_of_page(store: Store, sweep: str, trial: int) -> dict[str, Any]:
    """What somebody needs to know who is to act on a trial.

    Returns:
        `said`: how it stands; `parameters` that may change, each with its `name`, what to know of its value (`now`) and
        whether it is `live`; `steps` of the checkpoints that it can go back to, the newest first.

    Raises:
        NotFoundError: There is no such trial.
    """
    found, ignored = _found(store, sweep, trial), list[str]()
    with open_sweep(store, found, ignored.append) as opened:
        published = opened.views.published([trial])[trial]  # first, of fresh views
        now = standing(opened, trial)
        config = now.config()
        cuts = cuts_of(acts_of(opened, trial))
        saves = restorable(saves_of(found, trial), published, cuts)
        held = trial in paused_by_user(opened)
        parameters = []
        for name, value in config.items():
            try:
                allowed = range_of(opened, name, config, restarts=True)
            except SpecError:
                continue
            ends = (
                " | ".join(option_text(one, LONGEST) for one in allowed.options) if isinstance(allowed, Choice) else ""
            )
            told = ends or f"{allowed.low:g} … {allowed.high:g}"  # type: ignore[union-attr]  # a number
            live = live_range(parameter_from_json(opened.plan.parameters[name])) is not None
            parameters.append({"name": own_name(name), "now": f"{option_text(value, LONGEST)} ({told})", "live": live})
    every = list(dict.fromkeys(save.step for save in saves))
    steps = every[:NAMED]
    stands = "paused by its user" if held else now.state.lower()
    facts = [stands if now.step is None else f"{stands} at step {now.step}"]
    facts += [] if now.value is None else [f"{opened.plan.metric} {number(now.value)}"]
    some = ("… " if len(every) > NAMED else "") + ", ".join(map(str, steps[::-1]))
    facts.append(f"checkpoints at {some}" if steps else "no checkpoint to go on from")
    return {"said": "; ".join(facts), "parameters": parameters, "steps": steps}
