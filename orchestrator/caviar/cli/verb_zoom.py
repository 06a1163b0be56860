"""`caviar zoom`: look closer where a sweep found its best trials."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import click

from caviar.cli.options import (
    Ranking,
    Target,
    code_if_trusted,
    ranking_options,
    sweep_argument,
    target_options,
    trust_option,
)
from caviar.cli.output import data_only

EPILOG = """\b
Examples:
  caviar zoom --dry-run
  caviar zoom 7f3a --top 8 --trials 50
  caviar zoom --plot zoom.svg
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option(
    "--top", type=click.IntRange(min=3), metavar="N", help="Round how many of the best (default: 5, or 10 %)."
)
@click.option("--trials", type=click.IntRange(min=1), metavar="N", help="How many configurations (default: as before).")
@click.option("--plot", metavar="FILE", help="Plot coarse trials, the box and fine trials.")
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="Join this Ray cluster (auto: by RAY_ADDRESS, or the one that Ray noted here).",
)
@click.option("--dry-run", is_flag=True, help="Show old and new ranges; run nothing.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@trust_option
@ranking_options
@target_options
def verb(
    *,
    top: int | None,
    trials: int | None,
    plot: str | None,
    dry_run: bool,
    ranking: Ranking,
    target: Target,
    **given: Any,
) -> None:
    """Sweep a smaller space: the box round the best few trials of SWEEP, widened by a quarter to each side.

    Boxes are found on the parameters' scales. Where the best trial lies at a bound of a range, that bound moves
    out. Options that did badly are dropped. The new sweep remembers SWEEP as its parent.
    """
    from caviar.cli.opened import searched
    from caviar.cli.output import emit, emit_json, say
    from caviar.cli.zoom_page import zoom_lines
    from caviar.results.edited import edited_in
    from caviar.results.next_sweep import zoom_into, zoom_plan
    from caviar.results.zoom import zoom_document
    from caviar.spec.plan import Plan
    from caviar.store import Store

    if plot is not None:
        from caviar.display.figure import check_form, new_figure

        check_form(plot)
        new_figure("")  # before anything runs: what draws it is there
    store = Store.open(target.store)
    sweep = searched(store, target.sweep)
    with nullcontext() if dry_run else _held(sweep) as held:
        plan = Plan.from_json(sweep.description()["plan"])
        zoom = zoom_into(store, sweep, top=top, rule=ranking.rule, at_step=ranking.at_step)
        child = zoom_plan(plan, sweep.id, zoom, trials or plan.trials)
        document = zoom_document(sweep.id, zoom, child, target.store)
        if words := edited_in(store, sweep):
            say(words)
        if not (dry_run and target.as_json):
            for line in zoom_lines(document, f"{plan.name} ({sweep.id})"):
                emit(line, hang=6) if dry_run else say(line)
        if not dry_run:
            _run(store, sweep, child, plot, target, {**given, "held": held})
            return
    if target.as_json:
        emit_json(document)
    if plot is not None:
        from caviar.results.plot_points import points_of

        _plot(points_of(store, sweep, zoom, None), plot)
    say("nothing was run (--dry-run)")


def _plot(points: Any, file: str) -> None:
    from caviar.cli.output import say
    from caviar.display.figure import write_figure
    from caviar.display.plot_zoom import zoom_figure

    write_figure(zoom_figure(points.title, points.metric, points.mode, points.zoom, points.dots, (None, None)), file)
    say(f"drew {file}")


def _held(sweep: Any) -> AbstractContextManager[Any]:
    from caviar.run.driver import hold_parent

    return hold_parent(sweep)


def _run(store: Any, sweep: Any, child: Any, plot: str | None, target: Target, given: Mapping[str, Any]) -> None:
    from caviar.cli.after_run import after_run
    from caviar.display.choose_display import choose_display
    from caviar.run.driver import run_child
    from caviar.spec.provenance import provenance

    progress = choose_display(quiet=given["quiet"])
    origin = provenance(None)
    where = {key: given[key] for key in ("held", "address")}
    code = code_if_trusted(given["trust"])
    with data_only():
        made = run_child(store, sweep, child, **where, progress=progress, command=origin, code=code)
    if plot is not None:
        from caviar.results.plot_points import family_points

        _plot(family_points(store, made, top=None), plot)
    after_run(target, made.id)
