"""Checkpoints: bytes of the user's, in the store whole or not at all, with a checksum. We never look into them.

A worker that sees the store's folder writes there itself; else the bytes travel with the lease's reports, and the
driver writes them. Either way the driver hears of a checkpoint after the rows that were reported before it.
"""

from __future__ import annotations

import errno
import math
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from caviar_workers.backoff import OUTAGE_S, ROOM_S, Backoff
from caviar_workers.trial_folder import write_data

PIECE = 2**20

DESCRIPTION = "sweep.json"
"""A sweep's description, beside the folder of its checkpoints."""

BORNE = Backoff(most_s=OUTAGE_S, full_s=ROOM_S)
"""What a trial's save bears, as its driver does: an outage may not be what a trial fails for."""

MOST_STEP = 2**63 - 1
MOST_ATTEMPT = 2**15 - 1
"""What a column of the store holds."""
_NAME = re.compile(r"([0-9]+)-([0-9]+)-([0-9]+)-([0-9a-f]{16})-([0-9a-f]{8})\.checkpoint")


class Checkpoint(NamedTuple):
    """A checkpoint: the step and the data that were saved."""

    step: int
    """The last step that is in it; the next one to train is this + 1."""
    data: bytes
    """As they were saved; a folder is a tar of it."""

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write it as it was saved: a file, or a folder, which must not be there.

        Raises:
            OSError: It cannot be written.
        """
        write_data(self.data, Path(path))


class Restored(Checkpoint):
    """The answer of `trial.load()`, a pair (step, data): the checkpoint to go on from."""

    folder: Callable[[], Path]
    """Gives the trial's scratch folder."""

    @property
    def path(self) -> Path:
        """What was saved, as a file or a folder of the trial's own; written when it is first asked for."""
        path = self.folder() / f"checkpoint-{self.step}"
        if not path.exists():
            self.write(path)
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """A checkpoint that was written, or travels to be written."""

    trial: int
    attempt: int
    step: int
    rows: int
    """Rows that its attempt had reported before: it may be restored when all these are published."""
    value: float
    """The sweep's metric in the last of them; NaN: it was not reported there."""
    checksum: str
    """CRC-32 of the bytes, eight hex digits."""
    data: bytes | None = None
    """The bytes; None: they are in the store already."""

    @property
    def name(self) -> str:
        """Path within the folder of checkpoints; all but the bytes can be read from it."""
        value = struct.pack(">d", self.value).hex()
        return f"{self.trial}/{self.attempt:04d}-{self.step:019d}-{self.rows:010d}-{value}-{self.checksum}.checkpoint"


def parse_save(trial: int, file_name: str) -> Save | None:
    """The checkpoint of a name in the folder of a trial; None for any other file."""
    found = _NAME.fullmatch(file_name)
    if found is None:
        return None
    value = struct.unpack(">d", bytes.fromhex(found[4]))[0]
    attempt, step, rows = map(int, found.groups()[:3])
    if attempt >= MOST_ATTEMPT or max(step, rows) > MOST_STEP:
        return None  # nobody can have written it
    return Save(trial=trial, attempt=attempt, step=step, rows=rows, value=value, checksum=found[5])


def crc(data: bytes, before: int = 0) -> int:
    """CRC-32 of bytes, after those before."""
    return zlib.crc32(data, before)


def pieces(source: Any) -> Iterator[bytes]:
    """The bytes themselves, or those of a file, piece by piece.

    Raises:
        TypeError: It is neither bytes nor a path.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield bytes(source)
        return
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(
            f"a checkpoint is bytes or the path of a file or a folder, but save() got {source!r:.60}: make bytes of "
            "it, by json.dumps(…).encode(), pickle.dumps(…), or torch.save into trial.path"
        )
    with _opened(source) as file:
        while piece := file.read(PIECE):
            yield piece


def _opened(source: str | os.PathLike[str]) -> IO[bytes]:
    try:
        return open(source, "rb")
    except (OSError, ValueError) as error:
        if os.path.lexists(str(source).replace("\0", "")):
            raise
        word = "text means the path of a file, and there is none; text itself is kept as text.encode()"
        raise FileNotFoundError(errno.ENOENT, word, source) from error


def summed(source: Any) -> tuple[int, int]:
    """CRC-32 and number of all bytes of a source; errors as of `pieces`."""
    total = size = 0
    for piece in pieces(source):
        total, size = crc(piece, total), size + len(piece)
    return total, size


def is_visible(folder: str) -> bool:
    """Whether this machine sees the folder of a sweep's checkpoints; beside it is the sweep's description."""
    return bool(folder) and BORNE.call(lambda again: Path(folder).with_name(DESCRIPTION).is_file())


def carried(save: Save, source: Any) -> Save:
    """The checkpoint with its bytes, for the driver to write."""
    data = b"".join(pieces(source))
    return completed(save, checksum=f"{crc(data):08x}", data=data)


def completed(save: Save, *, checksum: str, data: bytes | None) -> Save:
    """The checkpoint with what is known once its bytes were read."""
    return Save(
        trial=save.trial,
        attempt=save.attempt,
        step=save.step,
        rows=save.rows,
        value=save.value if math.isfinite(save.value) else math.nan,
        checksum=checksum,
        data=data,
    )
