"""A proxy before an S3 server, that fails when it is told to: before the request was done, or only the reply.

It also lets Google's dialect of the same requests through, of which a conditional put has a header of its own.
"""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked."""

    number: int
    """How many came before it, since the fault was set."""
    method: str
    path: str
    """Bucket, key and query."""
    conditional: bool
    """Whether it creates an object only if there is none."""


OWN, NONE = -1, 0
"""Replies that are no status: the server's own, and a closed connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with a request."""

    done: bool
    """Whether the server does its work all the same."""
    reply: int = NONE
    """A status, OWN or NONE."""
    late_s: float = 0.0
    """How long the reply waits."""


REFUSED = Fault(done=False, reply=503)
LOST = Fault(done=True)
DENIED = Fault(done=True, reply=503)


def slow(seconds: float) -> Fault:
    """The right reply, late."""
    return Fault(done=True, reply=OWN, late_s=seconds)


Faults = Callable[[Request], Fault | None]


def _no_fault(request: Request) -> Fault | None:
    return None


class FaultyProxy:
    """Serves on 127.0.0.1 until it is closed."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.faults: Faults = _no_fault
        self.seen: list[Request] = []
        self.struck = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Exchange)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def failing(self, faults: Faults) -> Iterator[None]:
        """Fail in the block as `faults` says."""
        with self._lock:
            self.faults, self.seen, self.struck = faults, [], 0
        try:
            yield
        finally:
            self.faults = _no_fault

    def fault(self, method: str, path: str, conditional: bool) -> Fault | None:
        with self._lock:
            request = Request(number=len(self.seen), method=method, path=path, conditional=conditional)
            self.seen.append(request)
        found = self.faults(request)  # which may itself make requests
        self.struck += found is not None
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


UNCHECKED = "AWS4-HMAC-SHA256 Credential=somebody/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
"""Who asks in Google's way is somebody to the server too, which verifies no signature."""

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: FaultyProxy


class _Exchange(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes, and the second would wait 40 ms

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        creates = "*" in (self.headers.get("If-None-Match"), self.headers.get("x-goog-if-generation-match") and "*")
        if creates:
            headers["if-none-match"] = "*"
        if not headers.get("authorization", "").startswith("AWS4"):
            headers["authorization"] = UNCHECKED
            path, mark, query = self.path.partition("?")
            self.path = urllib.parse.unquote(path) + mark + query
        fault = self.server.proxy.fault(self.command, self.path, creates) or Fault(done=True, reply=OWN)
        answer = self._ask(headers, body) if fault.done else (500, [], b"")
        time.sleep(fault.late_s)
        if fault.reply == OWN:
            self._reply(*answer)
        elif fault.reply == NONE:
            self.close_connection = True
        else:
            text = b"<Error><Code>MadeUp</Code></Error>"
            self._reply(fault.reply, [("Content-Type", "application/xml")], text)

    def _ask(self, headers: dict[str, str], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        self.upstream.request(self.command, self.path, body, headers)
        answer = self.upstream.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        length = str(len(body))
        for name, value in headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        self.upstream = http.client.HTTPConnection(self.server.proxy.host, self.server.proxy.port, timeout=30)
        try:
            with suppress(OSError):  # the client went away
                super().handle()
        finally:
            self.upstream.close()
