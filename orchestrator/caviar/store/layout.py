"""Names of the store's files, and back; and the format that they are in.

<store>/FORMAT                                   {"format": 2}
<store>/_keys/<SHA-256 of a key>.json            which sweep is that of a key, for who starts it anew
<store>/sweep=<id>/sweep.json, code.zip          what was asked for, and the code that does it
<store>/sweep=<id>/project.zip                   the files that travel with the code, if any do
<store>/sweep=<id>/_owner/<epoch>.json           who may write; the highest epoch
<store>/sweep=<id>/_hot/<epoch>-<n>-<table>-<checksum>.parquet   n contiguous from 0 over all tables of the epoch
<store>/sweep=<id>/_merged/<table>-<uuid>.parquet       many hot files in one, while the sweep runs
<store>/sweep=<id>/_build/<epoch>/     final files and checkpoints while they are written; made and removed by claims
<store>/sweep=<id>/_manifest/<k>.json            which files count; the highest k
<store>/sweep=<id>/_checkpoints/<trial>/<attempt>-<step>-<rows>-<value>-<checksum>.checkpoint    bytes of the user's
<store>/sweep=<id>/_artifacts/<trial>/<attempt>-<number>-<checksum>.artifact    likewise; its name is in a table
<store>/sweep=<id>/_amendments/<n>.json, -<digest>.zip    that it was extended, or goes on with other code and files
<store>/sweep=<id>/_fingerprints/<n>.json        what its processes trained with: libraries, processors, drivers
<store>/sweep=<id>/_drift/<n>.json               what checks of its winner found
<store>/sweep=<id>/_drivers/<epoch>.log          what the driver of an epoch said
<store>/sweep=<id>/_requests/<n>.json            what others ask of the owner; removed when taken
<store>/sweep=<id>/_quarantine/                  damaged files, set aside
<store>/sweep=<id>/<table>/<k>-<epoch>.parquet   final files: a plain glob over them is exact

No user text is ever part of a name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.untrusted_json import MOST_BYTES, parsed, record
from caviar_workers.artifact import FOLDER
from caviar_workers.checkpoint import DESCRIPTION
from caviar_workers.tables import FORMAT, TABLES

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.store.disk import Disk


FORMAT_FILE = "FORMAT"
SWEEP_FILE = DESCRIPTION
CODE_FILE = "code.zip"
PROJECT_FILE = "project.zip"
SWEEP_PREFIX = "sweep="
KEYS = "_keys"
OWNER, HOT, MERGED, MANIFEST, FINAL_TESTS, BUILD = "_owner", "_hot", "_merged", "_manifest", "_final", "_build"
FINGERPRINTS, DRIFT, DRIVERS = "_fingerprints", "_drift", "_drivers"
QUARANTINE, REQUESTS, CHECKPOINTS, AMENDMENTS = "_quarantine", "_requests", "_checkpoints", "_amendments"
ARTIFACTS = FOLDER
FINAL_TABLES = ("curves", "trials", "attempts", "logs", "artifacts", "decisions")
SUPERSEDED = "superseded"
LOST = "lost"
"""In the place of a table: a segment that is gone, and of which nobody knows the table."""

MOST_NUMBER = 10**18 - 1
"""In a name."""

_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
SWEEP_FOLDER = re.compile(rf"{SWEEP_PREFIX}{_ID.pattern}")
BUILD_FOLDER = re.compile(r"[0-9]{1,18}")
"""Within `BUILD`."""
_SEGMENT = re.compile(rf"([0-9]{{1,18}})-([0-9]{{1,18}})-({'|'.join(TABLES)})(?:-([0-9a-f]{{8}}))?\.parquet")
_GONE = re.compile(rf"([0-9]{{1,18}})-([0-9]{{1,18}})-{LOST}\.parquet")
_DATA = re.compile(rf"({HOT}|{MERGED}|{'|'.join(FINAL_TABLES)}|{SUPERSEDED})/[A-Za-z0-9-]+\.parquet")
_NUMBERED = re.compile(r"([0-9]{6}|[1-9][0-9]{6,17})(\.released)?\.json")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Segment:
    """One hot file: what an owner published of one table at one tick."""

    epoch: int
    """Of the owner, from 1."""
    n: int
    """Running number within the epoch, from 0, over all tables."""
    table: str
    checksum: str = ""
    """Of its bytes; "" when its name does not tell."""

    @property
    def name(self) -> str:
        """Path within the sweep's folder."""
        checksum = f"-{self.checksum}" if self.checksum else ""
        return f"{HOT}/{self.epoch:04d}-{self.n:09d}-{self.table}{checksum}.parquet"


def parse_segment(file_name: str) -> Segment | None:
    """The segment of a name in `_hot`; None for any other file."""
    found = _SEGMENT.fullmatch(file_name)
    if found is None:
        return None
    return Segment(epoch=int(found[1]), n=int(found[2]), table=found[3], checksum=found[4] or "")


def parse_aside(name: str) -> Segment | None:
    """The segment of the path of a file that a manifest has set aside, even if it was lost; None for any other file."""
    folder, _, file_name = name.partition("/")
    if folder != HOT:
        return None
    found = _GONE.fullmatch(file_name)
    return parse_segment(file_name) if found is None else Segment(epoch=int(found[1]), n=int(found[2]), table=LOST)


def build_folder(epoch: int) -> str:
    """Return where an owner writes final files before it shows them, within the sweep's folder."""
    return f"{BUILD}/{epoch:06d}"


def numbered_name(number: int, suffix: str = ".json") -> str:
    """File name of a manifest, an owner or a final file.

    Raises:
        StoreError: Nobody counts that far, and nobody would read the name.
    """
    if number > MOST_NUMBER:
        raise StoreError(
            f"The store has no number after {MOST_NUMBER:,}: a file of it is so numbered that Caviar did not write, "
            "find it and remove it."
        )
    return f"{number:06d}{suffix}"


def parse_number(file_name: str) -> int | None:
    """The number of a manifest or owner file; None for any other file."""
    found = _NUMBERED.fullmatch(file_name)
    return None if found is None else int(found[1])


def is_sweep_id(text: str) -> bool:
    """Whether the text has the form of a sweep's id, such as 20261123-041233-7f3a."""
    return _ID.fullmatch(text) is not None


def day_before(sweep: str) -> str:
    """The beginning of the ids that were given a day before this one; empty: its date is none."""
    try:
        return f"{date.fromisoformat(sweep[:8]) - timedelta(days=1):%Y%m%d}"
    except (ValueError, OverflowError):
        return ""


def checked_data_name(name: object) -> str:
    """A path that a manifest names, if it lies inside the sweep's folder.

    Raises:
        StoreError: It leads elsewhere.
    """
    if not isinstance(name, str) or not _DATA.fullmatch(name):
        raise StoreError(f"A manifest names {name!r}, which is no data file of its sweep: do not trust this store.")
    return name


@dataclass(frozen=True, kw_only=True)
class _Format:
    """The format of a store, raised by whoever first writes what an older program misreads.

    Format 2: an owner's file says more than a program of format 1 understands, which takes such an owner for none. So
    that program must refuse the store, and does.
    """

    format: int


def format_bytes() -> bytes:
    """Return what FORMAT holds in a store that this program writes."""
    return json.dumps({"format": FORMAT}).encode()


def check_format(disk: Disk, store: PurePath) -> int:
    """The format of a store.

    Raises:
        StoreError: It is a later one than this program knows, or FORMAT says nothing.
        OSError: FORMAT cannot be read.
    """
    return format_of(store, disk.read(store / FORMAT_FILE, most=MOST_BYTES))


def format_of(store: PurePath, written: bytes) -> int:
    """The format that FORMAT says a store, or a file of one, has; errors as of `check_format`."""
    try:
        found = record(_Format, parsed(written), later=True).format
    except ValueError as error:
        raise StoreError(f"{store / FORMAT_FILE} cannot be understood: restore it from a copy.") from error
    if found > FORMAT:
        raise StoreError(
            f"The store {store} was written by a newer caviar (format {found}, this one knows {FORMAT}): "
            "upgrade with `pip install --upgrade caviar-sweep`, or `git pull` in a checkout."
        )
    return found


def raise_format(disk: Disk, store: PurePath) -> None:
    """Let older programs refuse the store from now on; errors as for `check_format`. Goes before the first write."""
    if check_format(disk, store) < FORMAT:
        disk.publish([(store / FORMAT_FILE, format_bytes())])
