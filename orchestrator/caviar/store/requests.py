"""What somebody in another shell, or on another host, asks of the process that runs a sweep: small JSON files."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from caviar.store.disk.store_errors import store_error
from caviar.store.layout import REQUESTS, numbered_name, parse_number
from caviar.store.manifest import now
from caviar.store.owner import newest
from caviar.store.untrusted_json import read, record
from caviar_workers.states import Action
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.store.sweep_dir import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """To end, pause or scale a sweep, or to end one of its trials; or an act on a trial."""

    epoch: int
    """Of the owner that is asked; its successors pay no heed."""
    action: str = "stop"
    trial: int | None = None
    """None: the whole sweep."""
    at_once: bool = False
    """Without waiting for what runs."""
    made: str = ""
    """ISO time, UTC."""
    slots: int | None = None
    """Trials at a time, at most."""
    token: str = ""
    """Of an act: by which its answer among the decisions is found."""
    act: str = ""
    """Of an act: what is asked, as JSON."""
    file: str = ""
    """Of an act that was read: its name, for `discard`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that was left."""

    file: PurePath
    """It vanishes when it is taken, or when another owner comes."""
    epoch: int
    """Of the owner that is asked."""

    def lives(self, sweep: SweepDir) -> bool:
        """Whether the process that is asked still owns the sweep: another one, which came since, pays no heed."""
        owner = sweep.owner()
        return owner.alive and owner.epoch == self.epoch


OF_A_SWEEP = ("stop", Action.PAUSE, Action.SCALE)
"""What may be asked without naming a trial."""
KINDS = (*OF_A_SWEEP, Action.EDIT, Action.NOTE, Action.ROLLBACK, Action.CONTINUE, Action.FORK)
"""What may be asked."""


def ask_to_stop(sweep: SweepDir, *, trial: int | None = None, at_once: bool = False) -> Asked:
    """Leave a request for the process that runs the sweep, which takes it within about two seconds.

    Raises:
        StoreError: It cannot be written.
    """
    return _leave(sweep, Request(epoch=0, trial=trial, at_once=at_once, made=now()))


def ask_to_pause(sweep: SweepDir) -> Asked:
    """Leave a request to pause all trials, and to end; otherwise as `ask_to_stop`."""
    return _leave(sweep, Request(epoch=0, action=Action.PAUSE, made=now()))


def ask_to_scale(sweep: SweepDir, slots: int) -> Asked:
    """Leave a request to run so many trials at a time, at most; otherwise as `ask_to_stop`."""
    return _leave(sweep, Request(epoch=0, action=Action.SCALE, slots=slots, made=now()))


def ask_to_act(sweep: SweepDir, *, action: str, trial: int, token: str, act: str) -> Asked:
    """Leave a request for an act on a trial; its answer is a decision with this token. Otherwise as `ask_to_stop`."""
    return _leave(sweep, Request(epoch=0, action=action, trial=trial, made=now(), token=token, act=act))


def _leave(sweep: SweepDir, request: Request) -> Asked:
    """Leave a request for the present owner."""
    folder = sweep.path / REQUESTS
    try:
        _, epoch = newest(sweep.disk, sweep.path)
        data = json.dumps(asdict(replace(request, epoch=epoch))).encode()
        sweep.disk.make_folder(folder, within=sweep.path)
        numbers = [number for name in sweep.disk.list(folder) if (number := parse_number(name)) is not None]
        number = max(numbers, default=-1) + 1
        while True:
            path = folder / numbered_name(number)
            try:
                sweep.disk.create(path, data)
            except FileExistsError:  # somebody else asks too
                number += 1
                continue
            return Asked(file=path, epoch=epoch)
    except OSError as error:
        raise store_error("write to", folder, error) from error


def pop_requests(sweep: SweepDir, epoch: int) -> list[Request]:
    """The requests to the owner of that epoch, oldest first; they are removed, and so are those to owners before it.

    An act stays until its answer is published (`discard`): who asked sees by that whether it was taken.

    Raises:
        OSError: The folder cannot be listed.
    """
    folder = sweep.path / REQUESTS
    found = []
    for name in sweep.disk.list(folder):
        request = _read(sweep, folder / name) if parse_number(name) is not None else None
        if request is None or request.epoch > epoch:
            continue
        if request.epoch == epoch:
            found.append(replace(request, file=name) if request.token else request)
            if request.token:
                continue
        with suppress(OSError):  # then it is taken twice, which does no harm
            sweep.disk.delete([folder / name])
    return found


def _read(sweep: SweepDir, path: PurePath) -> Request | None:
    try:
        found = record(Request, read(sweep.disk, path))
    except (OSError, ValueError):  # gone, of a later version, or none of ours
        return None
    if found.action not in KINDS or (found.trial is None and found.action not in OF_A_SWEEP):
        return None
    return found if found.trial is None or found.trial < 2 * FORKED else None


def discard(sweep: SweepDir, file: str) -> None:
    """Remove a request for an act, which was answered."""
    with suppress(OSError):  # its token was heard
        sweep.disk.delete([sweep.path / REQUESTS / file])
