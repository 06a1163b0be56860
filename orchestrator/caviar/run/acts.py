"""Acts on trials: asked of the process that runs the sweep, or done here where none does.

Whether an act was accepted is known from the store alone: a decision has its token. One that was accepted holds,
whoever dies; of one that was not, nothing is left.
"""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from caviar.display.numbers import counted
from caviar.errors import CaviarError, SpecError
from caviar.results.edits import Edit, Rollback, Standing, acts_of, edit_of, rollback_of, standing
from caviar.results.imported import imported_from
from caviar.results.open_sweep import OpenSweep, open_sweep
from caviar.results.paused import paused_by_user
from caviar.run.decided_code import is_other, keep_code, need_silence, take_up_code
from caviar.run.engine.births import births
from caviar.run.engine.decision_log import Decision, DecisionLog
from caviar.store.checkpoints import cuts_of, is_whole, restorable, saves_of
from caviar.store.finalize import write_final
from caviar.store.owner import user_name
from caviar.store.ownership import own
from caviar.store.requests import ask_to_act
from caviar.store.storable import NotKept, check_kept
from caviar.store.untrusted_json import numbers_of
from caviar.store.writer import Writer
from caviar_workers.states import CHANGING, ENDED, Action, State
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.results.open_sweep import Say
    from caviar.store import Store, SweepDir
    from caviar.store.requests import Asked
    from caviar_workers.messages import Program

MOST_WORDS = 10_000
"""Characters of a note, and of the reason of a change."""
LOOK_S = 0.2
"""Seconds between two looks for an answer."""
TAKES_S = 30.0
"""Seconds that an edit is waited for, until its trial takes it."""
TRIES = 5
"""Looks at a trial that changes meanwhile, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActDocument:
    """What was done to a trial.

    Attributes:
        sweep: id of its sweep.
        trial: its number.
        action: edit, rollback or note.
        decision: number of the decision that says so.
        changes: parameter → what it was and what it becomes.
        after: the step after which it took effect, or is to; null: after the trial's next report.
        over: steps in which it gets there; 0: at once.
        taken: whether the trial has taken it.
        warnings: what to know about it.
    """

    sweep: str
    trial: int
    action: str
    decision: int
    changes: dict[str, tuple[Any, Any]]
    after: int | None
    over: int
    taken: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be changed in a trial's configuration."""

    values: Mapping[str, Any]
    """Parameter → its new value, or as text what becomes of the one that it has, such as `*0.5`."""
    at_step: int | None = None
    """The step after which it is to take effect; None: the next report."""
    over: int | None = None
    """Steps in which it gets there; None: at once."""
    now: bool = False
    """Change parameters that are not live too: train begins again for them, from its next checkpoint."""
    skip_data: bool = False
    """Of a rollback: leave out the data that the steps after it had (`trial.skip`)."""
    code: Program | None = None
    """Of a rollback: what the trial goes on with; None: the same."""
    why: str = ""
    """For the diary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The answer to an act that was accepted."""

    n: int
    """Number of its decision."""
    trials: tuple[int, ...] = ()
    """The trials that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The answer to an act that was not."""

    why: str
    again: bool
    """Whether it can be asked for once more, with a fresh look."""


def edit_trial(
    store: Store, sweep: SweepDir, trial: int, wish: Wish, *, say: Say, takes_s: float = TAKES_S
) -> ActDocument:
    """Change live parameters of a trial while it trains.

    Args:
        store: The store.
        sweep: The trial's sweep.
        trial: Its number.
        wish: What is to be changed; `results.edits.edit_of` says what is refused.
        say: Tells what is not shown of the sweep.
        takes_s: Seconds until it is no more waited for that the trial takes it.

    Raises:
        SpecError, NotFoundError: It cannot be; nothing was changed.
        CaviarError: It was not accepted; nothing was changed.
    """
    check_words(wish.why)
    for _ in range(TRIES):
        with open_sweep(store, sweep, say) as opened:
            now = standing(opened, trial)
            edit = edit_of(opened, now, wish.values, at_step=wish.at_step, over=wish.over, restarts=wish.now)
        numbers = edit.numbers() | ({"why": wish.why} if wish.why else {})
        answer = ask(store, sweep, Action.EDIT, now, numbers, say)
        if isinstance(answer, Accepted):
            return _awaited(store, sweep, now, edit, answer.n, say, 0.0 if wish.at_step is not None else takes_s)
        why_not = answer.why
        if not answer.again:
            break
    raise CaviarError(f"trial {trial} was not edited, for {why_not}: nothing was changed")


def roll_back(store: Store, sweep: SweepDir, trial: int, wish: Wish, *, to_step: int, say: Say) -> ActDocument:
    """Have a trial go on from its last living checkpoint at or before a step; where nobody runs its sweep, when it is
    resumed.

    What was trained after it stays in the store, as a branch that ended.

    Args:
        store: The store.
        sweep: The trial's sweep.
        trial: Its number; it may have ended.
        wish: What is to be changed, of any parameter; empty: nothing.
        to_step: The step.
        say: Tells what is not shown of the sweep.

    Raises:
        SpecError, NotFoundError: It cannot be; nothing was changed.
        CaviarError: It was not accepted; nothing was changed.
    """
    check_words(wish.why)
    differs: dict[str, Any] | None = None
    for _ in range(TRIES):
        with open_sweep(store, sweep, say) as opened:
            now, back = look_back(opened, trial, wish, to_step)
        differs = _with_code(sweep, wish) if differs is None else differs
        numbers = back.numbers() | ({"why": wish.why} if wish.why else {}) | differs
        answer = ask(store, sweep, Action.ROLLBACK, now, numbers, say)
        if isinstance(answer, Accepted):
            return _rolled_back(sweep, trial, back, answer.n, differs=bool(differs))
        why_not = answer.why
        if not answer.again:
            break
    raise CaviarError(f"trial {trial} was not rolled back, for {why_not}: nothing was changed")


def look_back(opened: OpenSweep, trial: int, wish: Wish, to_step: int) -> tuple[Standing, Rollback]:
    """How a trial stands, with its newest attempt of which there is a trace, and where it would go back to."""
    sweep, now = opened.sweep, standing(opened, trial)
    fit = restorable(saves_of(sweep, trial), opened.views.published([trial])[trial], cuts_of(acts_of(opened, trial)))
    found = next((save for save in fit if save.step <= to_step and is_whole(sweep, save)), None)
    whole = [save for save in fit if save.step > to_step or (found is not None and save.step <= found.step)]
    newest = _newest_attempt(opened, sweep, trial)
    return replace(now, attempt=newest), rollback_of(opened, now, whole, wish.values, to_step=to_step)


def _with_code(sweep: SweepDir, wish: Wish) -> dict[str, Any]:
    """What differs from a rollback on, beside the configuration; other code is kept, before anybody refers to it."""
    found: dict[str, Any] = {"skip_data": True} if wish.skip_data else {}
    code = wish.code
    if code is None or not is_other(sweep, code):
        return found
    need_silence(sweep)
    with own(sweep, purpose="rolled back") as held:
        keep_code(held, code)
    return found | {"program": code.digest}


def _rolled_back(sweep: SweepDir, trial: int, back: Rollback, n: int, *, differs: bool) -> ActDocument:
    """What is to be told of a rollback that was accepted."""
    warnings = (
        [f"{counted(len(back.forgets), 'change')} after step {back.to.step} holds no more"] if back.forgets else []
    )
    if back.edit is None and not back.forgets and not differs:
        warnings = ["nothing changes: a deterministic train repeats itself"]
    changes = {} if back.edit is None else {name: (back.edit.old[name], value) for name, value in back.edit.new.items()}
    return ActDocument(
        sweep=sweep.id,
        trial=trial,
        action=Action.ROLLBACK,
        decision=n,
        changes=changes,
        after=back.to.step,
        over=0,
        taken=False,
        warnings=tuple(warnings),
    )


def _newest_attempt(opened: OpenSweep, sweep: SweepDir, trial: int) -> int | None:
    """The newest attempt of a trial of which there is a trace; None: there is none."""
    sql = " UNION ".join(f"SELECT attempt FROM {view} WHERE trial = ?" for view in ("attempts", "curves", "logs"))
    saved = [save.attempt for save in saves_of(sweep, trial)]
    return max([*(row["attempt"] for row in opened.rows(sql, [trial] * 3)), *saved], default=None)


def check_words(text: object) -> None:
    """See that somebody's words can be kept: a decision that cannot be read again would be lost with all it says."""
    if not isinstance(text, str) or len(text) > MOST_WORDS:
        raise SpecError(f"a note or a reason is text of at most {MOST_WORDS:,} characters, but got {text!r:.40}")
    try:
        check_kept(text)
    except NotKept as error:
        raise SpecError(f"a note or a reason is plain text, but {error} in {text!a:.40}: write it otherwise") from error


def _who() -> str:
    return f"{user_name()}@{socket.gethostname()}"


def note_trial(store: Store, sweep: SweepDir, trial: int, text: str, *, say: Say) -> ActDocument:
    """Keep somebody's words about a trial, for its diary.

    Raises:
        SpecError: There are no words.
        NotFoundError: The sweep has no such trial.
    """
    check_words(text)
    if not text.strip():
        raise SpecError(f"a note is a few words, such as 'plateau since step 800', but got {text!r:.40}")
    with open_sweep(store, sweep, say) as opened:
        now = standing(opened, trial)
    answer = ask(store, sweep, Action.NOTE, now, {"text": text.strip()}, say)
    if isinstance(answer, Refused):
        raise CaviarError(f"the note was not kept, for {answer.why}")
    return ActDocument(
        sweep=sweep.id, trial=trial, action=Action.NOTE, decision=answer.n, changes={}, after=now.step, over=0,
        taken=True, warnings=(),
    )  # fmt: skip


def ask(
    store: Store, sweep: SweepDir, action: Action, now: Standing, numbers: Mapping[str, Any], say: Say
) -> Accepted | Refused:
    """Ask for an act on a trial, and wait for the answer; where nobody runs the sweep, do it here."""
    if imported_from(sweep.description()) and action != Action.NOTE:
        raise SpecError(f"sweep {sweep.id} was imported, and has no code that could go on")
    token = uuid.uuid4().hex
    facts = {"attempt": now.attempt, "step": now.step, "value": now.value}
    about = {**numbers, "who": _who(), "before": dict(now.metrics), "token": token}
    if "program" in numbers:
        need_silence(sweep)
    if not sweep.owner().runs:
        decision = Decision(action=action, by="user", trial=now.trial, numbers=about, **facts)  # type: ignore[arg-type]
        return _record(store, sweep, decision, now.seen, say)
    asked = json.dumps({**about, **facts, "seen": now.seen})
    request = ask_to_act(sweep, action=action, trial=now.trial, token=token, act=asked)
    return _answer(store, sweep, request, token, say)


def _answer(store: Store, sweep: SweepDir, request: Asked, token: str, say: Say) -> Accepted | Refused:
    """Wait for the answer of the process that ran the sweep when it was asked; one that came since gives none."""
    with open_sweep(store, sweep, say) as opened:
        while True:
            lives = request.lives(sweep)  # before the look: what it published by then is seen
            opened.views.refresh()
            if (found := _found(opened, token)) is not None:
                return found
            if not lives:
                with suppress(OSError):
                    sweep.disk.delete([request.file])
                raise CaviarError("the driver ended before it took this: nothing was changed")
            time.sleep(LOOK_S)


def _found(opened: OpenSweep, token: str) -> Accepted | Refused | None:
    """The answer with this token among the decisions; of several trials that are born at once there are several."""
    sql = "SELECT n, trial, action, numbers FROM decisions WHERE contains(numbers, ?) ORDER BY n"
    rows = [row | {"numbers": numbers_of(row["numbers"])} for row in opened.rows(sql, [token])]
    mine = [row for row in rows if row["numbers"].get("token") == token]
    if not mine:
        return None
    if mine[0]["action"] == Action.REFUSE:
        numbers = mine[0]["numbers"]
        return Refused(why=str(numbers.get("why", "")), again=bool(numbers.get("again")))
    return Accepted(n=mine[0]["n"], trials=tuple(row["trial"] for row in mine))


def _record(store: Store, sweep: SweepDir, decision: Decision, seen: int, say: Say) -> Accepted | Refused:
    """Publish an act on a trial of a sweep that nobody runs, so that whoever resumes it finds it."""
    with own(sweep, purpose="edited") as held:
        state = held.sweep.visible_files().manifest.state
        with open_sweep(store, held.sweep, say) as opened:
            assert decision.trial is not None
            now = standing(opened, decision.trial)
            first = opened.rows("SELECT coalesce(max(n) + 1, 0) AS n FROM decisions")[0]["n"]
            newest = _newest_attempt(opened, held.sweep, decision.trial)
            decisions = _born(opened, decision) if decision.action == Action.FORK else [decision]
        changed = {
            Action.EDIT: now.state in ENDED,
            Action.PAUSE: now.state in ENDED,
            Action.ROLLBACK: newest != decision.attempt,  # somebody ran the sweep meanwhile
        }
        looked = decision.action in CHANGING and now.seen != seen
        if looked or changed.get(Action(decision.action), False):
            return Refused(why="another change came first", again=True)
        with Writer(held.sweep, held.epoch, sealing=True) as writer:
            DecisionLog(writer, first, time.time).publish(decisions)
        if "program" in decision.numbers:
            take_up_code(store, held)
        stays = state in ("finished", "failed") and decision.action not in (Action.ROLLBACK, Action.FORK)
        if stays:  # and a plain glob over its files exact
            write_final(held.sweep, held.epoch, state)
    return Accepted(n=first, trials=tuple(one.trial for one in decisions if one.trial is not None))


def _born(opened: OpenSweep, asked: Decision) -> list[Decision]:
    """The decisions by which trials are born that somebody asked for."""
    count = opened.rows("SELECT count(*) AS n FROM decisions WHERE action = 'fork'")[0]["n"]
    seed = opened.rows("SELECT seed FROM configs WHERE trial = ?", [asked.trial])[0]["seed"]
    return births(asked, seed, FORKED + count)


def _awaited(store: Store, sweep: SweepDir, now: Standing, edit: Edit, n: int, say: Say, takes_s: float) -> ActDocument:
    """What became of an edit that was accepted: wait for a while until its trial has taken it."""
    deadline = time.monotonic() + takes_s
    warnings: tuple[str, ...] = ()
    after = None
    with open_sweep(store, sweep, say) as opened:
        while True:
            lives = sweep.owner_alive()
            opened.views.refresh()
            sql = "SELECT step, numbers FROM decisions WHERE trial = ? AND action = ? ORDER BY n"
            found = opened.rows(sql, [now.trial, Action.APPLIED])
            after = next((row["step"] for row in found if numbers_of(row["numbers"]).get("edit") == n), None)
            state = opened.trial(now.trial)["state"]
            held = state == State.PAUSED and now.trial in paused_by_user(opened)
            if after is not None or not lives or held or state in ENDED or time.monotonic() >= deadline:
                break
            time.sleep(LOOK_S)
    if after is None and state in ENDED:
        warnings = (f"trial {now.trial} is {state}, and ended before it took the edit",)
    elif after is None and edit.at_step is None:
        where = "at its next checkpoint" if edit.now else "with its next report"
        where = "when it goes on, by caviar continue" if held else where
        where = where if lives else "when its sweep is resumed"
        warnings = (f"trial {now.trial} takes it {where}",)
    return ActDocument(
        sweep=sweep.id,
        trial=now.trial,
        action=Action.EDIT,
        decision=n,
        changes={name: (edit.old[name], value) for name, value in edit.new.items()},
        after=edit.at_step if after is None else after,
        over=edit.over,
        taken=after is not None,
        warnings=warnings,
    )
