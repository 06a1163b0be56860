"""The one way from a stored sweep to code that runs: code that somebody else put there runs only for who trusts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from caviar.errors import SpecError
from caviar.spec.code_archive import unpack
from caviar.store.owner import user_name

if TYPE_CHECKING:
    from caviar.store import SweepDir
    from caviar_workers.messages import Program

Trust = Callable[[str], bool]
"""Told where code comes from, in words; says whether it may run."""


def nobody(_origin: str) -> bool:
    """Trust no code but one's own."""
    return False


def trusted_program(sweep_dir: SweepDir, trust: Trust) -> Program:
    """The code of a sweep, which is about to run as the present user; otherwise as `need_trust`."""
    need_trust(sweep_dir, trust)
    return unpack(sweep_dir.code())


def has_final(sweep_dir: SweepDir) -> bool:
    """Whether the code of a sweep has a function that tests the winner."""
    return bool(program_to_read(sweep_dir).final)


def program_to_read(sweep_dir: SweepDir) -> Program:
    """The code of a sweep, whoever made it: to be read, and not run."""
    return unpack(sweep_dir.code())


def strangers(sweep_dir: SweepDir) -> list[str | None]:
    """Those who made a sweep or gave it other code, but for the present user; None: a user without a name."""
    me = user_name()
    return [user for user in sweep_dir.users() if user is None or user != me]  # nobody is oneself


def need_trust(sweep_dir: SweepDir, trust: Trust) -> None:
    """See that the code of a sweep may run as the present user.

    Args:
        sweep_dir: The sweep.
        trust: Asked if somebody else made the sweep or gave it other code, by what the store has recorded.

    Raises:
        SpecError: It is not trusted.
        StoreError: It cannot be read.
    """
    others = strangers(sweep_dir)
    if others:
        where = f"sweep {sweep_dir.id} in {sweep_dir.path.parent}"
        host = sweep_dir.description()["provenance"].get("host") or "an unknown host"
        origin = f"{where}, made by {', '.join(one or 'an unknown user' for one in others)} on {host}"
        if not trust(origin):
            raise SpecError(
                f"the code of {origin}, would run as {user_name()}: read it (unzip -c code.zip in the sweep's folder), "
                "then add --trust"
            )
