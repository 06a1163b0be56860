"""The one way from a stored sweep to code that runs: code that somebody else put there runs only for who trusts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caviar.errors import SpecError, StoreError
from caviar.results.imported import imported_from
from caviar.spec.code_archive import unpack
from caviar.spec.project_archive import packages_in
from caviar.store.owner import user_name
from caviar_workers.extra_packages import find_last, unpacked_packages

if TYPE_CHECKING:
    from caviar.store import SweepDir
    from caviar_workers.messages import Program

Trust = Callable[[str], bool]
"""Told where code comes from, in words; says whether it may run."""


def nobody(_origin: str) -> bool:
    """Trust no code but one's own."""
    return False


@dataclass(frozen=True, slots=True)
class Code:
    """Which code a stored sweep runs with.

    Attributes:
        trust: Asked whether code of somebody else may run.
        live: The functions of this process, for a sweep whose functions live in no file, such as a notebook's.
    """

    trust: Trust = nobody
    live: Program | None = None


STORED = Code()
"""The code that is stored, if it is the present user's own."""


def need_code(sweep: SweepDir, code: Code, *, changed: bool = False) -> None:
    """See that there is code to run a sweep with, and that it may run as the present user.

    Args:
        sweep: The sweep.
        code: Where it may come from.
        changed: Functions that are not those that the sweep began with will do.

    Raises:
        SpecError: There is none, or it is not trusted.
        StoreError: The sweep cannot be read.
    """
    if origin := imported_from(sweep.description()):
        raise SpecError(
            f"sweep {sweep.id} was imported from {origin.file} and has no code to run: put train and its space, "
            f"which caviar zoom {sweep.id} --dry-run shows, into a file and run that"
        )
    if not lives_in_no_file(sweep):
        need_trust(sweep, code.trust)
    elif code.live is None:
        raise SpecError(_nowhere(sweep))
    elif not changed and code.live.digest != program_to_read(sweep).digest:
        raise SpecError(
            f"the functions of sweep {sweep.id} are not those that it began with, which live in no file: define them "
            "as they were, or take them as they are with resume(force=True)"
        )


def code_of(sweep: SweepDir, code: Code) -> Program:
    """The code that a sweep runs with, which is about to run as the present user; otherwise as `need_code`.

    This process finds the packages that travel with it, as those who train do.
    """
    if lives_in_no_file(sweep) and code.live is not None:
        return code.live
    need_code(sweep, code)
    program = with_files(sweep, unpack(sweep.code()))
    if packages := packages_in(program.archive):
        try:
            find_last(unpacked_packages(packages))
        except ValueError as error:
            raise StoreError(f"the packages of sweep {sweep.id} are damaged: {error}") from error
    return program


def with_files(sweep: SweepDir, program: Program) -> Program:
    """The code of a sweep with the files that travel with it; they are read, and not unpacked."""
    return replace(program, archive=sweep.project()) if program.project else program


def lives_in_no_file(sweep: SweepDir) -> bool:
    """Whether a sweep's functions can only be given by a process that has them."""
    return bool(sweep.description().get("program", {}).get("kind", "function") == "function")


def _nowhere(sweep: SweepDir) -> str:
    if reason := sweep.description().get("program", {}).get("reason"):
        return (
            f"sweep {sweep.id} was started from functions that its file does not give again ({reason}): let "
            "the file give them when it is imported, with values by train_args, and run that"
        )
    return (
        f"sweep {sweep.id} was started from functions that live in no file, such as a notebook's: go on where they are "
        "defined, with result.resume(sweep=…), or put train into a file and run that"
    )


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
                f"the code of {origin}, would run as {user_name()}: read it (unzip -c code.zip in the sweep's folder"
                f"{', and project.zip' if program_to_read(sweep_dir).project else ''}), then add --trust"
            )
