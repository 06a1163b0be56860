"""One sweep in the store: what it was described as, what changed since, its plan, and who owns it.

`sweep.json` and `code.zip` stay as they were written; that a sweep was extended, or goes on with other code, is an
amendment, a numbered file, and whoever reads the description reads it through these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import PurePath
from typing import Any

from caviar.errors import StoreError
from caviar.store import manifest, visible_files
from caviar.store import takeover as claims
from caviar.store.disk import Backoff, Disk, PosixDisk
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import (
    AMENDMENTS,
    CODE_FILE,
    PROJECT_FILE,
    SWEEP_FILE,
    SWEEP_PREFIX,
    numbered_name,
    parse_number,
)
from caviar.store.manifest import State, now
from caviar.store.owner import Sighting, look, user_name
from caviar.store.storable import MOST_DESCRIBED, MOST_PROJECT
from caviar.store.untrusted_json import MOST_TRIALS, Unreadable, described, read, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One change of a sweep."""

    trials: int | None = None
    """Trials in all from now on; None: as before."""
    code: str | None = None
    """Digest of the code from now on, which lies beside this as a zip; None: as before."""
    project: str | None = None
    """Digest of the files that travel with that code, which lie beside this as a zip; None: none do."""
    made: str = ""
    """ISO time, UTC."""
    user: str | None = None
    """Who did it; None: a user without a name."""
    unpacked: bool = False
    """The sweep came out of a file: its code is a stranger's from then on, whoever it says made it."""

    def to_json(self) -> bytes:
        """Its file; what older versions do not know stands there only where it says something."""
        later = {"project": self.project, "unpacked": self.unpacked}
        return json.dumps({key: value for key, value in asdict(self).items() if later.get(key, True)}).encode()


def amendments(disk: Disk, sweep: PurePath) -> list[tuple[int, Amendment]]:
    """Number and content of each, oldest first.

    Raises:
        OSError: They cannot be read.
        Unreadable: One cannot be understood.
    """
    numbers = sorted(number for name in disk.list(sweep / AMENDMENTS) if (number := parse_number(name)) is not None)
    return [(n, _amendment(disk, sweep / AMENDMENTS / numbered_name(n))) for n in numbers]


def _amendment(disk: Disk, path: PurePath) -> Amendment:
    found = record(Amendment, read(disk, path))
    if not 1 <= (1 if found.trials is None else found.trials) <= MOST_TRIALS:
        raise Unreadable(f"trials is a whole number from 1 to 2^30, but is {found.trials}")
    for digest in (found.code, found.project):
        if digest is not None and not re.fullmatch("[0-9a-f]{16,128}", digest):  # it becomes part of a name
            raise Unreadable("code and project are digests, but are something else")
    return found


Zipped = tuple[str, bytes]
"""Digest and zip."""


def amend(
    disk: Disk, sweep: PurePath, *, trials: int | None = None, code: Zipped | None = None, project: Zipped | None = None
) -> None:
    """Add an amendment; files may travel with new code. By the sweep's owner only.

    Raises:
        OSError: It cannot be written.
    """
    folder = sweep / AMENDMENTS
    number = keep_zips(disk, sweep, code, project)
    given, files = (None if one is None else one[0] for one in (code, project))
    made = Amendment(trials=trials, code=given, project=files, made=now(), user=user_name())
    disk.create(folder / numbered_name(number), made.to_json())


def keep_zips(disk: Disk, sweep: PurePath, *zips: Zipped | None) -> int:
    """Keep code and files for an amendment, and return its number.

    They count when the amendment is there; where none follows, they are left over.
    """
    folder = sweep / AMENDMENTS
    disk.make_folder(folder, within=sweep)
    number = 1 + max((n for n, _ in amendments(disk, sweep)), default=-1)
    for digest, data in filter(None, zips):
        zipped = folder / _zip_name(number, digest)
        if not disk.exists(zipped):
            disk.create(zipped, data)
    return number


def _zip_name(number: int, digest: str) -> str:
    return numbered_name(number, f"-{digest[:16]}.zip")


def amended(description: dict[str, Any], found: list[tuple[int, Amendment]]) -> dict[str, Any]:
    """A sweep's description as it holds now."""
    for _, one in found:
        if one.trials is not None:
            description = {**description, "plan": {**description["plan"], "trials": one.trials}}
        if one.code is not None:
            description = {**description, "program": {**description.get("program", {}), "digest": one.code}}
    return description


def code_path(sweep: PurePath, found: list[tuple[int, Amendment]]) -> PurePath:
    """The zip of the newest code."""
    number, one = next(((n, one) for n, one in reversed(found) if one.code is not None), (0, None))
    return sweep / CODE_FILE if one is None else sweep / AMENDMENTS / _zip_name(number, one.code or "")


def project_path(sweep: PurePath, found: list[tuple[int, Amendment]]) -> PurePath:
    """The zip of the files that travel with the newest code."""
    number, one = next(((n, one) for n, one in reversed(found) if one.code is not None), (0, None))
    return sweep / PROJECT_FILE if one is None else sweep / AMENDMENTS / _zip_name(number, one.project or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan as it was stored; what an older version did not store is at its default. See `Plan` for the fields."""

    metric: str
    trials: int
    name: str = ""
    mode: str = "min"
    rule: str = "last"
    stopping: str = ""
    pausing: bool = False
    parent: str | None = None
    relation: str | None = "zoom"
    """What it is to its parent: there was no other relation."""
    round: int = 0
    retest: int | None = None
    retested: Mapping[str, Any] | None = None
    """Of a retest, what it trains, as JSON values."""
    tags: Sequence[str] = ()
    space: Mapping[str, Any] = field(default_factory=dict)
    """As JSON values."""
    held: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name → the parameter as it was declared, as JSON values."""

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """Name → parameter as JSON values, in the order of the space."""
        found: Mapping[str, Mapping[str, Any]] = self.space.get("parameters", {})
        return found


def stored_plan(data: Mapping[str, Any]) -> StoredPlan:
    """The plan out of a description that `record.described` has seen: each value is of its kind."""
    known = {item.name: data[item.name] for item in fields(StoredPlan) if item.name in data}
    return StoredPlan(**{**known, "name": data.get("name") or ""})


@dataclass(frozen=True, kw_only=True)
class SweepDir:
    """A sweep's folder. Cheap to make; reads nothing until asked."""

    path: PurePath
    disk: Disk = field(default_factory=PosixDisk, repr=False, compare=False)

    def with_backoff(self, backoff: Backoff) -> SweepDir:
        """Return the same sweep, on a disk with other pauses between repeated calls."""
        return replace(self, disk=self.disk.with_backoff(backoff))

    def again(self) -> SweepDir:
        """Return the same sweep, of which nothing was read yet."""
        return replace(self)

    @property
    def id(self) -> str:
        """Such as 20261123-041233-7f3a: when it was created (UTC), and four random hex digits."""
        return self.path.name.removeprefix(SWEEP_PREFIX)

    @cached_property
    def _description(self) -> dict[str, Any]:
        path = self.path / SWEEP_FILE
        try:
            return described(read(self.disk, path, most=MOST_DESCRIBED), self.id)
        except OSError as error:
            raise store_error("read", path, error) from error
        except ValueError as error:
            raise StoreError(f"{path} cannot be understood ({error}): restore it from a copy.") from error

    def description(self) -> dict[str, Any]:
        """Return what `Store.create_sweep` was given, with `id` and `created` (ISO time, UTC), as it was amended.

        Raises:
            StoreError: It cannot be read.
        """
        return amended(self._description, self._amendments)

    @property
    def plan(self) -> StoredPlan:
        """What the description says of the plan; errors as for `description`."""
        return stored_plan(self.description()["plan"])

    def amend(self, *, trials: int | None = None, code: Zipped | None = None, project: Zipped | None = None) -> None:
        """Record that the sweep has another number of trials, or code and files that travel with it, from now on; by
        its owner.

        Raises:
            StoreError: It cannot be written.
        """
        try:
            amend(self.disk, self.path, trials=trials, code=code, project=project)
        except OSError as error:
            raise store_error("write to", self.path, error) from error
        self.__dict__.pop("_amendments", None)

    def keep_code(self, code: Zipped, project: Zipped | None) -> None:
        """Keep code, and files that travel with it, for an `amend` that may follow; errors as of that."""
        try:
            keep_zips(self.disk, self.path, code, project)
        except OSError as error:
            raise store_error("write to", self.path, error) from error

    def kept_code(self, digest: str) -> bytes:
        """Return what was kept under a digest, the newest of that name.

        Raises:
            StoreError: It is gone, or cannot be read.
        """
        folder, ending = self.path / AMENDMENTS, f"-{digest[:16]}.zip"
        try:
            names = [name for name in self.disk.list(folder) if name.endswith(ending)]
            return self.disk.read(folder / max(names), most=MOST_PROJECT)
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{folder} has no {digest[:16]}, the code with which a trial was rolled back: put a copy of it back"
            ) from error

    def codes(self) -> list[str]:
        """Return the digests of the code that it was given since it was made, oldest first."""
        return [one.code for _, one in self._amendments if one.code is not None]

    @cached_property
    def _amendments(self) -> list[tuple[int, Amendment]]:
        try:
            return amendments(self.disk, self.path)
        except OSError as error:
            raise store_error("read", self.path, error) from error
        except ValueError as error:
            raise StoreError(f"An amendment of {self.path} cannot be understood ({error}): restore it.") from error

    @property
    def name(self) -> str:
        """The sweep's name as the user gave it; "" without one."""
        return self.plan.name

    @property
    def key(self) -> str:
        """What it is told by, for who starts it anew; "" where it is by its id alone."""
        return str(self.description().get("key", ""))

    def code(self) -> bytes:
        """The snapshot of the user's code, as given to `Store.create_sweep` or to the last `amend` with code."""
        try:
            return self.disk.read(code_path(self.path, self._amendments), most=MOST_DESCRIBED)
        except OSError as error:
            raise store_error("read", self.path / CODE_FILE, error) from error

    def project(self) -> bytes:
        """The zip of the files that travel with the code, as given to `Store.create_sweep` or to the last `amend`."""
        try:
            return self.disk.read(project_path(self.path, self._amendments), most=MOST_PROJECT)
        except OSError as error:
            raise store_error("read", self.path / PROJECT_FILE, error) from error

    def users(self) -> list[str | None]:
        """Return who put code into it, by what they recorded: who made it, and whoever gave it other code; None:
        unknown, as of a sweep that was unpacked.
        """
        maker = self.description()["provenance"].get("user")
        others = [None if one.unpacked else one.user for _, one in self._amendments if one.unpacked or one.code]
        return list(dict.fromkeys([maker, *others]))

    def claim(
        self, *, purpose: str = "run", take_over: bool = False, held: Callable[[int], None] = lambda epoch: None
    ) -> int:
        """Become the sweep's only writer; whatever an older owner still writes does not count.

        Gives no sign of life from then on; `own` does.

        Args:
            purpose: What is done to it, as a participle, for those who are refused meanwhile.
            take_over: Whether to take it from an owner that cannot be understood, once that is silent.
            held: Called with the epoch as soon as nobody else can claim it, before all is done.

        Returns:
            The epoch of this ownership, from 1, for `Writer` and `finalize`.

        Raises:
            StoreError: The present owner is alive or not understood, or the store cannot be written.
            NotFoundError: The sweep was removed.
        """
        try:
            return claims.claim(self.disk, self.path, purpose=purpose, take_over=take_over, held=held)
        except OSError as error:
            raise store_error("write to", self.path, error) from error

    def release(self, epoch: int) -> None:
        """Let go of the sweep; `finalize` does it too. Works on a full disk."""
        try:
            claims.release(self.disk, self.path, epoch)
        except OSError as error:
            raise store_error("write to", self.path, error) from error

    def owner(self) -> Sighting:
        """Return who owns the sweep at this moment, and whether it lives; StoreError when that cannot be read."""
        try:
            return look(self.disk, self.path)
        except OSError as error:
            raise store_error("read", self.path, error) from error

    def owner_alive(self) -> bool:
        """Whether a process that claimed the sweep is running it, its end and its last test included."""
        return self.owner().alive

    def state(self) -> State:
        """Whether the sweep runs, ended as planned, or was interrupted (to be resumed)."""
        if self.owner_alive():  # first: one that lets go meanwhile has said before how the sweep ended
            return "running"
        state = manifest.newest(self.disk, self.path).state
        return "interrupted" if state == "running" else state

    def visible_files(self) -> visible_files.VisibleFiles:
        """The files that count at this moment."""
        return visible_files.look(self.disk, self.path)
