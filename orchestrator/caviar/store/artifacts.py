"""The files that trials keep, in a sweep's folder. A name is a line in the file, and never part of a path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.disk.checksum import checksum
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import ARTIFACTS, build_folder
from caviar_workers.artifact import MOST_BYTES, MOST_HEAD, Artifact, parse_file, parse_head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePath

    from caviar.store.disk import Disk
    from caviar.store.sweep_dir import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptArtifact:
    """An artifact that is in the store.

    Attributes:
        name: what the user calls it.
        attempt: which attempt kept it.
        bytes: its size.
        path: its file.
        checksum: of the file, in hex.
    """

    name: str
    attempt: int
    bytes: int
    path: PurePath
    checksum: str


def write_artifact(sweep: SweepDir, epoch: int, artifact: Artifact) -> None:
    """Publish an artifact, unless another owner has claimed the sweep since.

    Raises:
        StoreError: It cannot be written.
    """
    path = sweep.path / ARTIFACTS / artifact.file

    def write(disk: Disk) -> None:
        disk.make_folder(path.parent, within=sweep.path)
        with disk.stream(path, sweep.path / build_folder(epoch)) as file:
            file.write(artifact.content)

    try:
        sweep.disk.whole(write)
    except OSError as error:
        raise store_error("write to", path.parent, error) from error


def artifacts_of(sweep: SweepDir, trial: int) -> dict[str, KeptArtifact]:
    """Name → the newest artifact of that name of a trial, by name.

    Raises:
        StoreError: They cannot be listed.
    """
    folder = sweep.path / ARTIFACTS / str(trial)
    try:
        found = {one.name: one for one in _kept(sweep.disk, folder)}  # the newest comes last
    except OSError as error:
        raise store_error("read", folder, error) from error
    return dict(sorted(found.items()))


def _kept(disk: Disk, folder: PurePath) -> Iterator[KeptArtifact]:
    sizes = disk.sizes(folder) if disk.list(folder) else {}
    for file in sorted(sizes, key=lambda one: parse_file(one) or (0, 0, "")):
        parsed = parse_file(file)
        if parsed is None:
            continue
        with disk.reading(folder / file) as source:
            head = source.readline(MOST_HEAD)
        name = parse_head(head)
        if name is not None:
            size = sizes[file] - len(head)
            yield KeptArtifact(name=name, attempt=parsed[0], bytes=size, path=folder / file, checksum=parsed[2])


def read_artifact(sweep: SweepDir, kept: KeptArtifact) -> bytes:
    """The bytes of an artifact.

    Raises:
        StoreError: It is damaged, or cannot be read.
    """
    try:
        content = sweep.disk.read(kept.path, most=MOST_BYTES + MOST_HEAD)
    except OSError as error:
        raise store_error("read", kept.path, error) from error
    if checksum(content) != kept.checksum:
        raise StoreError(f"the artifact {kept.name!r} is damaged: caviar store check says what else is")
    return content.partition(b"\n")[2]


def damaged_artifacts(sweep: SweepDir) -> Iterator[tuple[str, str]]:
    """Path within the sweep's folder, and what is wrong, of each artifact that is not as it was written."""
    for trial in sweep.disk.list(sweep.path / ARTIFACTS):
        for file in sweep.disk.list(sweep.path / ARTIFACTS / trial):
            parsed = parse_file(file)
            if parsed is not None:
                found = checksum(sweep.disk.read(sweep.path / ARTIFACTS / trial / file, most=MOST_BYTES + MOST_HEAD))
                if found != parsed[2]:
                    yield f"{ARTIFACTS}/{trial}/{file}", f"its checksum is {found}, and was {parsed[2]}"
