"""A bucket for a test, on a server that may be made to fail."""

from __future__ import annotations

import http.client
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from faulty_proxy import FaultyProxy

SECRET = "open-sesame-4f1c9d2e7b60"
"""The key that all tests use; what we write must not hold it."""


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, int]]:
    """Host and port of an S3 server that never fails."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("s3_server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    host, port = server.stdout.readline().split()
    yield host, int(port)
    server.stdin.close()
    server.wait(timeout=20)
    server.stdout.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudBucket:
    """A bucket, and the proxy on the way to it."""

    name: str
    proxy: FaultyProxy
    server: tuple[str, int]

    @property
    def uri(self) -> str:
        """Of a store that is not there yet."""
        return f"s3://{self.name}/some/store"

    def objects(self) -> dict[str, bytes]:
        """Key → content of all that is there, asked of the server itself."""
        from xml.etree import ElementTree

        listed = self._get(f"/{self.name}?list-type=2&max-keys=100000")
        keys = [node.text or "" for node in ElementTree.fromstring(listed).iter() if node.tag.endswith("}Key")]
        return {key: self._get(f"/{self.name}/{key}") for key in keys}

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(*self.server, timeout=30)
        connection.request("GET", path)
        content = connection.getresponse().read()
        connection.close()
        return content


@pytest.fixture
def cloud(s3_server: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudBucket]:
    """A bucket of the test's own; the environment leads to it."""
    proxy = FaultyProxy(*s3_server)
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    for variable, value in {
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": proxy.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CAVIAR_CACHE": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(variable, value)
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)
    connection = http.client.HTTPConnection(*s3_server, timeout=30)
    connection.request("PUT", f"/{name}")
    assert connection.getresponse().status == 200
    connection.close()
    yield CloudBucket(name=name, proxy=proxy, server=s3_server)
    proxy.close()
