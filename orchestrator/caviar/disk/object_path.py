"""The path of an object: like a file's, and printed as its URI."""

from __future__ import annotations

from pathlib import PurePosixPath


class ObjectPath(PurePosixPath):
    """Such as s3://bucket/store/sweep=…/sweep.json; the folders above it are prefixes of its key."""

    def __str__(self) -> str:
        scheme, _, rest = super().__str__().partition(":/")
        return f"{scheme}://{rest.lstrip('/')}"

    @property
    def scheme(self) -> str:
        """s3 or gs."""
        return self.parts[0].rstrip(":")

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.parts[1]

    @property
    def key(self) -> str:
        """Path within the bucket; "" for the bucket itself."""
        return "/".join(self.parts[2:])
