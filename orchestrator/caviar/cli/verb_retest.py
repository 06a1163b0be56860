"""`caviar retest`: train the best of a sweep again, on fresh seeds, and see which of them wins."""

from datetime import datetime
from typing import Any

import click

from caviar.cli.options import (
    Moment,
    Target,
    code_if_trusted,
    rule_option,
    sweep_argument,
    target_options,
    trust_option,
)
from caviar.cli.output import data_only

EPILOG = """\b
The sweep's own values are dropped: they are what picked the best. After 5, 10
and 20 seeds, whoever is clearly worse than the best mean is out.

\b
Examples:
  caviar retest
  caviar retest 7f3a -k 8 --repeats 10
  caviar retest --repeats 20       (after a tie: adds seeds to it)
  caviar retest --show
  caviar retest --since 90d        (is the winner still the best?)
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option(
    "-k",
    type=click.IntRange(1, 100),
    help="How many configurations (default: those of the newest retest, or 5).",
)
@click.option(
    "--repeats",
    default="5",
    show_default=True,
    type=click.Choice(["5", "10", "20"]),
    metavar="N",
    help="Fresh seeds of each: 5, 10 or 20.",
)
@click.option(
    "--since",
    type=Moment(),
    metavar="T",
    help="Check the winner for drift, unless it was looked at since T, such as 90d.",
)
@click.option(
    "--stored-code", is_flag=True, help="With --since: check the code that SWEEP stored, not its file of today."
)
@click.option("--show", is_flag=True, help="Show the newest retest of SWEEP; run nothing.")
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="Join this Ray cluster (auto: by RAY_ADDRESS, or the one that Ray noted here).",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@trust_option
@rule_option
@target_options
def verb(*, show: bool, since: datetime | None, stored_code: bool, target: Target, **given: Any) -> None:
    """Train the best of SWEEP again on seeds that none of its trials had, and tell which of them wins.

    It runs the code of the sweep, as a sweep of its own. What the best is worth is told with an interval.

    With --since, an old winner is checked for drift: with today's code its first report, its old seeds again, and a few
    configurations near it. The verdict is `still best`, `drifted` or `retune`.
    """
    from caviar.cli.opened import newest
    from caviar.cli.output import emit_json
    from caviar.cli.retest_page import print_retest
    from caviar.results.retest import newest_verdict, retest_document
    from caviar.store import Store

    if stored_code and since is None:
        raise click.UsageError("--stored-code is of a check for drift; add --since 90d")
    if show and since is not None:
        raise click.UsageError("--show runs nothing, and --since does; give one of them")
    if since is not None and (given["k"] is not None or given["rule"] is not None):
        raise click.UsageError("--since checks the winner, by the rule that picked it; leave -k and --rule out")
    store = Store.open(target.store)
    sweep = newest(store, target.sweep)
    if since is not None:
        _check(store, sweep, since, stored_code, target, given)
        return
    document = newest_verdict(store, sweep) if show else retest_document(store, _run(store, sweep, given))
    emit_json(document) if target.as_json else print_retest(document)


def _check(store: Any, sweep: Any, since: datetime, stored_code: bool, target: Target, given: Any) -> None:
    from caviar.cli.drift_page import print_drift
    from caviar.cli.output import emit_json
    from caviar.display.choose_display import choose_display
    from caviar.run.drift_check import check_drift

    with data_only():
        document = check_drift(
            store,
            sweep,
            since=since,
            repeats=int(given["repeats"]),
            stored_code=stored_code,
            address=given["address"],
            progress=choose_display(quiet=given["quiet"]),
            code=code_if_trusted(given["trust"]),
        )
    emit_json(document) if target.as_json else print_drift(document)


def _run(store: Any, sweep: Any, given: Any) -> Any:
    from caviar.display.choose_display import choose_display
    from caviar.run.retest import retest_sweep
    from caviar.spec.provenance import provenance

    with data_only():
        return retest_sweep(
            store,
            sweep,
            k=given["k"],
            repeats=int(given["repeats"]),
            rule=given["rule"],
            address=given["address"],
            progress=choose_display(quiet=given["quiet"]),
            command=provenance(None),
            code=code_if_trusted(given["trust"]),
        )
