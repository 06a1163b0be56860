"""`caviar status`: where a sweep stands."""

from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, sweep_argument, target_options

if TYPE_CHECKING:
    from caviar.results.status import StatusDocument

SHOWN_FAILURES = 3
HANG = 10

EPILOG = """\b
Examples:
  caviar status
  caviar status digits --json
"""


@click.command(epilog=EPILOG)
@sweep_argument
@target_options
def verb(target: Target) -> None:
    """Show where SWEEP stands: trials by state, the best so far, failures by kind."""
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json
    from caviar.results.status import status_document

    with opened(target) as sweep:
        document = status_document(sweep)
    if target.as_json:
        emit_json(document)
    else:
        _print(document)


def _print(document: "StatusDocument") -> None:
    from caviar.cli.output import emit
    from caviar.display.numbers import config_text, counted, duration, number
    from caviar.display.typed_commands import typed

    emit(f"{document.name} ({document.sweep}) is {document.state}", hang=HANG)
    shown = [f"{n} {state.lower()}" for state, n in document.counts.items() if n]
    emit(f"trials    {document.done}/{document.planned} done: {', '.join(shown)}", hang=HANG)
    if document.imported is not None:
        origin = document.imported
        emit(f"imported  from {origin.file}, sha256 {origin.sha256[:16]}", hang=HANG)
    if document.began is not None and document.took_s is not None:
        left = "" if document.eta_s is None else f", about {duration(document.eta_s)} left"
        emit(f"time      {duration(document.took_s)} since {document.began:%Y-%m-%d %H:%M:%S} UTC{left}", hang=HANG)
    if document.lack is not None:
        emit(f"no room   {document.lack}", hang=HANG)
    best = document.best
    if best is None:
        yet = " yet" if document.state == "running" else ""
        emit(f"best      no trial has a usable {document.metric}{yet}", hang=HANG)
    else:
        emit(f"best      t{best.trial}  {document.metric} {number(best.value)}  ({document.rule})", hang=HANG)
        emit(f"          {config_text(best.config)}", hang=HANG)
    if document.diverged:
        emit(f"diverged  {counted(document.diverged, 'trial')} reported NaN or infinity", hang=HANG)
    if document.rejected > 0:
        emit(f"rejected  the constraint rejected {counted(document.rejected, 'draw')} of the sampler", hang=HANG)
    for failure in document.failures[:SHOWN_FAILURES]:
        last = _headline(failure["error"])
        emit(f"failed    {counted(failure['trials'], 'trial')} ({failure['kind']}): {last}", hang=HANG)
        emit(f"          see: {typed('caviar show')} {document.sweep} {failure['first_trial']}", hang=HANG)
    if document.state == "interrupted":
        emit(f"go on     {typed('caviar resume')} {document.sweep}", hang=HANG)
    elif document.state == "failed":
        emit("go on     once the code is mended:")
        emit(f"          {typed('caviar resume')} {document.sweep} --force --retry-failed", hang=HANG)


def _headline(error: str | None) -> str:
    """Return the line of a traceback that names the error."""
    from caviar.display.sanitize import one_line, plain
    from caviar_workers.failure import headline

    return one_line(headline(plain(error or "")), 100) or "no message"
