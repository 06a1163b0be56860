"""The files that trials keep, in a sweep's folder. Which there are, and their names, the table `artifacts` tells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from caviar.errors import StoreError
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import ARTIFACTS, build_folder
from caviar_workers.artifact import Artifact, is_name, parse_file
from caviar_workers.checkpoint import MOST_ATTEMPT, PIECE, crc
from caviar_workers.tables import arrays_of, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePath

    import pyarrow as pa

    from caviar.store.sweep_dir import SweepDir

_CHECKSUM = re.compile(r"[0-9a-f]{8}")


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


def rows_of(artifacts: Sequence[Artifact]) -> pa.Table:
    """The rows that tell of artifacts."""
    import pyarrow as pa  # noqa: PLC0415 — readers do not pay for it

    same = ("trial", "attempt", "number", "name", "step", "checksum")
    columns: dict[str, Any] = {name: [getattr(one, name) for one in artifacts] for name in same}
    columns |= {"time": [int(one.time * 1000) for one in artifacts], "bytes": [one.size for one in artifacts]}
    return pa.Table.from_arrays(arrays_of("artifacts", columns, len(artifacts)), schema=schema("artifacts"))


def write_carried_artifact(sweep: SweepDir, epoch: int, artifact: Artifact) -> None:
    """Publish an artifact that came with its bytes, unless another owner has claimed the sweep since.

    Raises:
        StoreError: It cannot be written.
    """
    path = sweep.path / ARTIFACTS / artifact.file

    def write(disk: Any) -> None:
        disk.make_folder(path.parent, within=sweep.path)
        with disk.stream(path, sweep.path / build_folder(epoch)) as file:
            file.write(artifact.data or b"")

    try:
        sweep.disk.whole(write)
    except OSError as error:
        raise store_error("write to", path.parent, error) from error


def newest_of(sweep: SweepDir, rows: Sequence[Mapping[str, Any]]) -> dict[str, KeptArtifact]:
    """Name → the newest artifact of that name of a trial, by name.

    Args:
        sweep: The sweep.
        rows: Those of the view `artifacts` that are of the trial; what nobody can have written there is passed over.
    """
    found = {}
    for row in sorted(filter(_sound, rows), key=lambda row: (row["attempt"], row["number"])):
        said = {name: row[name] for name in ("trial", "attempt", "number", "name", "checksum")}
        artifact = Artifact(**said, step=None, time=0.0)
        found[artifact.name] = KeptArtifact(
            name=artifact.name,
            attempt=artifact.attempt,
            bytes=row["bytes"],
            path=sweep.path / ARTIFACTS / artifact.file,
            checksum=artifact.checksum,
        )
    return dict(sorted(found.items()))


def _sound(row: Mapping[str, Any]) -> bool:
    numbers = [row[name] for name in ("trial", "attempt", "number", "bytes")]
    return (
        all(isinstance(one, int) and one >= 0 for one in numbers)
        and row["attempt"] < MOST_ATTEMPT
        and is_name(row["name"])
        and _CHECKSUM.fullmatch(row["checksum"] or "") is not None
    )


def copy_artifact(sweep: SweepDir, kept: KeptArtifact, target: IO[bytes]) -> None:
    """Write the bytes of an artifact into an open file, piece by piece.

    Raises:
        StoreError: It is damaged, or cannot be read.
    """
    total = size = 0
    try:
        with sweep.disk.reading(kept.path) as source:
            while size <= kept.bytes and (piece := source.read(PIECE)):
                total, size = crc(piece, total), size + len(piece)
                target.write(piece)
    except FileNotFoundError as error:
        raise StoreError(
            f"the artifact {kept.name!r} is not in the store: it is on its way while the sweep runs, or was removed"
        ) from error
    except OSError as error:
        raise store_error("read", kept.path, error) from error
    if (size, f"{total:08x}") != (kept.bytes, kept.checksum):
        raise StoreError(f"the artifact {kept.name!r} is damaged: caviar store check says what else is")


def damaged_artifacts(sweep: SweepDir) -> Iterator[tuple[str, str]]:
    """Path within the sweep's folder, and what is wrong, of each artifact that is not as it was written."""
    for trial in sweep.disk.list(sweep.path / ARTIFACTS):
        for file in sweep.disk.list(sweep.path / ARTIFACTS / trial):
            parsed = parse_file(file)
            if parsed is not None:
                found = _checksum(sweep, sweep.path / ARTIFACTS / trial / file)
                if found != parsed[2]:
                    yield f"{ARTIFACTS}/{trial}/{file}", f"its checksum is {found}, and was {parsed[2]}"


def _checksum(sweep: SweepDir, path: PurePath) -> str:
    total = 0
    with sweep.disk.reading(path) as source:
        while piece := source.read(PIECE):
            total = crc(piece, total)
    return f"{total:08x}"
