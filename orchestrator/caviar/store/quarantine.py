"""Setting damaged files aside: they do not count any more, so the rest can be read; nothing is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.store import chain, manifest
from caviar.store.layout import QUARANTINE
from caviar.store.manifest import Quarantined

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePath

    from caviar.disk import Disk
    from caviar.store.check import Finding
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
    while True:
        seen = sweep.snapshot()
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
        if disk.exists(sweep / file.name):
            disk.make_folder(sweep / QUARANTINE)
            disk.move(sweep / file.name, sweep / QUARANTINE / file.name.replace("/", "-"))


def _gone(finding: Finding) -> Quarantined:
    return Quarantined(table=finding.table, name=finding.name, rows=finding.rows, why=finding.what)
