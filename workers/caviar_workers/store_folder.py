"""The folders of a sweep's store, where the machine that trains sees them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from caviar_workers.checkpoint import is_visible
from caviar_workers.checkpoint_folder import CheckpointFolder

if TYPE_CHECKING:
    from caviar_workers.artifact import Artifact
    from caviar_workers.checkpoint import Save
    from caviar_workers.messages import Lease


class Folder(Protocol):
    """Where what trials keep is written."""

    def write(self, save: Save, source: Any) -> Save:
        """Write a checkpoint durably; returns it with its checksum."""
        ...

    def write_artifact(self, artifact: Artifact, source: Any) -> Artifact:
        """Write an artifact durably; returns it with its checksum and size."""
        ...


def folder_of(lease: Lease) -> Folder | None:
    """Where the trials of a lease write; None: this machine sees no such folder, or may not write to the bucket."""
    if "://" not in lease.checkpoints:
        seen = is_visible(lease.checkpoints)
        return CheckpointFolder(Path(lease.checkpoints), Path(lease.build), lease.id) if seen else None
    with suppress(ImportError, OSError):  # without the client, or credentials, the driver writes for us
        from caviar_workers.bucket_folder import BucketFolder  # noqa: PLC0415 - an extra, for those who use it

        return BucketFolder(lease.checkpoints, lease.build)
    return None
