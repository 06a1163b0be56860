"""The results store: a folder of sweeps."""

from __future__ import annotations

import json
import logging
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from caviar.errors import NotFoundError, SpecError, StoreError
from caviar.store import manifest
from caviar.store import takeover as claims
from caviar.store.disk import Backoff, Disk, PosixDisk, locate
from caviar.store.disk.checksum import checksum
from caviar.store.disk.store_errors import FULL, store_error
from caviar.store.foreign_files import foreign, need_ours
from caviar.store.layout import (
    CODE_FILE,
    FORMAT_FILE,
    HOT,
    MANIFEST,
    MERGED,
    OWNER,
    PROJECT_FILE,
    SWEEP_FILE,
    SWEEP_FOLDER,
    SWEEP_PREFIX,
    check_format,
    day_before,
    format_bytes,
    numbered_name,
    raise_format,
)
from caviar.store.lookup import LATEST, named, strays, sweep_id, the_only
from caviar.store.storable import MOST_DESCRIBED
from caviar.store.sweep_dir import SweepDir
from caviar.store.sweep_keys import SweepKey, forget_key, known_key, sweep_key
from caviar.store.untrusted_json import Unreadable, described, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

ID_TIME = "%Y%m%d-%H%M%S"
PACKED = ".caviar"
"""How a file of sweeps ends, which `caviar pack` wrote."""
AHEAD = timedelta(days=1)
"""How far a clock may be wrong."""

_log = logging.getLogger(__name__)


class SweepExistsError(Exception):
    """A sweep of the id that was asked for is there: another process made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder that holds sweeps, and nothing else but a FORMAT file."""

    path: PurePath
    """Absolute."""
    disk: Disk = field(default_factory=PosixDisk, repr=False, compare=False)

    @classmethod
    def open(cls, path: str | PurePath, *, create: bool = False, disk: Disk | None = None) -> Store:
        """Open the store in a folder.

        Args:
            path: The folder, or a URI: s3://bucket/prefix, gs://bucket/prefix.
            create: Whether to make it where there is none.
            disk: Where its files are; the default is the computer's own.

        Raises:
            SpecError: The URI breaks a rule.
            NotFoundError: There is nothing at `path`, and `create` is false.
            StoreError: `path` is a file or a folder of other things, was written by a newer caviar, or
                cannot be
                read or (with `create`) written.
        """
        found, its = locate(path)
        if found.suffix == PACKED and its.is_file(found):
            return cls._packed(Path(found), create)
        store = cls(path=found, disk=disk or its)
        try:
            store._open(create)
        except OSError as error:
            if isinstance(error, NotFoundError):
                raise
            raise store_error("create" if create else "open", store.path, error) from error
        return store

    @classmethod
    def _packed(cls, file: Path, create: bool) -> Store:
        """The store in a file of `caviar pack`: a copy in a temporary folder, which is only read."""
        from caviar.store.disk.read_only import ReadOnlyDisk  # noqa: PLC0415 — few stores are such files
        from caviar.store.packed import unpacked_aside  # noqa: PLC0415

        disk = ReadOnlyDisk(file)
        if create:
            raise disk.refused()
        disk.root = unpacked_aside(file)
        return cls(path=disk.root, disk=disk)

    def add_packed(self, file: Path) -> list[SweepDir]:
        """Add the sweeps of a file that `caviar pack` wrote, all of them or none; none that is there already.

        Raises:
            NotFoundError: There is no such file.
            StoreError: It is to be trusted with nothing, a sweep of it is there already, or the store cannot be
                written.
        """
        from caviar.store.packed import folders_of, open_pack  # noqa: PLC0415 — few stores get such files

        with open_pack(file) as pack:
            there = set(self._ids())
            if both := [sweep for sweep in pack.sweeps if sweep in there]:
                raise StoreError(f"{self.path} has {both[0]} already: nothing was unpacked; caviar rm {both[0]} first.")
            sound = {self.path / f"{SWEEP_PREFIX}{sweep}": pack.files(sweep) for sweep in pack.sweeps}
            homes: list[PurePath] = []
            try:
                raise_format(self.disk, self.path)
                for home, files in sound.items():
                    self.disk.publish_folder(home, files, folders_of(name for name, _ in files))
                    homes.append(home)
            except OSError as error:
                with suppress(OSError):
                    for home in homes:
                        self.disk.remove_folder(home)
                raise store_error("unpack into", self.path, error) from error
        return [SweepDir(path=home, disk=self.disk) for home in homes]

    def with_backoff(self, backoff: Backoff) -> Store:
        """Return the same store, on a disk with other pauses between repeated calls."""
        return replace(self, disk=self.disk.with_backoff(backoff))

    def _open(self, create: bool) -> None:
        written = self.path / FORMAT_FILE
        if not self.disk.exists(written):
            if self.disk.is_file(self.path):
                raise StoreError(
                    f"The store {self.path} is a file, and must be a folder: choose another with --store PATH."
                )
            if not create:
                self._refuse()
            if self.disk.list(self.path):
                raise StoreError(
                    f"{self.path} holds other files and is no store: choose an empty or new folder with --store PATH."
                )
            self.disk.make_folder(self.path)
            with suppress(FileExistsError):  # another process made it in the meantime
                self.disk.create(written, format_bytes())
        check_format(self.disk, self.path)

    def _refuse(self) -> None:
        if self.path.name.startswith(SWEEP_PREFIX) and self.disk.exists(self.path / SWEEP_FILE):
            whole = self.disk.exists(self.path.parent / FORMAT_FILE)
            parent = f"type --store {self.path.parent}, or " if whole else ""
            raise StoreError(
                f"{self.path} is the folder of one sweep, not a store: {parent}copy it into one, or into a new folder "
                f"together with the file {FORMAT_FILE} of the store that it comes from."
            )
        if self._ids():
            raise StoreError(
                f"{self.path} holds sweeps, but no FORMAT file, so it is no store: copy that file from the store that "
                "they come from, or copy them into another store."
            )
        if self.disk.exists(self.path) or self.disk.list(self.path):
            raise StoreError(f"{self.path} is no store (it has no FORMAT file): choose one with --store PATH.")
        raise NotFoundError(
            f"There is no store at {self.path}: choose one with --store PATH, or type `caviar run FILE`."
        )

    def create_sweep(
        self, description: dict[str, Any], code: bytes, project: bytes = b"", *, fresh: str | None = None
    ) -> SweepDir:
        """Add a sweep; it appears whole or not at all.

        Args:
            description: JSON-able: `plan`, `provenance`, …; `id` and `created` are added.
            code: The snapshot of the user's code.
            project: The zip of the files that travel with it; empty: none do.
            fresh: The id that it is to have; None: one that nobody has.

        Raises:
            SpecError: It could not be read again.
            SweepExistsError: There is a sweep of that `fresh` id.
            StoreError: The store cannot be written, for instance because the disk is full.
        """
        _check_readable(description)
        try:
            raise_format(self.disk, self.path)
            self.disk.clear_folders(self.path, SWEEP_FOLDER, lambda folder: not foreign(self.disk, folder))
            for _ in range(10):
                its = fresh or self.fresh_id()
                home = self.path / f"{SWEEP_PREFIX}{its}"
                said = {"id": its, "created": manifest.now(), **description}
                text = json.dumps(said, ensure_ascii=False, indent=1).encode()
                begins = [(SWEEP_FILE, text), (CODE_FILE, code), *([(PROJECT_FILE, project)] if project else [])]
                sums = {name: checksum(data) for name, data in begins}
                first = manifest.to_bytes(manifest.Manifest(k=0, beginning=sums, written=manifest.now()))
                files = [*begins, (f"{MANIFEST}/{numbered_name(0)}", first)]
                try:
                    self.disk.publish_folder(home, files, (OWNER, HOT, MERGED, MANIFEST))
                except FileExistsError as error:  # another process took the same id in the same second
                    if fresh:
                        raise SweepExistsError(fresh) from error
                else:
                    return SweepDir(path=home, disk=self.disk)
        except SweepExistsError:
            raise
        except OSError as error:
            raise store_error("create a sweep in", self.path, error) from error
        raise StoreError(f"Cannot create a sweep in {self.path}: too many others do so at once; try again.")

    def remove(self, sweep: SweepDir, *, take_over: bool = False) -> None:
        """Delete a sweep and all it holds, for good; by its owner, which the caller becomes. Works on a full disk.

        Args:
            sweep: The sweep.
            take_over: As for `SweepDir.claim`.

        Raises:
            StoreError: A living process runs it, or one that is not understood; it holds what Caviar did not write;
                or the store cannot be written.
            NotFoundError: Another process removed it.
        """
        try:
            self.check_idle(sweep, take_over=take_over)
            need_ours(self.disk, sweep.path)
            key = ""
            with suppress(StoreError):  # a broken sweep can be removed
                key = sweep.key
            epoch = self._hold(sweep, take_over)
            try:
                self.disk.remove_folder(sweep.path)
            except BaseException:
                with suppress(OSError):
                    claims.release(self.disk, sweep.path, epoch)
                raise
            if key:
                forget_key(self.disk, self.path, key, sweep.id)
        except FileNotFoundError as error:
            raise NotFoundError(f"{sweep.id} was removed by another process: caviar ls shows what there is.") from error
        except OSError as error:
            raise store_error("write to", self.path, error) from error

    def keyed(self, key: str) -> SweepKey:
        """The sweep that a key stands for, whether it is there yet or not; errors as of `sweep_key`."""
        return sweep_key(self.disk, self.path, key, self.fresh_id)

    def of_key(self, key: str) -> SweepDir | None:
        """The sweep of a key, if it was made; nothing is written. Errors as of `sweep_key`."""
        found = known_key(self.disk, self.path, key)
        sweep = None if found is None else SweepDir(path=self.path / f"{SWEEP_PREFIX}{found.sweep}", disk=self.disk)
        return sweep if sweep is not None and self.disk.exists(sweep.path / SWEEP_FILE) else None

    def check_idle(self, sweep: SweepDir, *, take_over: bool = False) -> None:
        """See that nobody runs a sweep; StoreError when somebody does."""
        seen = sweep.owner()
        if why := claims.refusal(sweep.path, seen, take_over=take_over):
            raise StoreError(why)

    def _hold(self, sweep: SweepDir, take_over: bool) -> int:
        """The epoch of our ownership; −1 where the disk is too full for one, or the removal half done already."""
        try:
            return claims.hold(self.disk, sweep.path, purpose="removed", take_over=take_over)
        except NotFoundError:
            return -1
        except OSError as error:
            if error.errno not in FULL:
                raise
            return -1

    def fresh_id(self) -> str:
        """Return an id for a sweep that is made now."""
        moment = datetime.fromtimestamp(self.disk.now(), UTC).replace(tzinfo=None, microsecond=0)
        latest = max(filter(None, map(_moment, self._ids())), default=moment)
        # Ids sort by time of creation, even of two sweeps in one second; but not after one that somebody dated ahead.
        if moment <= latest < moment + AHEAD:
            moment = latest + timedelta(seconds=1)
        return f"{moment.strftime(ID_TIME)}-{secrets.token_hex(2)}"

    def _ids(self, names: list[str] | None = None) -> list[str]:
        names = self.disk.folders(self.path) if names is None else names
        return sorted(found for found in map(sweep_id, names) if found is not None)

    def sweeps(self) -> list[SweepDir]:
        """All sweeps, newest last; each that lies in a folder of another name than its own is told."""
        try:
            names = self.disk.folders(self.path)
            for sentence in strays(self.disk, self.path, names):
                _log.warning("%s", sentence)
            return [SweepDir(path=self.path / f"{SWEEP_PREFIX}{found}", disk=self.disk) for found in self._ids(names)]
        except OSError as error:
            raise store_error("read", self.path, error) from error

    def links(self) -> list[str]:
        """Names of links in the store, to sweeps elsewhere: no link is followed."""
        try:
            return sorted(name for name, kind in self.disk.kinds(self.path).items() if kind == "link")
        except OSError as error:
            raise store_error("read", self.path, error) from error

    def find(self, ref: str | None = None) -> SweepDir:
        """The sweep that `ref` names, for whoever will change it.

        That is an id, the unique beginning or end of one, or a unique name; None and "@last" are the latest.

        Raises:
            NotFoundError: No sweep, or several.
        """
        return the_only(self.named(ref), ref)

    def named(self, ref: str | None = None) -> list[SweepDir]:
        """The sweeps that `ref` may mean, newest last: whoever only reads takes the newest, and says so.

        Raises:
            NotFoundError: None of them.
        """
        sweeps = self.sweeps()
        if ref in (None, LATEST):
            sound = next((one for one in reversed(sweeps) if self._sound(one)), None)
            return named(sweeps if sound is None else [sound], ref, str(self.path))
        names = {} if any(sweep.id == ref for sweep in sweeps) else {one.id: one.name for one in self._readable(sweeps)}
        found = named(sweeps, ref, str(self.path), names)
        return found if len(found) == 1 else [one for one in found if self._sound(one)] or found

    def readable(self, *, after: SweepDir | None = None) -> list[SweepDir]:
        """The sweeps whose description can be read, newest last; each other one is told.

        Args:
            after: Only those that may have been made after this one: from the day before it on, for clocks differ.
        """
        sweeps = self.sweeps()
        if after is not None:
            least = day_before(after.id)
            sweeps = [one for one in sweeps if one.id[: len(least)] >= least]
        return self._readable(sweeps)

    def _readable(self, sweeps: list[SweepDir]) -> list[SweepDir]:
        sound = self.disk.each(self._described, sweeps)  # kept: their names are asked for
        return [sweep for sweep, good in zip(sweeps, sound, strict=True) if good]

    @contextmanager
    def apart(self, sweep: SweepDir) -> Iterator[None]:
        """Within the block, an error in reading this sweep is logged and ends the block, without harm to others."""
        try:
            yield
        except OSError as error:
            self.leave_out(sweep, store_error("read", sweep.path, error))

    def leave_out(self, sweep: SweepDir, error: Exception) -> None:
        """Tell that a sweep is not among those shown, and why."""
        _log.warning("%s is left out: %s", sweep.id, error)

    def _described(self, sweep: SweepDir) -> bool:
        with self.apart(sweep):
            sweep.description()
            return True
        return False

    def _sound(self, sweep: SweepDir) -> bool:
        with self.apart(sweep):
            sweep.description()
            sweep.visible_files()
            return True
        return False


def _check_readable(description: dict[str, Any]) -> None:
    try:
        text = json.dumps({"created": manifest.now(), **description})
        if len(text) > MOST_DESCRIBED:
            raise Unreadable(f"it has more than {MOST_DESCRIBED:,} bytes")
        described(parsed(text), "")
    except (ValueError, TypeError) as error:
        raise SpecError(f"the sweep cannot be stored: {error}; change its description") from error


def _moment(its: str) -> datetime | None:
    """When a sweep was made, by its id; None when there is no such time."""
    try:
        return datetime.strptime(its[:15], ID_TIME)
    except ValueError:
        return None
