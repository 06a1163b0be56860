"""One sweep, however often the same is typed: it is started, waited for, resumed, or finished already.

For those who start a driver anew when it is gone, and do not know how far it was: a Kubernetes job, a queue of Slurm's.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from caviar.errors import SpecError, StoreError
from caviar.results.next_plan import next_plan, next_sweep
from caviar.run.code_to_run import Code, program_to_read
from caviar.run.driver import run_sweep
from caviar.run.resume import LOOK_S, resume_sweep
from caviar.spec.code_snapshot import ROLES, digest_of
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, Views
from caviar.store.store import SweepExistsError

if TYPE_CHECKING:
    from caviar.display.progress import ProgressDisplay
    from caviar_workers.messages import Program


def key_of(plan: Plan, program: Program) -> str:
    """The key of a sweep: the same for the same plan, and its name is part of it, code and files; hex digits."""
    said = json.dumps(plan.to_json(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{program.digest}:{said}".encode()).hexdigest()


def resume_or_start(  # noqa: PLR0913 — those of `run_sweep`
    plan: Plan,
    program: Program,
    store: PurePath,
    *,
    key: str,
    address: str | None,
    progress: ProgressDisplay,
    provenance: Mapping[str, Any],
    sleep: Callable[[float], None] = time.sleep,
) -> SweepDir:
    """See that the sweep of a key comes to its end: make it, or wait while another process runs it, and go on with it.

    Args:
        plan: What it is, if it is not there yet.
        program: Its code, likewise.
        store: The results store.
        key: Any text; empty: what follows from plan and program.
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
        provenance: Of the new sweep.
        sleep: Waits for some seconds.

    Raises:
        SpecError: The functions live in no file, so that the sweep could not be resumed.
        CaviarError: As of `run_sweep` and `resume_sweep`.
    """
    if program.functions:
        raise SpecError("a sweep of functions that live in no file cannot be resumed: put train into a file")
    opened = Store.open(store, create=True)
    keyed = opened.keyed(key or key_of(plan, program))
    sweep = opened.of_key(keyed.key)
    if sweep is None:
        try:
            return run_sweep(
                plan, program, store, address=address, progress=progress, provenance=provenance, keyed=keyed
            )
        except SweepExistsError:  # another process made it just now
            sweep = opened.find(keyed.sweep)
    if sweep.key != keyed.key:
        raise StoreError(f"sweep {sweep.id} is not that of the key {keyed.key:.60}: give another word to --as")
    _tell_differences(sweep, plan, program, progress)
    while True:
        if _wait(opened, sweep, progress, sleep) and (by := _ended_by(opened, sweep)):
            progress.note(f"sweep {sweep.id} was ended by {by} meanwhile; go on with: caviar resume {sweep.id}")
            return sweep
        try:
            code = Code(trust=lambda _: _is_same(program_to_read(sweep), program))
            return resume_sweep(opened, sweep, address=address, progress=progress, code=code)
        except StoreError:
            if _alive(opened, sweep) is None:
                raise  # else another process took it in between


def _tell_differences(sweep: SweepDir, plan: Plan, program: Program, progress: ProgressDisplay) -> None:
    """Say where what the key stands for is not what was described now."""
    other = [] if sweep.description()["plan"] == json.loads(json.dumps(plan.to_json())) else ["settings"]
    other += [] if _is_same(program_to_read(sweep), program) else ["code"]
    if other:
        progress.note(f"sweep {sweep.id} of this key goes on with the {' and '.join(other)} that it began with")


def _is_same(stored: Program, given: Program) -> bool:
    """Whether stored code is one's own; nothing of it is believed: its files are compared as they are unpacked."""
    names = ("module", "project", *ROLES)
    return digest_of(stored.files) == digest_of(given.files) and all(
        getattr(stored, name) == getattr(given, name) for name in names
    )


def _wait(store: Store, sweep: SweepDir, progress: ProgressDisplay, sleep: Callable[[float], None]) -> bool:
    """Wait while another process runs the sweep, or one that follows it, or may have died only just now.

    Returns:
        Whether there was something to wait for.
    """
    told = ""
    while (running := _alive(store, sweep)) is not None:
        seen = running.owner()
        if seen.alive and told != (who := f"{running.id} is being {seen.purpose} by {seen.who}"):
            told = who
            progress.note(f"sweep {who}: waiting until that ends, or gives no sign of life; Ctrl-C leaves it running")
        sleep(LOOK_S if seen.left_s is None else min(LOOK_S, seen.left_s + 0.1))
    return bool(told)


_WISHES = {"user": "its user", "time_limit": "its time limit"}


def _ended_by(store: Store, sweep: SweepDir) -> str:
    """Whose wish it was that the sweep ended as it did, before its time; empty: nobody's, it is to go on."""
    last = list(_line(store, sweep))[-1]
    if last.owner().standing != "nobody" or last.state() != "interrupted":
        return ""  # its process died, or all is done
    with Views(store, [last]) as views:
        rows = views.execute("SELECT decided_by FROM decisions WHERE trial IS NULL ORDER BY n DESC LIMIT 1").fetchall()
    return _WISHES.get(rows[0][0], "") if rows else ""


def _alive(store: Store, sweep: SweepDir) -> SweepDir | None:
    """The sweep, or the one of those that follow it, that somebody owns now; None: nobody does."""
    return next((one for one in _line(store, sweep) if one.owner_alive()), None)


def is_done(store: Store, sweep: SweepDir) -> bool:
    """Whether a sweep and all that follow it are finished."""
    last = list(_line(store, sweep))[-1]
    return last.state() == "finished" and next_plan(store, last, Plan.from_json(last.description()["plan"])) is None


def _line(store: Store, sweep: SweepDir) -> Iterator[SweepDir]:
    """The sweep, its next round or retest, that one's, and so on."""
    following: SweepDir | None = sweep
    while following is not None:
        yield following
        following = next_sweep(store, following, Plan.from_json(following.description()["plan"]))
