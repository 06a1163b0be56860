"""The small print of a page: the sweep itself, numbers at a glance, failures, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.display.numbers import counted, duration, number
from caviar.display.sanitize import plain
from caviar.display.typed_commands import typed
from caviar.results.status import STATES, failed_alike
from caviar.search.samplers import List
from caviar_workers.states import ENDED, State

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep
    from caviar.results.report.slots import SlotUse
    from caviar.results.report.trial_rows import TrialRows
    from caviar.results.status import StatusDocument
    from caviar.results.understand_findings import UnderstandDocument

NAMED = 20
"""Trials of a kind of failure that are named."""
LINES = 12
"""Lines of a traceback that are shown, its last ones."""
LONGEST = 300
"""Characters of such a line."""


def sweep_document(opened: OpenSweep, status: StatusDocument, rows: TrialRows) -> dict[str, Any]:
    """What the sweep is, and how far."""
    steps = rows.step[rows.step >= 0]
    said = opened.sweep.description()
    return {
        "id": status.sweep,
        "name": status.name,
        "title": opened.title,
        "state": status.state,
        "metric": status.metric,
        "mode": status.mode,
        "rule": status.rule,
        "planned": status.planned,
        "counts": {state.lower(): n for state, n in status.counts.items() if n},
        "states": [state.lower() for state in STATES],
        "about": _about(opened, status, rows),
        "created": said["created"],
        "started": None if rows.began is None else rows.began / 1000,
        "elapsed_s": status.took_s,
        "eta_s": status.eta_s,
        "step_range": [int(steps.min()), int(steps.max())] if len(steps) else None,
        "tags": list(opened.plan.tags),
        "note": said["plan"].get("note") or "",
        "relation": opened.plan.relation if opened.plan.parent else None,
        "parent": opened.plan.parent,
    }


def _about(opened: OpenSweep, status: StatusDocument, rows: TrialRows) -> str:
    """A line below the sweep's name."""
    trials = f"{rows.count} of {counted(status.planned or rows.count, 'trial')}"
    told = (status.sweep, trials, counted(len(rows.searched), "parameter"), f"{status.mode} {status.metric}")
    return " · ".join((*told, status.state))


def listed(opened: OpenSweep, status: StatusDocument, rows: TrialRows) -> dict[str, Any]:
    """The sweep's line in a list of sweeps."""
    best, counts, plan = status.best, status.counts, opened.plan
    return {
        "id": status.sweep,
        "name": status.name,
        "state": status.state,
        "metric": status.metric,
        "mode": status.mode,
        "best": None if best is None else {"trial": best.trial, "value": best.value, "step": best.step},
        "shown": None if best is None else number(best.value),
        "planned": status.planned,
        "done": status.done,
        "running": counts[State.RUNNING],
        "failed": counts[State.FAILED],
        "created": opened.sweep.description()["created"],
        "took_s": status.took_s,
        "tags": list(plan.tags),
        "relation": plan.relation if plan.parent else None,
        "parent": plan.parent,
    }


def facts_document(
    status: StatusDocument, rows: TrialRows, use: SlotUse | None, understood: UnderstandDocument | None
) -> list[dict[str, str]]:
    """Numbers at a glance."""
    counts = status.counts
    found = [("completed", f"{counts[State.COMPLETED]:,} of {status.planned:,}")]
    others = (State.STOPPED, State.FAILED, State.CANCELLED, State.RUNNING, State.PAUSED, State.LOST)
    found += [(state.lower(), f"{counts[state]:,}") for state in others if counts[state]]
    if status.diverged:
        found.append(("diverged", f"{status.diverged:,}"))
    if status.took_s is not None:
        found.append(("wall time", duration(status.took_s)))
    if status.eta_s is not None:
        found.append(("to its end", f"about {duration(status.eta_s)}"))
    busy = float(np.nansum(rows.seconds))
    if busy > 0:
        found.append(("training", duration(busy)))
    if use is not None and sum(counts[state] for state in ENDED) > 1:
        found.append(("slots taken", f"{use.share:.0%} of {use.slots:,}, with imports"))
    found.append(("reports", f"{int(rows.reports.sum()):,}"))
    improving = None if understood is None else understood.still_improving
    if improving is not None:
        found.append(
            ("best in the last tenth of their curves", f"{improving.improving} of the best {improving.trials}")
        )
    return [{"label": label, "shown": shown} for label, shown in found]


def failures_document(opened: OpenSweep, rows: TrialRows) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Failures that are alike, most frequent first, and the column of who is one of them."""
    column = np.full(rows.count, 65535, np.uint16)
    alike = sorted(failed_alike(opened).items(), key=lambda one: (-len(one[1]), one[1][0]))[:65535]
    found = []
    firsts = [trials[0] for _, trials in alike]
    errors = _errors(opened, firsts)
    for k, (reason, trials) in enumerate(alike):
        column[[rows.row[trial] for trial in trials if trial in rows.row]] = k  # others began since
        told = {
            "reason": reason,
            "count": len(trials),
            "trials": trials[:NAMED],
            "named": "trials " + " ".join(f"t{one}" for one in trials[:NAMED]) + (" …" if len(trials) > NAMED else ""),
            "example": _last_lines(errors.get(trials[0])),
            "command": typed(f"caviar show {opened.sweep.id} {trials[0]}"),
        }
        found.append(told)
    return found, column


def _errors(opened: OpenSweep, trials: list[int]) -> dict[int, str | None]:
    if not trials:
        return {}
    sql = f"SELECT trial, error FROM trials WHERE trial IN ({', '.join(map(str, trials))})"
    return dict(opened.views.execute(sql).fetchall())


def _last_lines(error: str | None) -> str:
    lines = plain(error or "").rstrip().splitlines()[-LINES:]
    return "\n".join(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…" for line in lines)


def provenance_document(opened: OpenSweep, status: StatusDocument, rows: TrialRows) -> list[dict[str, str]]:
    """Where the sweep comes from: never a secret, for none is stored."""
    said = opened.sweep.description()
    origin = said.get("provenance") or {}
    plan = rows.plan
    pairs: list[tuple[str, Any]] = [("sweep", opened.sweep.id), ("store", str(opened.store.path))]
    pairs += [("created", said["created"])]
    if plan.parent:
        pairs.append(("made by a " + str(plan.relation), f"of {plan.parent}"))
    if status.imported is not None:
        tool = f" of {status.imported.tool}" if status.imported.tool else ""
        pairs.append(("imported", f"{status.imported.file}{tool}"))
        pairs.append(("SHA-256 of the table", status.imported.sha256))
    command = origin.get("command")
    pairs.append(("command", " ".join(map(str, command)) if isinstance(command, list) else None))
    commit = origin.get("git_commit")
    dirty = ", with changes that are not committed" if origin.get("git_dirty") else ""
    pairs.append(("git commit", f"{commit}{dirty}" if commit else None))
    pairs += [(label, origin.get(key)) for label, key in _OF_ORIGIN]
    sent = origin.get("submitted") or {}
    pairs.append(("submitted by", ", from ".join(filter(None, (sent.get("user"), sent.get("host"))))))
    pairs.append(("code digest", said.get("program", {}).get("digest")))
    versions = origin.get("versions")
    if isinstance(versions, dict):
        pairs.append(("versions", ", ".join(f"{name} {version}" for name, version in versions.items())))
    pairs += [("seed of the sweep", plan.seed), ("chosen by", chosen_by(rows))]
    pairs.append(("stop policy", plan.stopping or None))
    for one in status.fingerprints:
        machine = ", ".join(filter(None, (one.host, one.machine.cpu, *one.machine.gpus)))
        pairs.append(("trained on", machine or None))
    return [{"label": label, "shown": str(value)} for label, value in pairs if value not in (None, "")]


_OF_ORIGIN = (("host", "host"), ("user", "user"), ("file", "source"), ("Python", "python"), ("platform", "platform"))


def chosen_by(rows: TrialRows) -> str:
    """Who chose the configurations."""
    plan = rows.plan
    if plan.searcher:
        return f"the searcher {plan.searcher}"
    if isinstance(plan.sampler, List):
        return f"{counted(len(plan.sampler.configs), 'configuration')} as listed, then {plan.sampler.then or 'none'}"
    return f"the sampler {plan.sampler}"
