"""`caviar show`: everything about one trial."""

from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import Target, axis_option, target_options, trial_argument

if TYPE_CHECKING:
    from caviar.cli.reading import Reading

# The end of what a trial printed: lines, pieces as they were caught, characters.
TAIL = 20
MOST_PIECES = 200
MOST_TEXT = 20_000


EPILOG = """\b
Examples:
  caviar show 19
  caviar show digits 19
  caviar show 7f3a t19 --json
"""


@click.command(epilog=EPILOG, short_help="One trial: config, curve, error, output.")
@trial_argument
@axis_option
@target_options
def verb(trial: int, log: bool | None, target: Target) -> None:
    """Show one trial: its config, state, seed, attempts, learning curve, error, and the end of its output."""
    from caviar.cli.output import emit_json
    from caviar.cli.reading import reading
    from caviar.cli.trial_page import print_trial

    with reading(target) as opened:
        document = _document(opened, trial)
        if target.as_json:
            emit_json(document)
        else:
            print_trial(document, log)


def _document(opened: "Reading", trial: int) -> dict[str, Any]:
    from caviar.cli.points import exact_metrics
    from caviar.results.given import as_given
    from caviar.store.aside import no_trial

    found = opened.rows("select * from trials where trial = ?", [trial])
    if not found:
        raise no_trial(opened.title, trial, opened.plan["trials"], opened.views)
    row = found[0]
    curves = {
        metric: {"steps": points.steps, "values": points.values}
        for metric, points in exact_metrics(opened, trial).items()
    }
    return {
        "sweep": opened.sweep.id,
        "name": opened.plan["name"],
        "trial": trial,
        "state": row["state"],
        "seed": row["seed"],
        "config": as_given(opened.plan["space"]["parameters"], row),
        "held": {name: one["tier"] for name, one in opened.plan.get("held", {}).items()},
        "metric": opened.plan["metric"],
        **{
            name: row[name]
            for name in ("started", "ended", "busy", "host", "pid", "devices", "rows", "step", "diverged")
        },
        "kind": row["kind"],
        "error": row["error"],
        "metrics": {
            metric: {"last": row.get(f"last_{metric}"), "best": row.get(f"best_{metric}")} for metric in curves
        },
        "curves": curves,
        "attempts": opened.rows("select * exclude (sweep) from attempts where trial = ? order by attempt", [trial]),
        "output": _tail(opened, trial),
    }


def _tail(opened: "Reading", trial: int) -> list[str]:
    """The last lines that the newest attempt printed, oldest first."""
    pieces = opened.rows(
        """select right(text, ?) as text from logs
            where trial = ? and attempt = (select max(attempt) from logs where trial = ?)
            order by _seq desc limit ?""",
        [MOST_TEXT, trial, trial, MOST_PIECES],
    )
    return "".join(piece["text"] for piece in reversed(pieces))[-MOST_TEXT:].splitlines()[-TAIL:]
