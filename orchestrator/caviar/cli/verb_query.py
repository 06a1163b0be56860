"""`caviar query`: SQL over the store."""

import os

import click

from caviar.cli.options import Duration, Target, output_options, sweep_option, target_options

FORMATS = ("table", "json", "csv", "parquet", "markdown", "latex")
ENDINGS = {
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".txt": "table",
    ".md": "markdown",
    ".tex": "latex",
}

EPILOG = """\b
Views:
  sweeps     one row a sweep
  trials     one row a trial: parameters, state, last_<metric>, best_<metric>,
             busy: the seconds that it trained
  curves     one row a report: step, time, one column a metric
  attempts   one row an attempt at a trial
  configs    one row a drawn configuration
  logs       what trials printed
  decisions  what was decided about trials and the sweep, on which numbers
All have the column `sweep`, and all but sweeps the column `trial`.

\b
Examples:
  caviar query "select trial, lr, last_loss from trials
    where state = 'COMPLETED' order by 3 limit 5"
  caviar query "select act, count(*) from trials group by act" --json
  caviar query "from curves" -o curves.parquet
  caviar query "select opt, min(last_loss) from trials group by 1" -o best.tex
"""


@click.command(epilog=EPILOG)
@click.argument("sql")
@sweep_option("Only this sweep (default: all of the store).")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Default: table, or by the name of FILE.")
@output_options("Write here, not to stdout.", required=False)
@click.option("--timeout", type=Duration(), metavar="T", help="End it after this time, such as 30s (default: never).")
@target_options
def verb(sql: str, form: str | None, output: str | None, timeout: float | None, target: Target) -> None:
    """Ask the store in SQL (DuckDB): one SELECT over the views below. Ctrl-C ends it."""
    from caviar.cli.opened import newest
    from caviar.cli.output import say
    from caviar.cli.query_output import write_answer
    from caviar.results.open_sweep import say_not_shown
    from caviar.store import Store, Views

    chosen = _format(form, output, target.as_json)
    opened = Store.open(target.store)
    chosen_sweeps = None if target.sweep is None else [newest(opened, target.sweep)]
    with Views(opened, chosen_sweeps, leave_out=chosen_sweeps is None) as views:
        say_not_shown(views, say)
        write_answer(views, sql, chosen, output, timeout)


def _format(form: str | None, output: str | None, as_json: bool) -> str:
    if as_json and form not in {None, "json"}:
        raise click.UsageError(f"--json and --format {form} contradict each other; give one")
    form = "json" if as_json else form
    if output is None:
        if form == "parquet":
            raise click.UsageError("--format parquet needs a file; add -o FILE")
        return form or "table"
    return _format_of_file(form, output)


def _format_of_file(form: str | None, output: str) -> str:
    """By the ending of the file's name; any other ending only with the format beside it."""
    ending = os.path.splitext(output)[1].lower()
    meant = ENDINGS.get(ending)
    if form is None and meant is None:
        known = f"{', '.join(ENDINGS)}"
        raise click.UsageError(f"-o FILE ends in one of {known}, got {output!r}; name it so, or add --format")
    if form is not None and meant not in {None, "table", form}:
        raise click.UsageError(f"--format {form} and a file called {output!r} contradict each other; change one")
    return form or str(meant)
