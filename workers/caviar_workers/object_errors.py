"""What an object store answers, as OSErrors with the numbers that a file system would give."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_KIND = re.compile(r"kind: (Connect|Timeout|Interrupted|Request|Decode)")

BUSY = {"408", "409", "429", "500", "502", "503", "504"}
"""Answers after which the same request may well succeed: it was not done, or may be done again."""

BROKEN = {
    "Connect": (errno.ECONNREFUSED, "no connection to the object store"),
    "Timeout": (errno.ETIMEDOUT, "no answer from the object store in time"),
    "Interrupted": (errno.ECONNRESET, "the connection to the object store broke off"),
    "Request": (errno.ECONNRESET, "the connection to the object store broke off"),
    "Decode": (errno.ECONNRESET, "the connection to the object store broke off"),
}

LACKING = ("NoCredentials", "CredentialsNotLoaded", "InstanceCredentials", "metadata", "Received None")


def os_error(error: Exception, place: str) -> OSError:
    """The OSError that an error of `obstore` means.

    Its sentence has the answer's status and code, and nothing of the request: no header, no signature.

    Args:
        error: What was raised.
        place: URI of the object or the bucket, for the sentence.
    """
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        return error
    if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
        return FileNotFoundError(errno.ENOENT, "No such object", place)
    return OSError(*_meaning(str(error)), place)


def _meaning(text: str) -> tuple[int, str]:
    code = _found(_CODE, text)
    status = _found(_STATUS, text)
    kind = _found(_KIND, text)
    if code == "NoSuchBucket":
        return errno.ENODEV, "there is no such bucket"
    if status:
        return _number(status), f"the object store answered {status}{f' ({code})' if code else ''}"
    if kind in BROKEN:
        return BROKEN[kind]
    if any(word in text for word in LACKING):
        return errno.EACCES, "no credentials were found for the object store"
    return errno.EIO, f"the object store's client says: {text.partition(chr(10))[0]}"


def _number(status: str) -> int:
    if status in BUSY:
        return errno.EAGAIN
    return errno.EACCES if status in {"401", "403"} else errno.EIO


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def translated(place: str, do: Callable[[], object]) -> object:
    """Call, with errors of `obstore` turned into OSErrors."""
    from obstore.exceptions import BaseError  # noqa: PLC0415

    try:
        return do()
    except (BaseError, FileNotFoundError, ValueError) as error:
        raise os_error(error, place) from None  # its own text is long, and names the request
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Rust, which no class of Python's is above
            raise
        raise OSError(errno.EIO, f"the object store's client failed: {error}", place) from None
