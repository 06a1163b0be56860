"""`caviar status`: where a sweep stands."""

from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import Target, sweep_argument, target_options

if TYPE_CHECKING:
    from caviar.cli.reading import Reading

ENDED = ("COMPLETED", "STOPPED", "FAILED", "CANCELLED")
STATES = (*ENDED, "RUNNING", "PAUSED", "LOST", "PENDING")
SHOWN_FAILURES = 3
HANG = 10

EPILOG = """\b
Examples:
  caviar status
  caviar status digits --json
"""


@click.command(epilog=EPILOG, short_help="Where a sweep stands: counts, best so far, failures.")
@sweep_argument
@target_options
def verb(target: Target) -> None:
    """Show where SWEEP stands: trials by state, the best so far, failures by kind."""
    from caviar.cli.output import emit_json
    from caviar.cli.reading import reading

    with reading(target) as opened:
        document = _document(opened)
    if target.as_json:
        emit_json(document)
    else:
        _print(document)


def _document(opened: "Reading") -> dict[str, Any]:
    from caviar.cli.winners import choose
    from caviar.cli.winners import document as winners
    from caviar.errors import NoResultError, NotFoundError

    planned = opened.plan["trials"]
    counts = _counts(opened, planned)
    try:
        best: dict[str, Any] | None = winners(opened, choose(opened, 1))
    except (NoResultError, NotFoundError):
        best = None
    return {
        "sweep": opened.sweep.id,
        "name": opened.plan["name"],
        "state": opened.sweep.state(),
        "planned": planned,
        "counts": {state: counts.get(state, 0) for state in STATES},
        **_times(opened, planned, counts),
        "metric": opened.plan["metric"],
        "mode": opened.plan["mode"],
        "rule": None if best is None else best["rule"],
        "best": None if best is None else best["trials"][0],
        "failures": opened.rows(
            "select coalesce(kind, 'error') kind, count(*) trials, min(trial) first_trial,"
            " arg_min(error, trial) error from trials where state = 'FAILED' group by 1 order by 2 desc"
        ),
        "diverged": opened.rows("select count(*) n from trials where diverged")[0]["n"],
        "rejected": opened.rows('select coalesce(max("index") + 1 - count(*), 0) n from configs')[0]["n"],
    }


def _counts(opened: "Reading", planned: int) -> dict[str, int]:
    """Trials by state. Those that were not drawn yet have no row in `trials`, and yet they may be cancelled."""
    counts = {row["state"]: row["n"] for row in opened.rows("select state, count(*) n from trials group by 1")}
    undrawn = "state = 'CANCELLED' and trial not in (select trial from configs)"
    early = opened.rows(f"select count(distinct trial) n from attempts where {undrawn}")[0]["n"]
    counts["CANCELLED"] = counts.get("CANCELLED", 0) + early
    counts["PENDING"] = counts.get("PENDING", 0) + max(planned - sum(counts.values()), 0)
    return counts


def _times(opened: "Reading", planned: int, counts: dict[str, int]) -> dict[str, Any]:
    """When it began, when a trial last began or ended, and a guess of the seconds to its end."""
    row = opened.rows(
        """select min(started) as began, max(coalesce(ended, started)) as latest,
            avg(busy) filter (where state = 'COMPLETED') as each from trials"""
    )[0]
    left = planned - sum(counts.get(state, 0) for state in ENDED)
    at_once = counts.get("RUNNING", 0)
    known = row["each"] is not None and at_once
    return {
        "began": row["began"],
        "latest": row["latest"],
        "eta_s": row["each"] * left / at_once if known else None,
    }


def _print(document: dict[str, Any]) -> None:
    from caviar.cli.output import emit
    from caviar.show.commands import typed
    from caviar.show.numbers import config_text, counted, duration, number

    done = sum(document["counts"][state] for state in ENDED)
    emit(f"{document['name']} ({document['sweep']}) is {document['state']}", hang=HANG)
    shown = [f"{n} {state.lower()}" for state, n in document["counts"].items() if n]
    emit(f"trials    {done}/{document['planned']} done: {', '.join(shown)}", hang=HANG)
    if document["began"] is not None:
        took = (document["latest"] - document["began"]).total_seconds()
        left = "" if document["eta_s"] is None else f", about {duration(document['eta_s'])} left"
        emit(f"time      {duration(took)} since {document['began']:%Y-%m-%d %H:%M:%S} UTC{left}", hang=HANG)
    best = document["best"]
    if best is None:
        yet = " yet" if document["state"] == "running" else ""
        emit(f"best      no trial has a usable {document['metric']}{yet}", hang=HANG)
    else:
        emit(
            f"best      t{best['trial']}  {document['metric']} {number(best['value'])}  ({document['rule']})", hang=HANG
        )
        emit(f"          {config_text(best['config'])}", hang=HANG)
    if document["diverged"]:
        emit(f"diverged  {counted(document['diverged'], 'trial')} reported NaN or infinity", hang=HANG)
    if document["rejected"] > 0:
        emit(f"rejected  the constraint rejected {counted(document['rejected'], 'draw')} of the sampler", hang=HANG)
    for failure in document["failures"][:SHOWN_FAILURES]:
        last = _headline(failure["error"])
        emit(f"failed    {counted(failure['trials'], 'trial')} ({failure['kind']}): {last}", hang=HANG)
        emit(f"          see: {typed('caviar show')} {document['sweep']} {failure['first_trial']}", hang=HANG)
    if document["state"] == "interrupted":
        emit(f"go on     {typed('caviar resume')} {document['sweep']}", hang=HANG)
    elif document["state"] == "failed":
        emit("go on     once the code is mended:")
        emit(f"          {typed('caviar resume')} {document['sweep']} --force --retry-failed", hang=HANG)


def _headline(error: str | None) -> str:
    """Of a traceback, the line that names the error."""
    from caviar.show.sanitize import one_line, plain
    from caviar_workers.failure import headline

    return one_line(headline(plain(error or "")), 100) or "no message"
