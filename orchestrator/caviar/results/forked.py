"""The schedule of a trial that was forked from another one, from the first step of its line on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.results.edits import acts_of, standing, with_options
from caviar.space.option import option_from_json
from caviar_workers.schedule import Change, config_at, in_order, schedule_of
from caviar_workers.states import Action

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep


def schedule_of_line(opened: OpenSweep, trial: int) -> tuple[dict[str, Any], tuple[Change, ...]]:
    """The configuration with which a trial's line began, and how it changed: by edits, and where one was forked.

    Of a trial that was not forked, its own. A circle, in the store of a stranger, is followed once.

    Raises:
        NotFoundError: The sweep has no such trial.
    """
    now = standing(opened, trial)
    first, changes, seen = dict(now.first), list(now.changes), {trial}
    birth = _birth(opened, trial)
    while birth is not None and birth["parent"] not in seen:
        parent = birth["parent"]
        seen.add(parent)
        acts = with_options(acts_of(opened, parent))
        backs = [one["n"] for one in acts if one["action"] == Action.ROLLBACK][birth["branch"] :]
        acts = [one for one in acts if one["n"] < min([birth["n"], *backs])]
        before = standing(opened, parent)
        kept = [one for one in schedule_of(acts) if one.settled and one.after < birth["step"]]
        held = config_at(before.first, kept, birth["step"])
        values = {name: value for name, value in birth["config"].items() if held.get(name) != value}
        fork = Change(decision=birth["n"], after=birth["step"], values=values, settled=True)
        changes = [*kept, fork, *changes]
        first, birth = dict(before.first), _birth(opened, parent)
    return first, in_order(changes)


def _birth(opened: OpenSweep, trial: int) -> dict[str, Any] | None:
    """Of whom a trial was forked, at which step, and with what; None: it was not."""
    for one in acts_of(opened, trial):
        numbers = one["numbers"]
        to, config, parent = (numbers.get(key) for key in ("to", "config", "parent"))
        if one["action"] != Action.FORK or not isinstance(to, dict) or not isinstance(config, dict):
            continue
        if type(parent) is int and type(to.get("step")) is int:
            values = {name: option_from_json(value) for name, value in config.items()}
            branch = numbers.get("branch")
            facts = {"step": to["step"], "branch": branch if type(branch) is int and branch >= 0 else 0}
            return {"n": one["n"], "parent": parent, "config": values, **facts}
    return None
