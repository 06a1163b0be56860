"""What `run` and `resume` print when the trials are done: the best, and what to type next."""

from dataclasses import replace
from typing import TYPE_CHECKING

from caviar.cli.failures import failure_line
from caviar.cli.opened import opened
from caviar.cli.options import Target
from caviar.cli.output import emit_json, say
from caviar.cli.winners import print_winners
from caviar.errors import NoResultError
from caviar.results.best import best_document

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep

BEST = 5


def after_run(target: Target, sweep: str) -> None:
    """Print the best trials (data) and two next commands (stderr).

    Raises:
        NoResultError: no trial has a usable result.
    """
    with opened(replace(target, sweep=sweep)) as found:
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
        latest = found.store.sweeps()[-1].id == sweep
        _say_older_best(found)
        say("")
        if failed:
            say(failed)
        named = "" if latest else f" {sweep}"
        say(f"next: caviar show{named} {document.trials[0].trial}")
        say(f"      caviar curves{named}")


def _say_older_best(opened: "OpenSweep") -> None:
    """Where a sweep was zoomed out of another one: is the best of them its own?"""
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
