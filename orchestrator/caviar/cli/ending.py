"""What `run` and `resume` print when the trials are done: the best, and what to type next."""

import shlex
from dataclasses import replace

from caviar.cli.options import DEFAULT_STORE, Target
from caviar.cli.output import emit_json, say
from caviar.cli.reading import reading
from caviar.cli.winners import choose, document, print_winners

BEST = 5


def after_run(target: Target, sweep: str) -> None:
    """Print the best trials (data) and two next commands (stderr).

    Raises:
        NoResultError: no trial has a usable result.
    """
    with reading(replace(target, sweep=sweep)) as opened:
        selection = choose(opened, BEST)
        if target.as_json:
            emit_json(document(opened, selection))
            return
        print_winners(opened, selection)
        where = "" if target.store == DEFAULT_STORE else f" --store {shlex.quote(target.store)}"
        say("")
        say(f"next: caviar show {selection.rows[0].trial}{where}")
        say(f"      caviar curves{where}")
