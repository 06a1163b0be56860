"""A trial once more, from its seed, with all that was done to it: the same curve, if train is deterministic."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caviar.display.numbers import counted
from caviar.errors import CaviarError
from caviar.results.lineage import Lineage, ReplayDocument, differences, lineage_of
from caviar.results.open_sweep import open_sweep
from caviar.run.code_to_run import STORED, Code, code_of
from caviar.run.engine.stored_trial import drawn
from caviar.run.loose_trials import copies, loose_trials
from caviar.spec.plan import Plan
from caviar_workers.failure import headline
from caviar_workers.states import State

if TYPE_CHECKING:
    from caviar.display.progress import ProgressDisplay
    from caviar.results.open_sweep import Say
    from caviar.store import Store, SweepDir


def replay_trial(
    store: Store,
    sweep: SweepDir,
    trial: int,
    *,
    address: str | None,
    progress: ProgressDisplay,
    say: Say,
    code: Code = STORED,
) -> ReplayDocument:
    """Train the lineage of a trial again, and compare; nothing of it is kept.

    Args:
        store: The store.
        sweep: The trial's sweep.
        trial: Its number.
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
        say: Tells what is not shown of the sweep.
        code: Whether the stored code may run.

    Raises:
        NotFoundError: The sweep has no such trial.
        NoResultError: It has reported nothing.
        SpecError: The sweep's code is in no file, or is not trusted.
        CaviarError: It fails when it is trained again.
    """
    plan = Plan.from_json(sweep.description()["plan"])
    with open_sweep(store, sweep, say) as opened:
        lineage = lineage_of(opened, trial)
        config, seed = drawn(opened.views, plan, lineage.root)
    program = code_of(sweep, code)
    work = replace(copies(config, [seed], first=trial), changes={trial: lineage.changes})
    wanted = None if lineage.state == State.COMPLETED else len(lineage.rows)
    what = f"the replay of t{trial}"
    with loose_trials(plan, program, sweep=sweep.id, what=what, address=address, progress=progress) as trials:
        (found,) = trials.run(work, reports=wanted)
    if found.error and len(found.rows) < len(lineage.rows):
        raise CaviarError(f"trial {trial} of sweep {sweep.id} fails when it is trained again: {headline(found.error)}")
    differs = differences(lineage.rows, found.rows)
    if not differs and wanted is None and len(found.rows) > len(lineage.rows):
        differs = {"step": int(found.rows[len(lineage.rows)]["step"])}
    names = dict.fromkeys(name for row in lineage.rows for name in row if name != "step")
    return ReplayDocument(
        sweep=sweep.id,
        trial=trial,
        metric=plan.metric,
        rows=len(lineage.rows),
        equal=not differs.keys() & {"step", plan.metric},
        same=tuple(name for name in names if name not in differs and "step" not in differs),
        differs=differs,
        notes=tuple(_notes(lineage, program.digest)),
    )


def _notes(lineage: Lineage, digest: str) -> list[str]:
    """What to know of the code that it was trained with."""
    others = [one for one in lineage.programs if one != digest]
    if not others:
        return []
    return [
        f"it was trained with {counted(len(lineage.programs), 'version')} of the code, and replayed with the newest: "
        "what another one had trained may differ"
    ]
