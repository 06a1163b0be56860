"""`--trust`: whether the code of a sweep that somebody else made may run."""

import sys
from collections.abc import Callable
from typing import Any

import click


def trust_option(function: Callable[..., None]) -> Callable[..., None]:
    """`--trust`."""
    text = "Run the code of a sweep that another user made."
    return click.option("--trust", is_flag=True, help=text)(function)


def asker(trust: bool) -> Callable[[str], bool]:
    """Who is asked about code of others: the option, else whoever sits at the terminal, once for each origin."""
    trusted: set[Any] = set()

    def ask(origin: str) -> bool:
        from caviar.show.sanitize import one_line

        if not trust and origin not in trusted:
            if not sys.stdin.isatty():
                return False
            if not click.confirm(f"Run the code of {one_line(origin)}, as yourself?", err=True):
                return False
        trusted.add(origin)
        return True

    return ask
