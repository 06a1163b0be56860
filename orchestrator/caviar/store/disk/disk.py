"""The contract of a disk: all that the store asks of where its files are; and the path of an object."""

from __future__ import annotations

import errno
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path, PurePath

    from caviar_workers.backoff import Backoff


class ObjectPath(PurePosixPath):
    """Such as s3://bucket/store/sweep=…/sweep.json; the folders above it are prefixes of its key."""

    def __str__(self) -> str:
        scheme, _, rest = super().__str__().partition(":/")
        return f"{scheme}://{rest.lstrip('/')}"

    @property
    def scheme(self) -> str:
        """The scheme: s3 or gs."""
        return self.parts[0].rstrip(":")

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.parts[1]

    @property
    def key(self) -> str:
        """Path within the bucket; "" for the bucket itself."""
        return "/".join(self.parts[2:])


S = TypeVar("S")
T = TypeVar("T")

Bytes = Any
"""Anything with the buffer protocol: bytes, memoryview, pyarrow.Buffer."""

Kind = Literal["file", "folder", "link", "other"]
"""What a name stands for. No disk makes links, and none follows one within a store."""

STALE_S = 24 * 3600.0
"""Age in seconds at which what nobody finished counts as left by a crash."""

MOST_CHECKED = 256 * 2**20
"""Bytes of a file, at most, that is compared with its checksum before a query; others by merges, ends, checks."""


def too_large(path: PurePath, most: int) -> OSError:
    """The error for a file that should be small."""
    return OSError(errno.EINVAL, f"It is larger than {most:,} bytes, which no such file is", str(path))


class Disk(Protocol):
    """Files that are written once and never changed, and folders of them.

    Contract. `publish` and `create` are atomic and durable: when they return, the file is whole and survives
    a power cut; when they raise, the final name was not written, or was written whole (the reply may be what
    was lost). What is unfinished is hidden: its name begins with a dot and does not end in `.parquet`. Any
    process may list and read while another one publishes. What fails for a moment is tried again, within the
    limits of its `Backoff`, with the same bytes under the same name. No path within the store leads through a link:
    that is an OSError (ELOOP), and `delete` leaves whatever is no file. All methods raise OSError; the callers turn it
    into a sentence. Paths are absolute, and `pathlib` works on them.
    """

    def each(self, do: Callable[[S], T], things: Iterable[S]) -> Sequence[T]:
        """Call for each thing, as many at once as the disk serves well; the results in order, or the first error."""
        ...

    def with_backoff(self, backoff: Backoff) -> Self:
        """Return the same disk with other pauses between repeated calls."""
        ...

    def whole(self, do: Callable[[Self], T]) -> T:
        """Do several calls as one, on the disk handed over: all is done anew where one of them fails for a moment."""
        ...

    def publish(self, files: Sequence[tuple[PurePath, Bytes]]) -> None:
        """Show files in the given order; a cut leaves some of them, each one whole. Their folders are there."""
        ...

    def create(self, path: PurePath, data: Bytes) -> None:
        """Publish a file unless its name is taken: FileExistsError then, and nothing is changed."""
        ...

    def stream(self, path: PurePath, build: PurePath | None = None) -> AbstractContextManager[IO[bytes]]:
        """Write a file piece by piece; it is published when the block ends.

        It vanishes when the block raises, and the end of the block raises when another process removed
        the folder `build`, if one is given, before it. (In an object store, the removal may lose a race by the
        time of a request:
        a whole file is shown then.)
        """
        ...

    def publish_folder(self, path: PurePath, files: Sequence[tuple[str, Bytes]], folders: Sequence[str]) -> None:
        """Show a folder with files (path within it, content) and empty folders in it: whole or not at all.

        FileExistsError when its name is taken.
        """
        ...

    def remove_folder(self, path: PurePath) -> None:
        """Let a folder vanish, durably and at once, then delete what it holds."""
        ...

    def folders(self, parent: PurePath) -> list[str]:
        """Names of the folders that `publish_folder` showed there, and others that hold something; sorted."""
        ...

    def clear_folders(self, parent: PurePath, form: re.Pattern[str], ours: Callable[[PurePath], bool]) -> None:
        """Delete what crashes left of showing folders (after a day) and of removing them.

        Args:
            parent: The folder above them.
            form: Of their names, whole; of others nothing is deleted.
            ours: Whether all that a folder holds, which may have another name meanwhile, may be deleted.
        """
        ...

    def make_folder(self, *paths: PurePath, within: PurePath | None = None) -> None:
        """Create folders and those above them, durably; they may be there already.

        Of a folder `within`, only what is below it is created: FileNotFoundError when it is not there itself, so
        that nobody brings back in part what another process removed.
        """
        ...

    def delete_folder(self, path: PurePath) -> None:
        """Delete a folder and all below it, as far as possible."""
        ...

    def sync_folder(self, folder: PurePath) -> None:
        """Make durable what any process did to the names in a folder."""
        ...

    def rename(self, old: PurePath, new: PurePath) -> None:
        """Rename a file within its folder, durably. At every moment one of the names is there, perhaps both."""
        ...

    def move(self, old: PurePath, new: PurePath) -> None:
        """Move a file to another folder; at every moment at least one of the names is durable."""
        ...

    def list(self, folder: PurePath, *, hidden: bool = False) -> list[str]:
        """Names of the files and folders in a folder, sorted; none when it does not exist."""
        ...

    def kinds(self, folder: PurePath) -> dict[str, Kind]:
        """Name → what it stands for, of all names in a folder, hidden ones too; none when it does not exist."""
        ...

    def sizes(self, folder: PurePath) -> dict[str, int]:
        """Name → bytes of the files in a folder, those of unfinished ones too."""
        ...

    def read(self, path: PurePath, *, most: int | None = None) -> bytes:
        """Return the whole file. OSError, at once, when it is no file (a pipe, a device) or has more than `most`
        bytes.
        """
        ...

    def reading(self, path: PurePath) -> IO[bytes]:
        """Open the file, to be read in pieces; OSError, at once, when it is no file."""
        ...

    def exists(self, path: PurePath) -> bool:
        """Return whether a file of that name is there; OSError when that cannot be told."""
        ...

    def is_file(self, path: PurePath) -> bool:
        """Return whether a file, and no folder, is there."""
        ...

    def local(self, files: Sequence[tuple[PurePath, str]], *, most: int = MOST_CHECKED) -> Sequence[Path]:
        """Return files of this computer with the same content as some files, for code that reads by itself, as DuckDB
        does.

        Args:
            files: Path and checksum ("" when none was recorded) of each. A file is compared with it before
                this process first reads it.
            most: Bytes beyond which a file is not compared.

        Raises:
            StoreError: One was changed.
            OSError: One cannot be read; FileNotFoundError when it is gone.
        """
        ...

    def local_folder(self, folder: PurePath) -> Path:
        """Return where `local` has the files of a folder and of those below."""
        ...

    def scratch(self, build: PurePath) -> AbstractContextManager[Path]:
        """A folder of this computer for what is too large for the memory; `build` itself, where that is one."""
        ...

    def size(self, path: PurePath) -> int:
        """Return the bytes of a file."""
        ...

    def written(self, path: PurePath) -> float:
        """Return when a file was last written, in seconds by the store's clock."""
        ...

    def delete(self, paths: Iterable[PurePath], *, durable: bool = False) -> None:
        """Delete files; those that are gone already do no harm. Without `durable`, a power cut may bring them back."""
        ...

    def touch(self, path: PurePath) -> None:
        """Set the file's time to now: a sign of life."""
        ...

    def now(self) -> float:
        """Seconds since 1970, by the store's clock."""
        ...

    def age_s(self, path: PurePath) -> float:
        """Seconds since the file was written or touched, by the store's clock."""
        ...
