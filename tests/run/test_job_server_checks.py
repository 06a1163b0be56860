"""A job server that is not there, wants a token, takes another one, or is none: each has its own sentence."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from caviar.run.health import Check, Health
from caviar.run.job_server_checks import Answer, in_words, job_server_checks, shown_token


def looked(address: str) -> Check:
    (told,) = job_server_checks(address, "2.60.0")
    return told


class Handler(BaseHTTPRequestHandler):
    """Answers as Ray's job server does, to who shows `right`."""

    body = b'{"ray_version": "2.60.0"}'

    def do_GET(self) -> None:
        shown = self.headers.get("Authorization")
        self.send_response({None: 401, "Bearer right": 200}.get(shown, 403))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_token_is_shown_to_no_other_server(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "right")
    shown: list[str | None] = []

    class Elsewhere(Handler):
        def do_GET(self) -> None:
            shown.append(self.headers.get("Authorization"))
            self.send_response(302)
            self.send_header("Location", server)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as pointing:
        thread = threading.Thread(target=pointing.handle_request, daemon=True)
        thread.start()
        told = looked(f"http://127.0.0.1:{pointing.server_port}")
        thread.join()
    assert shown == ["Bearer right"]
    assert told.health == Health.FAILED, "where it points at was asked, and took the token"


@pytest.mark.parametrize(
    ("token", "words"),
    [("", "asks for a token, and this machine has none"), ("wrong", "does not take the token in RAY_AUTH_TOKEN")],
)
def test_no_token_and_a_wrong_one_are_told_apart(
    server: str, token: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    told = looked(server)
    assert told.health == Health.FAILED
    assert words in told.found
    assert "export RAY_AUTH_TOKEN=TOKEN" in told.advice
    assert "wrong" not in told.found + told.advice, "the token itself"


def test_with_the_token_all_is_well(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    (tmp_path / "token").write_text("right\n")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    assert looked(server).health == Health.OK
    assert shown_token() == ("right", "RAY_AUTH_TOKEN_PATH")


@pytest.mark.parametrize("body", [b"<!doctype html><title>x</title>", b"[1]", b"\xff", b'{"version": 1}'])
def test_a_web_server_that_is_another_is_called_so(server: str, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "right")
    monkeypatch.setattr(Handler, "body", body)
    told = looked(server)
    assert (told.health, "a web server answers" in told.found) == (Health.FAILED, True)


def test_nobody_there_and_no_web_server_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "no job server answers" in looked(f"http://127.0.0.1:{port}").found
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(2**16)
            connection.sendall(b"\0\0\6\4\0\0\0\0\0")  # as HTTP/2 begins, which gRPC speaks
            connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        told = looked(f"http://127.0.0.1:{port}")
        thread.join()
    assert "is no web server" in told.found
    assert f"--address 127.0.0.1:{port}" in told.advice


@pytest.mark.parametrize("address", ["http://", "http:///x", "http://h:8265/api", "http://h?x=1", "http://me@h:8265"])
def test_an_address_that_is_none_is_not_asked(address: str) -> None:
    assert "a job server's address is http://host:8265" in looked(address).found


@pytest.mark.parametrize(
    ("answer", "health", "words"),
    [
        (Answer(status=200, said={"ray_version": "2.60.0"}), Health.OK, "answers with Ray 2.60.0"),
        (Answer(status=200, said={"ray_version": "2.55.0"}), Health.WARNING, "has Ray 2.55.0, this environment 2.60.0"),
        (Answer(status=200, said={}), Health.FAILED, "no job server of Ray's"),
        (Answer(status=404, said={}), Health.FAILED, "no job server of Ray's"),
        (Answer(status=200, said={"ray_version": 7}), Health.FAILED, "no job server of Ray's"),
    ],
)
def test_versions(answer: Answer, health: Health, words: str) -> None:
    told = in_words(answer, "http://h:8265", "", "2.60.0")
    assert told.health == health
    assert words in told.found


@pytest.mark.parametrize("address", ["http://[::1", "http://head:99999", "http://head:x", "http://", "http://a/b"])
def test_what_is_no_address_is_told(address: str) -> None:
    told = looked(address)
    assert told.health == Health.FAILED
    assert "a job server's address is http://host:8265" in told.found
