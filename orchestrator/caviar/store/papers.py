"""Looking for damage in what a sweep says about itself: its description and code, manifests, owners and findings."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from caviar.disk.checksum import checksum
from caviar.errors import StoreError
from caviar.kept import MOST_DESCRIBED
from caviar.store.chain import KEPT
from caviar.store.finals import finals
from caviar.store.layout import FINAL, MANIFEST, OWNER, SWEEP_FILE, numbered_name, parse_number
from caviar.store.manifest import from_bytes
from caviar.store.owner import from_bytes as owner_of
from caviar.store.owner import look
from caviar.store.record import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caviar.store.owner import Owner
    from caviar.store.snapshot import Snapshot
    from caviar.store.sweep_dir import SweepDir

MISSING = "it is missing"
MOST_NAMED = 100
"""Files that are missing: a number in a name may be any."""

Wrong = tuple[str, str]
"""Path within the sweep's folder, and what is wrong, for a person."""


def beginning(sweep: SweepDir, seen: Snapshot) -> list[Wrong]:
    """What is wrong with the files that the sweep began with.

    If it is the description, the manifest may as well be another sweep's, and the data is not to be judged by it.
    """
    found = []
    for name, expected in seen.manifest.beginning.items():
        try:
            data = sweep.disk.read(sweep.path / name, most=MOST_DESCRIBED)
        except FileNotFoundError:
            found.append((name, MISSING))
            continue
        if (now := checksum(data)) != expected:
            other = "; it was changed, or the manifest is another sweep's" if name == SWEEP_FILE else ""
            found.append((name, f"its checksum is {now}, and was {expected}{other}"))
    return found


def papers(sweep: SweepDir, seen: Snapshot) -> list[Wrong]:
    """What is wrong with manifests, owners and findings."""
    return [*_manifests(sweep, seen), *_end(sweep, seen), *_owners(sweep, seen), *_finals(sweep)]


def _manifests(sweep: SweepDir, seen: Snapshot) -> Iterator[Wrong]:
    """Those that stay behind the newest one: each is there, whole, and of this sweep."""
    last = seen.manifest.k
    for number in range(max(0, last - KEPT), last):
        name = f"{MANIFEST}/{numbered_name(number)}"
        try:
            one = from_bytes(sweep.disk.read(sweep.path / name, most=MOST_DESCRIBED))
        except FileNotFoundError:
            if number >= sweep.snapshot().manifest.k - KEPT:  # else it was one too many meanwhile
                yield name, MISSING
            continue
        except (ValueError, KeyError, TypeError, AttributeError, StoreError) as error:
            yield name, f"it cannot be understood ({error})"
            continue
        if one.k != number or (one.beginning and one.beginning != seen.manifest.beginning):
            yield name, "it is another sweep's, or another manifest"


def _end(sweep: SweepDir, seen: Snapshot) -> Iterator[Wrong]:
    """After the manifest of final files comes the one that says how the sweep ended."""
    last = seen.manifest
    if not (seen.plain and last.state == "running" and last.k and look(sweep.disk, sweep.path).standing == "nobody"):
        return
    with suppress(OSError, ValueError, KeyError, TypeError):
        before = from_bytes(sweep.disk.read(sweep.path / MANIFEST / numbered_name(last.k - 1), most=MOST_DESCRIBED))
        if before.files != last.files:  # otherwise the sweep was taken up again since
            what = "it is missing, or the end of the sweep failed before it; `caviar store compact` writes it"
            yield f"{MANIFEST}/{numbered_name(last.k + 1)}", what


def _owners(sweep: SweepDir, seen: Snapshot) -> Iterator[Wrong]:
    """Each owner that left something behind, and those before it, have a file that says who it was."""
    names = sweep.disk.list(sweep.path / OWNER)
    known = {parse_number(name) for name in names}
    missing = (epoch for epoch in range(1, seen.newest_epoch + 1) if epoch not in known)
    for epoch in islice(missing, MOST_NAMED):
        yield f"{OWNER}/{numbered_name(epoch)}", MISSING
    for name in names:
        number = parse_number(name)
        try:
            understood = number is None or _owner(sweep, name, number) is not None
        except FileNotFoundError:  # it let go just now
            continue
        except OSError:
            understood = False
        if not understood:
            yield f"{OWNER}/{name}", "it cannot be understood"


def _owner(sweep: SweepDir, name: str, epoch: int) -> Owner | None:
    return owner_of(sweep.disk.read(sweep.path / OWNER / name, most=MOST_BYTES), epoch)


def _finals(sweep: SweepDir) -> Iterator[Wrong]:
    try:
        finals(sweep)
    except StoreError as error:
        yield FINAL, f"a finding cannot be read ({error})"
