"""What changed about a sweep since it was described: it was extended, or goes on with other code. Numbered facts.

`sweep.json` and `code.zip` stay as they were; whoever reads the plan reads it through these.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from caviar.store.layout import AMENDMENTS, numbered_name, parse_number
from caviar.store.manifest import now
from caviar.store.owner import user_name
from caviar.store.untrusted_json import MOST_TRIALS, Unreadable, read, record

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.store.disk import Disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One change of a sweep."""

    trials: int | None = None
    """Trials in all from now on; None: as before."""
    code: str | None = None
    """Digest of the code from now on, which lies beside this as a zip; None: as before."""
    made: str = ""
    """ISO time, UTC."""
    user: str | None = None
    """Who did it; None: a user without a name."""


def amendments(disk: Disk, sweep: PurePath) -> list[tuple[int, Amendment]]:
    """Number and content of each, oldest first.

    Raises:
        OSError: They cannot be read.
        Unreadable: One cannot be understood.
    """
    numbers = sorted(number for name in disk.list(sweep / AMENDMENTS) if (number := parse_number(name)) is not None)
    return [(n, _read(disk, sweep / AMENDMENTS / numbered_name(n))) for n in numbers]


def _read(disk: Disk, path: PurePath) -> Amendment:
    found = record(Amendment, read(disk, path))
    if not 1 <= (1 if found.trials is None else found.trials) <= MOST_TRIALS:
        raise Unreadable(f"trials is a whole number from 1 to 2^30, but is {found.trials}")
    if found.code is not None and not re.fullmatch("[0-9a-f]{16,128}", found.code):  # it becomes part of a name
        raise Unreadable("code is a digest, but is something else")
    return found


def amend(disk: Disk, sweep: PurePath, *, trials: int | None = None, code: tuple[str, bytes] | None = None) -> None:
    """Add an amendment; `code` is a digest and a zip. By the sweep's owner only.

    Raises:
        OSError: It cannot be written.
    """
    folder = sweep / AMENDMENTS
    disk.make_folder(folder, within=sweep)
    number = 1 + max((n for n, _ in amendments(disk, sweep)), default=-1)
    if code is not None:  # first, for it counts when the other file is there; of a crash in between, one is left over
        zipped = folder / numbered_name(number, f"-{code[0][:16]}.zip")
        if not disk.exists(zipped):
            disk.create(zipped, code[1])
    made = Amendment(trials=trials, code=None if code is None else code[0], made=now(), user=user_name())
    disk.create(folder / numbered_name(number), json.dumps(asdict(made)).encode())


def amended(description: dict[str, Any], found: list[tuple[int, Amendment]]) -> dict[str, Any]:
    """A sweep's description as it holds now."""
    for _, one in found:
        if one.trials is not None:
            description = {**description, "plan": {**description["plan"], "trials": one.trials}}
        if one.code is not None:
            description = {**description, "program": {**description.get("program", {}), "digest": one.code}}
    return description


def code_path(sweep: PurePath, found: list[tuple[int, Amendment]]) -> PurePath | None:
    """The zip of the newest code; None: it is what the sweep began with."""
    changed = [(number, one.code) for number, one in found if one.code is not None]
    if not changed:
        return None
    number, digest = changed[-1]
    return sweep / AMENDMENTS / numbered_name(number, f"-{digest[:16]}.zip")
