"""The manifest: which files of a sweep count; pure functions from one to the next; and their chain on disk.

A sweep has one chain of manifests, 0, 1, 2 …, each made from its predecessor and created only if its number
is free, so two processes can never both add to the same state. The highest number holds.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args

from caviar.errors import StoreError
from caviar.store.disk.checksum import checksum
from caviar.store.layout import (
    CODE_FILE,
    MANIFEST,
    PROJECT_FILE,
    SWEEP_FILE,
    checked_data_name,
    numbered_name,
    parse_number,
)
from caviar.store.storable import MOST_DESCRIBED
from caviar.store.untrusted_json import Unreadable, parsed, record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import PurePath

    from caviar.store.disk import Disk


State = Literal["running", "finished", "interrupted", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One Parquet file that counts."""

    table: str
    """configs, logs, curves, decisions, attempts; of final files also trials and superseded."""
    name: str
    """Path within the sweep's folder."""
    rows: int
    min_trial: int | None
    """None when none of its rows has one."""
    max_trial: int | None
    checksum: str = ""
    """CRC-32 of its bytes, as eight hex digits; "" when none was recorded."""

    def may_hold(self, trials: Collection[int]) -> bool:
        """Whether rows of one of these trials may be in it."""
        low, high = self.min_trial, self.max_trial
        return low is None or high is None or any(low <= trial <= high for trial in trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One Parquet file that counted until it was found damaged."""

    table: str
    name: str
    """Path within the sweep's folder that it had."""
    rows: int | None
    """Rows that it had; None when nobody knows."""
    why: str
    """What was found, for a person."""


F = TypeVar("F", DataFile, Quarantined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The state of a sweep's files."""

    k: int
    """Place in the chain, from 0."""
    files: tuple[DataFile, ...] = ()
    hot_through: Mapping[int, int] = field(default_factory=dict)
    """Epoch → highest n whose rows are in `files`."""
    sealed: Mapping[int, int] = field(default_factory=dict)
    """Epoch → highest n that counts; −1 for none. An epoch is sealed when the next owner takes over."""
    final: bool = False
    """Whether `files` are final ones, of which a plain glob is exact as long as no hot file follows."""
    state: State = "running"
    counts: Mapping[str, int] = field(default_factory=dict)
    """State → number of trials, when final."""
    quarantined: tuple[Quarantined, ...] = ()
    """Files that were set aside; a hot one leaves no gap."""
    beginning: Mapping[str, str] = field(default_factory=dict)
    """Name → CRC-32 of each file that the sweep began with; nothing where an older Caviar made it."""
    written: str = ""
    """ISO time, UTC."""


def sealed(manifest: Manifest, ends: Mapping[int, int]) -> Manifest:
    """Next manifest: of each epoch in `ends` nothing after n counts any more."""
    return _next(manifest, sealed={**manifest.sealed, **ends})


def merged(
    manifest: Manifest, gone: Collection[str], files: Iterable[DataFile], through: Mapping[int, int]
) -> Manifest:
    """Next manifest: `files` stand for the files `gone` and for the hot files up to `through`."""
    kept = tuple(file for file in manifest.files if file.name not in gone)
    return _next(manifest, files=(*kept, *files), hot_through={**manifest.hot_through, **through}, final=False)


def finalized(
    manifest: Manifest,
    files: Iterable[DataFile],
    through: Mapping[int, int],
    state: State,
    counts: Mapping[str, int],
) -> Manifest:
    """Next manifest: `files` hold all there is."""
    through = {**manifest.hot_through, **through}
    return _next(manifest, files=tuple(files), hot_through=through, final=True, state=state, counts=dict(counts))


def without(manifest: Manifest, damaged: Iterable[Quarantined]) -> Manifest:
    """Next manifest: the damaged files do not count."""
    damaged = tuple(damaged)
    names = {file.name for file in damaged}
    files = tuple(file for file in manifest.files if file.name not in names)
    return _next(manifest, files=files, quarantined=(*manifest.quarantined, *damaged))


def ended(manifest: Manifest, state: State) -> Manifest:
    """Next manifest: the sweep's owner is done with it; or goes on with it, with the state "running"."""
    return _next(manifest, state=state)


def _next(manifest: Manifest, **changes: Any) -> Manifest:
    return replace(manifest, k=manifest.k + 1, written=now(), **changes)


def now() -> str:
    """Return the present moment as ISO text, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def to_bytes(manifest: Manifest) -> bytes:
    """Serialise as JSON, with a checksum of itself."""
    data = {
        "k": manifest.k,
        "prev": manifest.k - 1 if manifest.k else None,
        "files": [asdict(file) for file in manifest.files],
        "hot_through": {str(epoch): n for epoch, n in manifest.hot_through.items()},
        "sealed": {str(epoch): n for epoch, n in manifest.sealed.items()},
        "final": manifest.final,
        "state": manifest.state,
        "counts": dict(manifest.counts),
        "quarantined": [asdict(file) for file in manifest.quarantined],
        "beginning": dict(manifest.beginning),
        "written": manifest.written,
    }
    return json.dumps({**data, "checksum": _sum(data)}).encode()


def from_bytes(text: bytes) -> Manifest:
    """Parse JSON.

    Raises:
        StoreError: It names a file outside the sweep.
        Unreadable: It is torn or was changed.
    """
    data = parsed(text)
    written = data.pop("checksum", None)
    if written is not None and written != _sum(data):
        raise Unreadable("it was changed after it was written")
    one = record(_Fixed, {key: value for key, value in data.items() if key not in _NESTED}, later=True)
    if one.state not in get_args(State):
        raise Unreadable(f"state is {one.state!a}")
    return Manifest(
        k=one.k,
        files=tuple(_file(DataFile, file) for file in _listed(data, "files")),
        hot_through=_numbers(data, "hot_through"),
        sealed=_numbers(data, "sealed"),
        final=one.final,
        state=cast("State", one.state),
        counts=_numbers(data, "counts", text=True),
        quarantined=tuple(_file(Quarantined, file) for file in _listed(data, "quarantined")),
        beginning=_sums(data.get("beginning", {})),
        written=one.written,
    )


_NESTED = ("files", "hot_through", "sealed", "counts", "quarantined", "beginning")


@dataclass(frozen=True, kw_only=True)
class _Fixed:
    k: int
    final: bool
    state: str
    written: str


def _file(cls: type[F], data: object) -> F:
    if not isinstance(data, dict):
        raise Unreadable("it names a file that is no object")
    checked_data_name(data.get("name"))
    return record(cls, data)


def _listed(data: Mapping[str, Any], key: str) -> list[object]:
    found = data.get(key, [] if key == "quarantined" else None)
    if not isinstance(found, list):
        raise Unreadable(f"{key} is no list")
    return found


def _sums(found: object) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise Unreadable("beginning is no object of checksums")
    if not set(found) <= {SWEEP_FILE, CODE_FILE, PROJECT_FILE}:
        raise Unreadable("beginning names other files")
    return found


def _numbers(data: Mapping[str, Any], key: str, *, text: bool = False) -> dict[Any, int]:
    """Epoch (of `counts`, a text) → a whole number from −1."""
    found = data.get(key, {} if text else None)
    if not isinstance(found, dict) or not all(type(n) is int and -1 <= n < 2**63 for n in found.values()):
        raise Unreadable(f"{key} is no object of whole numbers")
    if text:
        return found
    if not all(re.fullmatch("[0-9]{1,18}", epoch) for epoch in found):
        raise Unreadable(f"{key} is not by epoch")
    return {int(epoch): n for epoch, n in found.items()}


def _sum(data: dict[str, Any]) -> str:
    return checksum(json.dumps(data).encode())


KEPT = 32
"""Manifests that stay behind the newest one, for a look at what happened."""


def newest(disk: Disk, sweep: PurePath) -> Manifest:
    """The manifest with the highest number.

    Raises:
        StoreError: There is none, or it cannot be understood.
    """
    for _ in range(20):
        numbers = _manifest_numbers(disk, sweep)
        if not numbers:
            break
        path = sweep / MANIFEST / numbered_name(numbers[-1])
        try:
            return from_bytes(disk.read(path, most=MOST_DESCRIBED))
        except FileNotFoundError:  # many newer ones were written since the listing
            continue
        except ValueError as error:
            raise StoreError(f"The manifest {path} cannot be understood ({error}): restore it from a copy.") from error
    raise StoreError(f"{sweep} has no manifest: it is no sweep, or was copied in part.")


def append(disk: Disk, sweep: PurePath, manifest: Manifest) -> bool:
    """Add a manifest made from its predecessor; False when another process was quicker.

    After False the files that the manifest names must stay: the other process may have built upon it.
    """
    try:
        disk.create(sweep / MANIFEST / numbered_name(manifest.k), to_bytes(manifest))
    except FileExistsError:
        return False
    numbers = _manifest_numbers(disk, sweep)
    if numbers[-1] != manifest.k:  # the number was free because old manifests are deleted: the chain is past it
        return False
    old = [number for number in numbers if number < manifest.k - KEPT]
    disk.delete(sweep / MANIFEST / numbered_name(number) for number in old)
    return True


def _manifest_numbers(disk: Disk, sweep: PurePath) -> list[int]:
    found = (parse_number(name) for name in disk.list(sweep / MANIFEST))
    return sorted(number for number in found if number is not None)
