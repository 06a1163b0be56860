"""The reader's rule: which files hold a sweep's rows right now.

LIST the hot files, THEN read the newest manifest. A file that a merge took in between is in that newer
manifest; one published in between is merely not seen yet. The other order would lose the rows of a merge in
between.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from caviar.store import chain
from caviar.store.layout import HOT, Segment, parse_segment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import PurePath

    from caviar.disk import Disk
    from caviar.store.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The files of a sweep that count, at one moment."""

    manifest: Manifest
    hot: tuple[Segment, ...]
    """Live hot files, in the order of (epoch, n)."""

    @property
    def plain(self) -> bool:
        """Whether the final files hold everything."""
        return self.manifest.final and not self.hot

    def names(self, table: str, trials: Collection[int] | None = None) -> list[str]:
        """Paths, within the sweep's folder, of a table's files; of those that may hold one of these trials."""
        files = [file for file in self.manifest.files if file.table == table]
        held = [file.name for file in files if trials is None or file.may_hold(trials)]
        return held + [segment.name for segment in self.hot if segment.table == table]

    def all_names(self) -> list[str]:
        """Paths, within the sweep's folder, of all files that count."""
        return [file.name for file in self.manifest.files] + [segment.name for segment in self.hot]

    def checksums(self) -> dict[str, str]:
        """Path, within the sweep's folder, of each file that counts, and its checksum; "" when none is known."""
        held = {file.name: file.checksum for file in self.manifest.files}
        return held | {segment.name: segment.checksum for segment in self.hot}

    def next_n(self, epoch: int) -> int:
        """The number of that owner's next segment."""
        taken = [segment.n for segment in (*self.hot, *_set_aside(self.manifest)) if segment.epoch == epoch]
        return max([self.manifest.hot_through.get(epoch, -1), *taken]) + 1

    def through(self) -> dict[int, int]:
        """Epoch → highest n that this snapshot holds, of epochs with hot files."""
        return {segment.epoch: segment.n for segment in self.hot}


def look(disk: Disk, sweep: PurePath) -> Snapshot:
    """Snapshot of the sweep in that folder; StoreError when it has no readable manifest."""
    listed = [segment for name in disk.list(sweep / HOT) if (segment := parse_segment(name))]
    manifest = chain.newest(disk, sweep)
    return Snapshot(manifest=manifest, hot=live(listed, manifest))


def live(listed: Iterable[Segment], manifest: Manifest) -> tuple[Segment, ...]:
    """Hot files that count beside a manifest: per epoch, the contiguous run after `hot_through` up to its seal.

    A file behind a gap does not count: it was published later than one that a power cut lost. One that was
    set aside for damage leaves no gap.
    """
    aside = set(_set_aside(manifest))
    found: list[Segment] = []
    for epoch, segments in groupby(sorted({*listed, *aside}), key=lambda segment: segment.epoch):
        expected = manifest.hot_through.get(epoch, -1) + 1
        last = manifest.sealed.get(epoch)
        for segment in segments:
            if segment.n < expected:
                continue
            if segment.n > expected or (last is not None and segment.n > last):
                break
            if segment not in aside:
                found.append(segment)
            expected += 1
    return tuple(found)


def _set_aside(manifest: Manifest) -> list[Segment]:
    names = (file.name.removeprefix(f"{HOT}/") for file in manifest.quarantined)
    return [segment for name in names if (segment := parse_segment(name))]
