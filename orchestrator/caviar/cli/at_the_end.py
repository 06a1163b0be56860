"""What is done when `run` or `resume` ends, well or not: a report, and a word to somebody. It never changes the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.output import say
from caviar.errors import CaviarError, SweepInterrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caviar.cli.options import Target, Verb

NAMELESS = ""
"""What `--report` without a FILE gives."""
Act = Callable[["str | None", "BaseException | None"], Any]
"""Is told the sweep, if one was begun, and what ended it, if anything did."""


def end_options(function: Verb) -> Verb:
    """`--report [FILE]` and `--notify`, as `report` and `notify`; None where they are not given."""
    text = "At the end tell a COMMAND, or POST to a URL; env:NAME is what that variable holds."
    function = click.option("--notify", metavar="COMMAND|URL", help=text)(function)
    text = "At the end write a report, as caviar report does (default: report-ID.html)."
    return click.option("--report", is_flag=False, flag_value=NAMELESS, metavar="[FILE]", help=text)(function)


@contextmanager
def at_the_end(target: Target, *, report: str | None, notify: str | None) -> Iterator[Callable[[str], Any]]:
    """However the block ends, do what was wished for, with the sweep that it names at last or that was interrupted.

    Args:
        target: Its store is looked into.
        report: Where to write a report; empty: to a file called after the sweep; None: nowhere.
        notify: Whom to tell: a command line, or an address; None: nobody.

    Raises:
        SpecError: Before the block: another file is there, or that is nobody.
    """
    acts = [*_reporting(report, target.store), *_telling(notify, target.store)]
    named: list[str] = []
    error: BaseException | None = None
    try:
        yield named.append
    except BaseException as raised:
        error = raised
        if isinstance(raised, SweepInterrupted) and raised.sweep:
            named.append(raised.sweep)
        raise
    finally:
        for act in acts:
            act(named[-1] if named else None, error)


def _reporting(wish: str | None, place: str) -> Iterator[Act]:
    if wish is None:
        return
    from caviar.display.whole_file import check_free
    from caviar.results.report.report_file import is_report

    if wish:
        check_free(wish, hint="", ours=is_report)

    def act(sweep: str | None, _: BaseException | None) -> None:
        if sweep is not None:
            _write(wish or None, place, sweep)

    yield act


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


def _telling(wish: str | None, place: str) -> Iterator[Act]:
    if wish is None:
        return
    from caviar.display.notify import notify, whom
    from caviar.results.ended import ended_document

    address = whom(wish)

    def act(sweep: str | None, error: BaseException | None) -> None:
        try:
            why = notify(address, ended_document(place, sweep, error).message())
        except (CaviarError, KeyboardInterrupt) as trouble:
            why = str(trouble) or "it was interrupted"
        if why:
            say(f"nobody was notified: {why}")

    yield act
