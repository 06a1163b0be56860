"""The reader's rule: which files hold a sweep's rows right now; and what is missing before others.

LIST the hot files, THEN read the newest manifest. A file that a merge took in between is in that newer
manifest; one published in between is merely not seen yet. The other order would lose the rows of a merge in
between.

What is missing is never taken for what was not written. An owner publishes its segments in the order of their numbers,
those of one tick at once. So where one is missing before others, there are two cases. A power cut may have taken some
of the last tick, which was not acknowledged: a *tail*, and all of it counts for nothing. Or a segment was acknowledged
and is gone: a *hole*, and whoever goes on, merges or ends the sweep as if nothing was behind it would delete what is.

It is a tail only if all that follows is of the tick of what is missing, as each segment tells, if nobody sealed it, and
if the power may have failed: not in a bucket, and not while the computer of the owner has been running ever since.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store import manifest as chain
from caviar.store.disk.disk import ObjectPath
from caviar.store.layout import HOT, LOST, SWEEP_PREFIX, Segment, parse_aside, parse_segment
from caviar.store.owner import ran_since_this_boot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import PurePath

    from caviar.store.disk import Disk
    from caviar.store.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A segment that is not there, though later ones of its owner are, or its seal says that it counts."""

    epoch: int
    n: int
    """The first one that is missing."""
    behind: tuple[Segment, ...]
    """What follows it and therefore does not count."""
    end: int
    """The next number that is there, or the one after the seal."""
    sealed: bool
    """Whether the manifest says that it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleFiles:
    """The files of a sweep that count, at one moment."""

    manifest: Manifest
    hot: tuple[Segment, ...]
    """Live hot files, in the order of (epoch, n)."""
    gaps: tuple[Gap, ...] = ()
    """Where the run of an owner's segments breaks off; `holes` says which of them matter."""

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

    @property
    def newest_epoch(self) -> int:
        """The highest epoch of an owner that left something behind; 0: there is none."""
        marks = (*self.manifest.sealed, *self.manifest.hot_through)
        return max([0, *marks, *(one.epoch for one in self.hot), *(gap.epoch for gap in self.gaps)])

    def next_n(self, epoch: int) -> int:
        """The number of that owner's next segment."""
        taken = [segment.n for segment in (*self.hot, *_set_aside(self.manifest)) if segment.epoch == epoch]
        return max([self.manifest.hot_through.get(epoch, -1), *taken]) + 1

    def through(self) -> dict[int, int]:
        """Epoch → highest n that is among these, of epochs with hot files."""
        return {segment.epoch: segment.n for segment in self.hot}


def look(disk: Disk, sweep: PurePath) -> VisibleFiles:
    """Return the files of the sweep in that folder; StoreError when it has no readable manifest.

    A listing beside which something is published or sealed may lack what was there before: a gap is one when a second
    look finds it again.
    """
    seen = _look(disk, sweep)
    while seen.gaps:
        before, seen = seen, _look(disk, sweep)
        if {(gap.epoch, gap.n) for gap in seen.gaps} <= {(gap.epoch, gap.n) for gap in before.gaps}:
            break
    return seen


def _look(disk: Disk, sweep: PurePath) -> VisibleFiles:
    listed = [segment for name in disk.list(sweep / HOT) if (segment := parse_segment(name))]
    manifest = chain.newest(disk, sweep)
    return VisibleFiles(manifest=manifest, hot=live(listed, manifest), gaps=tuple(gaps(listed, manifest)))


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


def gaps(listed: Iterable[Segment], manifest: Manifest) -> Iterator[Gap]:
    """Yield where the run of each owner's segments breaks off before its seal, or before others that are there."""
    there: dict[int, list[Segment]] = {}
    for segment in sorted({*listed, *_set_aside(manifest)}):
        there.setdefault(segment.epoch, []).append(segment)
    for epoch in sorted({*there, *manifest.sealed}):
        last = manifest.sealed.get(epoch)
        numbers = {segment.n for segment in there.get(epoch, ())}
        n = manifest.hot_through.get(epoch, -1) + 1
        while n in numbers:
            n += 1
        behind = tuple(one for one in there.get(epoch, ()) if one.n > n and (last is None or one.n <= last))
        if behind or (last is not None and n <= last):
            end = min(one for one in numbers if one > n) if behind else (last or 0) + 1
            yield Gap(epoch=epoch, n=n, behind=behind, end=end, sealed=last is not None)


def _set_aside(manifest: Manifest) -> list[Segment]:
    return [segment for file in manifest.quarantined if (segment := parse_aside(file.name))]


MOST_LOST = 10**6
"""Segments that one gap can lack: those of two weeks."""


def holes(disk: Disk, sweep: PurePath, seen: VisibleFiles) -> list[Gap]:
    """The gaps among visible files before which something was acknowledged that is gone."""
    return [gap for gap in seen.gaps if gap.sealed or not _is_tail(disk, sweep, gap)]


def _is_tail(disk: Disk, sweep: PurePath, gap: Gap) -> bool:
    """Whether a power cut may have torn the last tick; not, where nobody can tell what belongs to it."""
    if isinstance(sweep, ObjectPath) or ran_since_this_boot(disk, sweep, gap.epoch):
        return False
    import pyarrow as pa  # noqa: PLC0415 - who reads a sound store does not pay for it

    from caviar.store.segment import first_of_tick  # noqa: PLC0415

    try:
        with disk.reading(sweep / gap.behind[-1].name) as file:
            first = first_of_tick(file)
    except (pa.ArrowException, OSError):
        return False
    return first is not None and first <= gap.n


def gap_name(gap: Gap) -> str:
    """Path within the sweep's folder of what is missing, as far as it is known."""
    return f"{HOT}/{gap.epoch:04d}-{gap.n:09d}"


def lost_names(gap: Gap) -> list[str]:
    """The names by which a manifest records the segments that are missing there.

    Raises:
        StoreError: They are more than anybody published: a number is wrong.
    """
    if gap.end - gap.n > MOST_LOST:
        wrong = gap.behind[0].name if gap.behind else "its manifest"
        raise StoreError(
            f"{gap.end - gap.n:,} segments would be missing from {gap_name(gap)}-… on: the number in {wrong} is wrong, "
            "so remove it, or restore the sweep from a copy."
        )
    return [f"{HOT}/{gap.epoch:04d}-{n:09d}-{LOST}.parquet" for n in range(gap.n, gap.end)]


def gap_words(gap: Gap) -> str:
    """Say what happened to what is missing, and what follows."""
    count = len(gap.behind)
    several = f"; the {count} segments that follow it are not shown"
    follow = {0: "", 1: "; the segment that follows it is not shown"}.get(count, several)
    return f"it was removed, or lost from the disk{follow}"


def gap_sentence(sweep: PurePath, gap: Gap) -> str:
    """Say what is missing, what follows, and what to type."""
    ref = sweep.name.removeprefix(SWEEP_PREFIX)
    return (
        f"sweep {ref} has no segment {gap_name(gap)}-… any more, which had been published ({gap_words(gap)}): restore "
        f"it from a copy, or type `caviar store check {ref} --skip-lost` to go on without its rows"
    )


def gone_sentence(sweep: PurePath, name: str) -> str:
    """The sentence for a file that the manifest names, and that is not there."""
    return (
        f"{sweep / name} was written and is gone: restore it from a copy, or type `caviar store check` to go on "
        "without its rows."
    )


def gone_error(disk: Disk, sweep: PurePath, seen: VisibleFiles) -> StoreError | None:
    """The error of a reader where a file that counts is not there, and was not merged away; None: all are there.

    Raises:
        OSError: The disk does not tell.
    """
    gone = next((name for name in seen.all_names() if not disk.exists(sweep / name)), None)
    return None if gone is None else StoreError(f"Cannot read the store: {gone_sentence(sweep, gone)}")


def need_whole(disk: Disk, sweep: PurePath, seen: VisibleFiles, there: Collection[PurePath] | None = None) -> None:
    """See that nothing is missing that was acknowledged, before anything is built upon what is left, or deleted.

    Args:
        disk: Where the sweep is.
        sweep: Its folder.
        seen: What counts.
        there: The files of data that are there, if they were listed before.

    Raises:
        StoreError: Something is; nothing was changed.
    """
    for gap in holes(disk, sweep, seen):
        raise StoreError(f"{gap_sentence(sweep, gap)}; nothing was changed.")
    for file in seen.manifest.files if there is not None else ():
        if sweep / file.name not in (there or ()):
            raise StoreError(gone_sentence(sweep, file.name))
