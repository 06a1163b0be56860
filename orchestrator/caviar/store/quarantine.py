"""Setting damaged files aside: they do not count any more, so the rest can be read; nothing is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.store import manifest
from caviar.store import manifest as chain
from caviar.store.layout import LOST, QUARANTINE
from caviar.store.manifest import Quarantined
from caviar.store.visible_files import holes, lost_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePath

    from caviar.store.check import Finding
    from caviar.store.disk import Disk
    from caviar.store.manifest import Manifest
    from caviar.store.sweep_dir import SweepDir


def quarantine(sweep: SweepDir, findings: Iterable[Finding]) -> list[Quarantined]:
    """Let the damaged files count no more, then move them to `_quarantine`; beside a running owner too.

    Returns:
        The files that were set aside; those that ceased to count meanwhile are not among them.

    Raises:
        StoreError, OSError: The store cannot be read or written.
    """
    damaged = {finding.name: finding for finding in findings if finding.damaged}
    apart = [damaged.pop(name) for name in list(damaged) if damaged[name].table == "checkpoints"]
    return [*_from_manifest(sweep, damaged), *(_gone(one) for one in apart if _move(sweep.disk, sweep.path, one.name))]


def skip_lost(sweep: SweepDir) -> list[Quarantined]:
    """Give up segments that are gone, so that what follows them counts again; one that is restored counts, too.

    Raises:
        StoreError, OSError: The store cannot be read or written.
    """
    given_up: list[Quarantined] = []
    while True:
        seen = sweep.visible_files()
        gaps = holes(sweep.disk, sweep.path, seen)
        names = [name for gap in gaps for name in lost_names(gap)]
        gone = [Quarantined(table=LOST, name=name, rows=None, why="it was removed, or lost") for name in names]
        if not gone:
            return given_up
        if chain.append(sweep.disk, sweep.path, manifest.without(seen.manifest, gone)):
            given_up += gone


def _from_manifest(sweep: SweepDir, damaged: Mapping[str, Finding]) -> list[Quarantined]:
    while True:
        seen = sweep.visible_files()
        gone = [_gone(damaged[name]) for name in seen.all_names() if name in damaged]
        if not gone:
            return []
        after = manifest.without(seen.manifest, gone)
        if chain.append(sweep.disk, sweep.path, after):
            move_aside(sweep.disk, sweep.path, after)
            return gone


def move_aside(disk: Disk, sweep: PurePath, present: Manifest) -> None:
    """Move what a manifest has set aside, if it is still in its old place."""
    for file in present.quarantined:
        _move(disk, sweep, file.name)


def _move(disk: Disk, sweep: PurePath, name: str) -> bool:
    """Move a file, if it is there; no manifest names checkpoints, so that is all it takes."""
    if not disk.exists(sweep / name):
        return False
    disk.make_folder(sweep / QUARANTINE, within=sweep)
    disk.move(sweep / name, sweep / QUARANTINE / name.replace("/", "-"))
    return True


def _gone(finding: Finding) -> Quarantined:
    return Quarantined(table=finding.table, name=finding.name, rows=finding.rows, why=finding.what)
