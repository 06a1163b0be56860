"""The report at the end of `run` and `resume`, where one was asked for; it never changes how these end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.output import say
from caviar.errors import CaviarError, SweepInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caviar.cli.options import Target, Verb

NAMELESS = ""
"""What `--report` without a FILE gives."""


def report_option(function: Verb) -> Verb:
    """`--report [FILE]`, as `report`; None where it is not given."""
    text = "At the end write a report, as caviar report does (default: report-ID.html)."
    return click.option("--report", is_flag=False, flag_value=NAMELESS, metavar="[FILE]", help=text)(function)


@contextmanager
def report_after(wish: str | None, target: Target) -> Iterator[Callable[[str], Any]]:
    """However the block ends, write a report of the sweep that it names at last, or that was interrupted.

    Args:
        wish: Where to; None: no report is wished for.
        target: Its store is looked into.

    Raises:
        SpecError: Before the block: another file is there.
    """
    if wish:
        from caviar.results.report.report_file import check_report

        check_report(wish)
    named: list[str] = []
    try:
        yield named.append
    except SweepInterrupted as end:
        named += [end.sweep] if end.sweep else []
        raise
    finally:
        if wish is not None and named:
            _write(wish or None, target.store, named[-1])


def _write(file: str | None, place: str, sweep: str) -> None:
    from caviar.results.family import searched
    from caviar.results.report.report_file import write_report
    from caviar.store import Store

    try:
        store = Store.open(place)
        found = searched(store, store.find(sweep))
        say(f"report: {write_report(store, [found], file, say).file}")
    except (CaviarError, OSError, KeyboardInterrupt) as error:
        why = str(error) or "it was interrupted"
        say(f"there is no report ({why}): caviar report {sweep} writes one")
