"""What is missing is never taken for what was not written.

An owner publishes its segments in the order of their numbers, those of one tick at once. So where one is missing before
others, there are two cases. A power cut may have taken some of the last tick, which was not acknowledged: a *tail*, and
all of it counts for nothing. Or a segment was acknowledged and is gone: a *hole*, and whoever goes on, merges or ends
the sweep as if nothing was behind it would delete what is.

It is a tail only if all that follows is of the tick of what is missing, as each segment tells, if nobody sealed it, and
if the power may have failed: not in a bucket, and not while the computer of the owner has been running ever since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.disk.disk import ObjectPath
from caviar.store.layout import HOT, LOST, SWEEP_PREFIX
from caviar.store.owner import ran_since_this_boot

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import PurePath

    from caviar.store.disk import Disk
    from caviar.store.visible_files import Gap, VisibleFiles


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


def name_of(gap: Gap) -> str:
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
            f"{gap.end - gap.n:,} segments would be missing from {name_of(gap)}-… on: the number in {wrong} is wrong, "
            "so remove it, or restore the sweep from a copy."
        )
    return [f"{HOT}/{gap.epoch:04d}-{n:09d}-{LOST}.parquet" for n in range(gap.n, gap.end)]


def what(gap: Gap) -> str:
    """Say what happened to what is missing, and what follows."""
    count = len(gap.behind)
    several = f"; the {count} segments that follow it are not shown"
    follow = {0: "", 1: "; the segment that follows it is not shown"}.get(count, several)
    return f"it was removed, or lost from the disk{follow}"


def sentence(sweep: PurePath, gap: Gap) -> str:
    """Say what is missing, what follows, and what to type."""
    ref = sweep.name.removeprefix(SWEEP_PREFIX)
    return (
        f"sweep {ref} has no segment {name_of(gap)}-… any more, which had been published ({what(gap)}): restore it "
        f"from a copy, or type `caviar store check {ref} --skip-lost` to go on without its rows"
    )


def gone(sweep: PurePath, name: str) -> str:
    """The sentence for a file that the manifest names, and that is not there."""
    return (
        f"{sweep / name} was written and is gone: restore it from a copy, or type `caviar store check` to go on "
        "without its rows."
    )


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
        raise StoreError(f"{sentence(sweep, gap)}; nothing was changed.")
    for file in seen.manifest.files if there is not None else ():
        if sweep / file.name not in (there or ()):
            raise StoreError(gone(sweep, file.name))
