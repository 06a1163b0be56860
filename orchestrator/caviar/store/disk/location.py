"""From what a user types for a store to its path and its disk."""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from caviar.errors import SpecError, StoreError, to_install
from caviar.store.disk.disk import ObjectPath
from caviar.store.disk.posix import PosixDisk

if TYPE_CHECKING:
    from caviar.store.disk.disk import Disk

SCHEMES = ("s3", "gs")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}")
_PART = re.compile(r"[A-Za-z0-9!_.'()=-]+")


def is_uri(store: str | PurePath) -> bool:
    """Whether a store is named by a URI, not by a folder."""
    return isinstance(store, ObjectPath) or "://" in str(store)


def locate(store: str | PurePath) -> tuple[PurePath, Disk]:
    """The absolute path of a store, and the disk that it is on. Looks at no file and makes no request.

    Args:
        store: A folder, or s3://bucket/prefix, gs://bucket/prefix.

    Raises:
        SpecError: The URI breaks a rule.
        StoreError: What it needs is not installed, or there are no credentials.
    """
    if not is_uri(store):
        folder = _speakable(Path(store))
        return folder, PosixDisk(folder)
    path = object_path(str(store))
    return path, _object_disk(path)


def _speakable(path: Path) -> Path:
    """The absolute path, if a database can be told of it: text, without a backslash beside a pattern's characters."""
    if "\0" in str(path):
        raise SpecError(f"A path holds no NUL, but got {str(path)!a}: choose another with --store PATH")
    try:
        path = path.expanduser().resolve()
    except FileNotFoundError:  # the working folder was removed
        raise
    except (OSError, RuntimeError) as error:  # a loop of links, a user who is not there
        raise SpecError(f"The store's path {str(path)!a:.200} cannot be followed: {error}") from error
    text = str(path)
    if text != text.encode("utf-8", "replace").decode() or ("\\" in text and set("*?[") & set(text)):
        raise SpecError(
            f"A store's path is text in UTF-8, and has no backslash beside any of *?[, but got {text!a}: "
            "choose another with --store PATH"
        )
    return path


def object_path(uri: str) -> ObjectPath:
    """The path that a URI names.

    Raises:
        SpecError: It is of another scheme, has no bucket, or has what a store's URI must not have: above all,
            credentials. The sentence repeats none of these.
    """
    scheme, _, rest = uri.partition("://")
    bucket, *parts = rest.rstrip("/").split("/")
    if "@" in rest or "?" in rest or "#" in rest:
        raise SpecError(
            f"A store's URI is {scheme}://bucket/prefix and holds no credentials and no settings (@, ?, #): "
            "put them into the environment, as AWS_PROFILE or AWS_ENDPOINT_URL."
        )
    if scheme not in SCHEMES:
        raise SpecError(f"A store is a folder, s3://bucket/prefix or gs://bucket/prefix, but got {uri}")
    if not _BUCKET.fullmatch(bucket):
        raise SpecError(f"A bucket's name is of small letters, digits, dots and dashes, but got {bucket!r} in {uri}")
    for part in parts:
        if not _PART.fullmatch(part) or part in (".", ".."):
            raise SpecError(f"A prefix is of letters, digits and !_.'()=- between slashes, but got {part!r} in {uri}")
    return ObjectPath(f"{scheme}://{'/'.join([bucket, *parts])}")


def _object_disk(path: ObjectPath) -> Disk:
    try:
        from caviar.store.disk.bucket import Bucket  # noqa: PLC0415 - an extra, for those who use it

        bucket = Bucket(path)
    except ImportError as error:
        raise StoreError(
            f"A store at {path.scheme}:// needs the package {error.name}: type {to_install('boto3', 'obstore')}"
        ) from error
    except OSError as error:
        raise StoreError(f"Cannot open {path}: {error.strerror or error}.") from error
    from caviar.store.disk.cache import Cache, cache_folder  # noqa: PLC0415
    from caviar.store.disk.objects import ObjectDisk  # noqa: PLC0415

    return ObjectDisk(path, bucket, Cache(cache_folder(), bucket))
