"""Acts that somebody asks for in a browser: what a page sends is a stranger's word, and the answer is sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.errors import NotFoundError, SpecError
from caviar.run.acts import ActDocument, Wish, edit_trial, note_trial
from caviar.spec.overrides import Typed
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.store import Store

KNOWN = {"set", "why", "at_step", "over", "now", "note"}
TAKES_S = 5.0
"""Seconds that an answer waits until the trial has taken the edit."""


def act_of_page(store: Store, sweep: str, trial: int, asked: dict[str, Any]) -> dict[str, Any]:
    """Do what a page asks for.

    Args:
        store: The store.
        sweep: Id of a sweep.
        trial: A number.
        asked: `set` with values by parameter, as they are or as they are typed, `why`, `at_step`, `over` and `now`; or
            `note`.

    Returns:
        `said`: what was done.

    Raises:
        SpecError, NotFoundError: It cannot be; nothing was changed.
        CaviarError: It was not accepted; nothing was changed.
    """
    if odd := sorted(set(asked) - KNOWN):
        raise SpecError(f"an act has {', '.join(sorted(KNOWN))}, but got {odd[0]!r:.40}: nothing was changed")
    if trial >= 2 * FORKED:  # a database has no numbers for the longest
        raise NotFoundError("no sweep has a trial of such a number")
    found, warnings = store.find(sweep), list[str]()
    if "note" in asked:
        if len(asked) > 1:
            raise SpecError("an act is a note, or an edit, whose words are its why: nothing was changed")
        note_trial(store, found, trial, asked["note"], say=warnings.append)
        return {"said": "noted"}
    values = asked.get("set")
    if not isinstance(values, dict):
        raise SpecError("an edit changes a parameter, such as lr=*0.5: nothing was changed")
    if not isinstance(asked.get("now", False), bool):
        raise SpecError("now is true or false: nothing was changed")
    wish = Wish(
        values={name: Typed(value) if isinstance(value, str) else value for name, value in values.items()},
        at_step=asked.get("at_step"),
        over=asked.get("over"),
        now=asked.get("now", False),
        why=asked.get("why", ""),
    )
    done = edit_trial(store, found, trial, wish, say=warnings.append, takes_s=TAKES_S)
    return {"said": "; ".join([*_changed(done), *done.warnings])}


def _changed(done: ActDocument) -> list[str]:
    when = "" if done.after is None else " from the beginning" if done.after < 0 else f" after step {done.after}"
    return [f"{name} {old} → {new}{when}" for name, (old, new) in done.changes.items()]
