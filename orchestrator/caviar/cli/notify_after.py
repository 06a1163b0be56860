"""A word to somebody who walked away, when `run` or `resume` ends: to a program, or to a web address."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.output import say
from caviar.errors import CaviarError, SweepInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caviar.cli.options import Target, Verb


def notify_option(function: Verb) -> Verb:
    """`--notify`, as `notify`; None where it is not given."""
    text = "At the end tell a COMMAND, or POST to a URL; env:NAME is what that variable holds."
    return click.option("--notify", metavar="COMMAND|URL", help=text)(function)


@contextmanager
def notify_after(wish: str | None, target: Target, told: Callable[[str], Any]) -> Iterator[Callable[[str], Any]]:
    """However the block ends, tell somebody of the sweep that it names at last, or that was interrupted.

    What goes wrong with that is said, and changes nothing else.

    Args:
        wish: Whom: a command line, or an address; None: nobody.
        target: Its store is looked into.
        told: Is told of the sweep too.

    Raises:
        SpecError: Before the block: it is neither, or there is no such variable.
    """
    if wish is None:
        yield told
        return
    from caviar.display.notify import notify, whom
    from caviar.results.ended import ended_document

    address = whom(wish)
    named: list[str] = []
    error: BaseException | None = None

    def tell(sweep: str) -> None:
        named.append(sweep)
        told(sweep)

    try:
        yield tell
    except BaseException as raised:
        error = raised
        if isinstance(raised, SweepInterrupted) and raised.sweep:
            named.append(raised.sweep)
        raise
    finally:
        try:
            why = notify(address, ended_document(target.store, named[-1] if named else None, error).message())
        except (CaviarError, KeyboardInterrupt) as trouble:
            why = str(trouble) or "it was interrupted"
        if why:
            say(f"nobody was notified: {why}")
