"""The folders of a sweep in a bucket, as a worker that may write or read there does."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from typing import IO, Any, TypeVar

import obstore

from caviar_workers.artifact import FOLDER as ARTIFACTS
from caviar_workers.artifact import Artifact
from caviar_workers.backoff import Backoff
from caviar_workers.bucket_client import PART, client_of, parts_of
from caviar_workers.checkpoint import BORNE, DESCRIPTION, Save, completed, summed
from caviar_workers.object_errors import translated

T = TypeVar("T")
BUILD_MARK = ".folder"
"""The object that says that a folder is there, as the driver writes it."""


class BucketFolder:
    """Writes what the trials of one lease keep; as `CheckpointFolder`, but for what a bucket lacks: a rename.

    An object appears whole. That the driver's build folder is there is looked at before and after: so one that a
    successor might take for its own is shown for the time of a request at most.

    Args:
        shown: URI of the folder of checkpoints.
        build: URI of the driver's build folder. Its successor removes it.

    Raises:
        OSError: There are no credentials, or the bucket cannot be reached.
    """

    def __init__(self, shown: str, build: str) -> None:
        scheme, _, rest = shown.partition("://")
        self._bucket, _, self._shown = rest.partition("/")
        self._build = build.partition("://")[2].partition("/")[2]
        self._uri = f"{scheme}://{self._bucket}"
        self._client = client_of(scheme, self._bucket)
        self._check(Backoff())

    def write(self, save: Save, source: Any) -> Save:
        """Write a checkpoint; returns it with its checksum. Errors as of `CheckpointFolder`."""
        total, _ = summed(source)
        done = completed(save, checksum=f"{total:08x}", data=None)
        self._write(f"{self._shown}/{done.name}", source)
        return done

    def write_artifact(self, artifact: Artifact, source: Any) -> Artifact:
        """Write an artifact; likewise."""
        total, size = summed(source)
        done = artifact.completed(checksum=f"{total:08x}", size=size, data=None)
        self._write(f"{self._shown.rpartition('/')[0]}/{ARTIFACTS}/{done.file}", source)
        return done

    def _write(self, key: str, source: Any) -> None:
        self._check(BORNE)
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._call(BORNE, key, lambda: self._put(key, memoryview(source)))
        else:
            with open(source, "rb") as file:
                self._call(BORNE, key, lambda: self._put(key, file))
        try:
            self._check(BORNE)
        except FileNotFoundError:  # the name has our attempt: nobody else can mean this object
            self._call(BORNE, key, lambda: obstore.delete(self._client, key))
            raise

    def _put(self, key: str, content: memoryview | IO[bytes]) -> None:
        if not isinstance(content, memoryview):
            content.seek(0)
        obstore.put(self._client, key, content, chunk_size=PART, max_concurrency=4)

    def _check(self, backoff: Backoff) -> None:
        """See that the driver owns the sweep."""
        mark = f"{self._build}/{BUILD_MARK}"
        try:
            self._call(backoff, mark, lambda: obstore.head(self._client, mark))
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, "another process has taken the sweep over", self._uri) from None

    def _call(self, backoff: Backoff, key: str, do: Callable[[], T]) -> T:
        return _called(backoff, f"{self._uri}/{key}", do)


def is_there(folder: str) -> bool:
    """Whether the folder of a sweep's checkpoints can be read from here; beside it is the sweep's description.

    Raises:
        OSError: There are no credentials, the bucket cannot be reached, or it may not be read.
    """
    client, key = _place_of(f"{folder.rpartition('/')[0]}/{DESCRIPTION}")
    _called(BORNE, folder, lambda: obstore.head(client, key))
    return True


def get(uri: str) -> bytes:
    """The whole object.

    Raises:
        OSError: It is not there, or cannot be read.
    """
    client, key = _place_of(uri)
    content = io.BytesIO()
    content.writelines(parts_of(client, key, lambda do: _called(BORNE, uri, do)))
    return content.getvalue()


def _place_of(uri: str) -> tuple[Any, str]:
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    return client_of(scheme, bucket), key


def _called(backoff: Backoff, place: str, do: Callable[[], T]) -> T:
    found: Any = backoff.call(lambda again: translated(place, do))
    return found  # type: ignore[no-any-return]
