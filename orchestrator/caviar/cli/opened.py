"""The sweep that a verb shows, opened; what is not shown of it is said on stderr."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from caviar.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caviar.cli.options import Target
    from caviar.results.open_sweep import OpenSweep
    from caviar.store import Store, SweepDir


def newest(store: Store, ref: str | None) -> SweepDir:
    """The sweep that `ref` names, for a verb that reads; NotFoundError when there is none."""
    from caviar.results import open_sweep

    return open_sweep.newest(store, ref, say)


def searched(store: Store, ref: str | None) -> SweepDir:
    """The sweep that `ref` names; of a retest, the sweep that it retests, as is said where it was named.

    Raises:
        NotFoundError: There is none.
    """
    from caviar.results import family

    sweep = newest(store, ref)
    found = family.searched(store, sweep)
    if ref is not None and found.id != sweep.id:
        say(f"{sweep.id} is a retest of {found.id}, which is shown")
    return found


@contextmanager
def opened(target: Target, *, search: bool = False) -> Iterator[OpenSweep]:
    """Open the target's sweep.

    Args:
        target: It.
        search: Of a retest, open the sweep that it retests.

    Raises:
        NotFoundError: No store, or no such sweep in it.
        StoreError: It cannot be read.
    """
    from caviar.results.open_sweep import open_sweep
    from caviar.store import Store

    store = Store.open(target.store)
    sweep = searched(store, target.sweep) if search else newest(store, target.sweep)
    with open_sweep(store, sweep, say) as found:
        yield found
