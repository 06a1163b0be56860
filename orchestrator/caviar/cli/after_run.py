"""What `run` and `resume` print when the trials are done: the best, the failures, and what to type next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caviar.cli.best_page import print_winners, say_if_edited
from caviar.cli.opened import opened
from caviar.cli.options import Target
from caviar.cli.output import emit_json, say
from caviar.errors import NoResultError
from caviar.results.best import best_document
from caviar.results.status import failed_alike

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep


KINDS = 4
NAMED = 3


def failure_line(opened: OpenSweep) -> str:
    """`3 of 64 failed: 2 × ValueError: no such layer (t3, t9), 1 × oom (t17)`; empty: none did."""
    found = failed_alike(opened)
    if not found:
        return ""
    most = sorted(found.items(), key=lambda item: (-len(item[1]), min(item[1])))
    told = [f"{len(trials)} × {word} ({_named(trials)})" for word, trials in most[:KINDS]]
    rest = sum(len(trials) for _, trials in most[KINDS:])
    if rest:
        told.append(f"{rest} × others")
    return f"{sum(map(len, found.values()))} of {opened.planned} failed: {', '.join(told)}"


def _named(trials: list[int]) -> str:
    more = ", …" if len(trials) > NAMED else ""
    return ", ".join(f"t{trial}" for trial in trials[:NAMED]) + more


BEST = 5


def after_run(target: Target, sweep: str) -> None:
    """Print the best trials (data) and the next commands (stderr); of a retest, those of the sweep, with the verdict.

    Raises:
        NoResultError: no trial has a usable result.
    """
    with opened(replace(target, sweep=sweep), search=True) as found:
        failed = failure_line(found)
        try:
            document = best_document(found, k=BEST)
        except NoResultError:
            if failed:
                say(failed)
            raise
        if target.as_json:
            emit_json(document)
            return
        print_winners(found, document)
        edited = say_if_edited(found, document)
        latest = found.store.sweeps()[-1].id == found.sweep.id
        _say_older_best(found)
        say("")
        if failed:
            say(failed)
        named = "" if latest else f" {found.sweep.id}"
        say(f"next: caviar show{named} {document.trials[0].trial}")
        say(f"      caviar curves{named}")
        say(f"      caviar report{named}")
        if edited:
            say(f"      caviar diary{named} {document.trials[0].trial}")
        elif document.retest is None:
            say(f"      caviar retest{named}")


def _say_older_best(opened: OpenSweep) -> None:
    """Say whether the best of a family of sweeps is this one's own, where it was zoomed out of another."""
    if opened.plan.parent is None:
        return
    from caviar.results.family import ancestors, best_of_family

    line = ancestors(opened.store, opened.sweep)
    _, best = best_of_family(opened.store, line, k=1)
    if best and best[0].sweep.id != opened.sweep.id:
        older = best[0]
        say("")
        say(f"the best of its family is t{older.candidate.trial} of {older.sweep.id}, at {older.candidate.value:.4g}:")
        say(f"      caviar best {opened.sweep.id} --family")
