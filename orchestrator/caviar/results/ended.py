"""How a sweep ended, in one line and a few facts, as a document: for who is told and does not ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from caviar.display.numbers import number
from caviar.results.json_form import as_json
from caviar.results.open_sweep import open_sweep
from caviar.results.status import status_document
from caviar.store import Store
from caviar_workers.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class BestTrial:
    """A trial's number, and its value."""

    trial: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedDocument:
    """How a sweep ended.

    Attributes:
        text: one line.
        sweep: its id; None: none was begun.
        name: its name.
        state: finished, interrupted or failed.
        metric: what ranks the trials.
        best: the best trial; None: none has a usable value.
        done: trials that came to an end.
        planned: trials in all.
        failed: trials that failed.
        error: why it ended; None: it came to its end.
    """

    text: str
    sweep: str | None
    name: str | None = None
    state: str
    metric: str | None = None
    best: BestTrial | None = None
    done: int = 0
    planned: int = 0
    failed: int = 0
    error: str | None

    def message(self) -> dict[str, Any]:
        """Its JSON form."""
        form: dict[str, Any] = as_json(self)
        return form


def ended_document(place: str, sweep: str | None, error: BaseException | None) -> EndedDocument:
    """How a sweep ended.

    Args:
        place: Of its store.
        sweep: Its id; None: none was begun.
        error: What ended it; None: nothing did.

    Raises:
        CaviarError: It cannot be read.
    """
    why = None if error is None else str(error) or type(error).__name__
    if sweep is None:
        return EndedDocument(text=f"caviar: {why or 'it ended'}", sweep=None, state="failed", error=why)
    store = Store.open(place)
    with open_sweep(store, store.find(sweep), lambda _: None) as opened:
        found = status_document(opened)
    best = None if found.best is None else BestTrial(trial=found.best.trial, value=found.best.value)
    failed = found.counts.get(State.FAILED, 0)
    text = f"{found.name} ({found.sweep}) {found.state}: {found.done} of {found.planned} trials"
    text += f", {failed} failed" if failed else ""
    text += "" if best is None else f"; best {found.metric} {number(best.value)} (t{best.trial})"
    return EndedDocument(
        text=text,
        sweep=found.sweep,
        name=found.name,
        state=found.state,
        metric=found.metric,
        best=best,
        done=found.done,
        planned=found.planned,
        failed=failed,
        error=why,
    )
