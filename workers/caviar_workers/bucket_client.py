"""The client of a bucket of S3 or Google Cloud, with credentials and endpoint where the environment says.

Imported where a URI is used: it needs `obstore`, of the extra `cloud`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.store import GCSStore, S3Store

from caviar_workers.object_errors import translated

REQUEST_S, CONNECT_S = 30.0, 3.0
"""Seconds for a request, its whole answer included, and for a connection."""

PART = 16 * 2**20
"""Bytes of a part; larger objects are uploaded in parts, and appear when all parts are there, and are read in parts:
no request takes longer because an object is large.
"""


def client_of(scheme: str, bucket: str) -> Any:
    """The client of a bucket; makes no request.

    Args:
        scheme: s3 or gs.
        bucket: Its name.

    Raises:
        OSError: There are no credentials.
    """
    options: dict[str, Any] = {
        "timeout": timedelta(seconds=REQUEST_S),
        "connect_timeout": timedelta(seconds=CONNECT_S),
        "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true"),
    }
    settings: dict[str, Any] = {"client_options": options, "retry_config": {"max_retries": 0}}  # ours to try again
    if scheme == "gs":
        return translated(f"gs://{bucket}", lambda: GCSStore(bucket, **settings))
    _check_endpoint()
    settings |= _aws()
    return translated(f"s3://{bucket}", lambda: S3Store(bucket, **settings))


def parts_of(
    client: Any, key: str, call: Callable[[Callable[[], Any]], Any], check: Callable[[int], None] = lambda size: None
) -> Iterator[Any]:
    """The content of an object, part by part.

    Args:
        client: Of its bucket.
        key: Its key.
        call: Makes each request, and repeats it as may be.
        check: Told the object's bytes before they are read; what it raises is raised.
    """

    def begin() -> tuple[int, Any]:
        found = obstore.get(client, key)
        size = found.meta["size"]
        check(size)
        return size, found.bytes() if size <= PART else None

    size, whole = call(begin)
    if whole is not None:
        yield whole
        return
    for start in range(0, size, PART):
        yield call(partial(obstore.get_range, client, key, start=start, end=min(start + PART, size)))


ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
"""Variables that say where a server of the S3 protocol is, if that is not AWS."""


def _check_endpoint() -> None:
    """Refuse an address that is none: the client would end the process.

    Raises:
        OSError: It has no scheme, no host or no port that is a number.
    """
    for name in ENDPOINTS:
        value = os.environ.get(name, "")
        try:
            parts = urlsplit(value)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            sound = False
        if value and (not sound or not value.isprintable() or " " in value):
            raise OSError(
                errno.EINVAL, f"{name} must be an address such as https://host:9000, got {value.rpartition('@')[2]!r}"
            )


KNOWN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_SKIP_SIGNATURE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
"""Variables that say where AWS's credentials are."""


def _aws() -> dict[str, Any]:
    """Nothing if the environment has the credentials; otherwise where AWS's own files and services have them."""
    if any(os.environ.get(name) for name in KNOWN):
        return {}
    import boto3  # noqa: PLC0415 - a fifth of a second, for those who need it
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415

    try:
        return {"credential_provider": Boto3CredentialProvider(boto3.Session())}
    except ValueError:
        where = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        raise OSError(errno.EACCES, f"no credentials were found for s3 ({where})") from None
    except BotoCoreError as error:  # a profile that is not there, a file that is none of AWS's
        raise OSError(errno.EINVAL, f"AWS's settings cannot be used ({error})") from None
