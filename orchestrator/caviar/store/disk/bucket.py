"""The requests to one bucket: each repeated while its error may pass, and of the same effect if done twice.

Imported where a URI is used: it needs `obstore`, of the extra `cloud`.
"""

from __future__ import annotations

import copy
import errno
import hashlib
import io
import os
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import S3Store

from caviar.store.disk.disk import too_large
from caviar_workers.backoff import Backoff
from caviar_workers.bucket_client import PART, client_of, parts_of
from caviar_workers.object_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from caviar.store.disk.disk import Bytes, ObjectPath

T = TypeVar("T")

MOST_DELETED = 1000


class Bucket:
    """One bucket of an S3 or Google Cloud store. All methods raise OSError, and may be called from any thread."""

    backoff = Backoff()

    def __init__(self, path: ObjectPath) -> None:
        """Find credentials and endpoint where the environment says, or in AWS's own files; makes no request.

        Raises:
            OSError: There are no credentials.
        """
        self.uri = f"{path.scheme}://{path.bucket}"
        self._client = client_of(path.scheme, path.bucket)
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        self.fingerprint = hashlib.sha256(f"{self.uri} {endpoint}".encode()).hexdigest()[:16]
        """Of the bucket and where it is."""

    def with_backoff(self, backoff: Backoff) -> Self:
        """Return the same bucket with other pauses between repeated calls."""
        other = copy.copy(self)
        other.backoff = backoff
        return other

    def put(self, key: str, data: Bytes) -> None:
        """Write an object, whether or not there is one, in one request."""
        self._call(key, lambda again: obstore.put(self._client, key, _bytes(data), use_multipart=False))

    def create(self, key: str, data: Bytes) -> None:
        """Write an object unless there is one: FileExistsError then."""
        content = bytes(_bytes(data))

        def request(again: bool) -> None:
            try:
                obstore.put(self._client, key, content, mode="create")
            except AlreadyExistsError:
                found = self._peek(key)
                if found is None:  # refused for another write that was going on, and came to nothing
                    raise OSError(errno.EAGAIN, "another write is going on", f"{self.uri}/{key}") from None
                if not again or found != content:  # otherwise it is our own, whose reply was lost
                    raise FileExistsError(errno.EEXIST, "Object exists", f"{self.uri}/{key}") from None

        self._call(key, request)

    def upload(self, key: str, file: IO[bytes]) -> None:
        """Write an object from an open file, from its beginning; it appears when it is whole."""

        def request(again: bool) -> None:
            file.seek(0)
            obstore.put(self._client, key, file, chunk_size=PART, max_concurrency=4)

        self._call(key, request)

    def get(self, key: str, most: int | None = None) -> bytes:
        """The whole object; OSError when it has more than `most` bytes."""
        file = io.BytesIO()
        file.writelines(self._parts(key, most))
        return file.getvalue()

    def download(self, key: str, file: IO[bytes]) -> None:
        """Write an object's content into an open, empty file."""
        file.writelines(self._parts(key))

    def _parts(self, key: str, most: int | None = None) -> Iterator[Bytes]:
        def check(size: int) -> None:
            if most is not None and size > most:
                raise too_large(PurePath(key), most)

        return parts_of(self._client, key, lambda do: self._call(key, lambda again: do()), check)

    def head(self, key: str) -> tuple[int, datetime]:
        """Bytes of an object, and when it was written, by the store's clock."""
        found: Any = self._call(key, lambda again: obstore.head(self._client, key))
        return found["size"], found["last_modified"]

    def list(self, folder: str) -> tuple[dict[str, int], Sequence[str]]:
        """Name → bytes of the objects in a folder, and the names of the folders in it."""
        found: Any = self._call(folder, lambda again: obstore.list_with_delimiter(self._client, folder or None))
        objects = {one["path"].rpartition("/")[2]: int(one["size"]) for one in found["objects"]}
        return objects, [prefix.rstrip("/").rpartition("/")[2] for prefix in found["common_prefixes"]]

    def keys(self, folder: str) -> Sequence[str]:
        """Keys of all objects in a folder and those below it."""
        found: Any = self._call(folder, lambda again: obstore.list(self._client, folder, chunk_size=1000).collect())
        return [one["path"] for one in found]

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are gone already do no harm."""
        waiting = list(keys)
        if isinstance(self._client, S3Store):
            for start in range(0, len(waiting), MOST_DELETED):
                some = waiting[start : start + MOST_DELETED]
                self._call(some[0], lambda again, some=some: obstore.delete(self._client, some))  # type: ignore[misc]
            return
        for key in waiting:  # elsewhere, one that is gone is an error
            try:
                self._call(key, lambda again, key=key: obstore.delete(self._client, key))  # type: ignore[misc]
            except FileNotFoundError:
                continue

    def _peek(self, key: str) -> bytes | None:
        try:
            return self.get(key)
        except FileNotFoundError:
            return None

    def _call(self, key: str, do: Callable[[bool], T]) -> T:
        place = f"{self.uri}/{key}"
        found: Any = self.backoff.call(lambda again: translated(place, lambda: do(again)))
        return found  # type: ignore[no-any-return]


def _bytes(data: Bytes) -> Bytes:
    return data if isinstance(data, bytes) else memoryview(data).cast("B")
