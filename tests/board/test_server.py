"""The board's server, asked over a real connection."""

import re
import shutil
import socket
import sys
import time

import psutil
import pytest

from caviar.board.server import PORT, listen
from caviar.errors import SpecError

from ..small_stores import DIVERGED
from . import conftest
from .conftest import until

EVERY_HEADER = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


def raw(port, request, wait=10.0):
    """What comes back for some bytes, until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        connection.sendall(request)
        got = b""
        while piece := connection.recv(65536):
            got += piece
        return got


def test_it_listens_on_this_computers_own_address_alone(shown):
    connections = psutil.Process(shown.board.process.pid).net_connections(kind="all")
    assert [tuple(one.laddr) for one in connections if one.status == "LISTEN"] == [("127.0.0.1", shown.board.port)]


def test_the_page_is_there_without_a_token_and_holds_no_data(shown):
    got = shown.board.get("/", token="")
    assert got.status_code == 200
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.digits not in got.text
    assert shown.board.token not in got.text


def test_the_list_is_json(shown):
    got = shown.board.get("/api/sweeps").json()
    assert [(one["id"], one["state"], one["planned"]) for one in got["sweeps"]] == [
        (shown.later, "interrupted", 4),
        (shown.digits, "finished", 8),
    ]
    digits = got["sweeps"][1]
    assert (digits["done"], digits["failed"], digits["running"]) == (8, 1, 0)
    assert digits["best"] == {"trial": 2, "value": pytest.approx(0.0724, abs=1e-4), "step": 19}
    assert digits["best"]["trial"] != DIVERGED
    assert (got["store"], got["not_shown"]) == (str(shown.path), [])


def test_nothing_new_is_nothing(shown):
    got = shown.board.get("/api/sweeps").json()
    again = shown.board.get("/api/sweeps", params={"boot": got["boot"], "since": got["version"]})
    assert (again.status_code, again.content) == (204, b"")
    for other in ({"boot": "x", "since": got["version"]}, {"boot": got["boot"], "since": "nine"}, {}):
        assert shown.board.get("/api/sweeps", params=other).status_code == 200


@pytest.mark.parametrize(
    ("path", "how", "status"),
    [
        ("/api/sweeps", {"token": ""}, 401),
        ("/api/sweeps", {"token": "a" * 43}, 401),
        ("/api/sweeps?token=TOKEN", {"token": ""}, 401),
        ("/api/sweeps/ID", {"token": ""}, 401),
        ("/api", {"token": ""}, 401),
        ("/nothing", {}, 404),
        ("/api/sweeps/", {}, 404),
        ("/api/sweeps", {"headers": {"Host": "evil.example"}}, 400),
        ("/", {"headers": {"Host": "evil.example"}, "token": ""}, 400),
        ("/api/sweeps", {"headers": {"Origin": "http://evil.example"}}, 403),
        ("/", {"headers": {"Origin": "null"}, "token": ""}, 403),
        ("/api/sweeps", {"method": "POST"}, 405),
        ("/api/sweeps", {"method": "OPTIONS", "headers": {"Origin": "http://evil.example"}, "token": ""}, 403),
        ("/api/sweeps", {"method": "OPTIONS", "token": ""}, 405),
        ("/", {"method": "HEAD"}, 405),
        ("/api/sweeps/20200101-000000-0000", {}, 404),
        ("/api/sweeps/..", {}, 404),
        ("/api/sweeps/%2e%2e%2f%2e%2e%2fetc%2fpasswd", {}, 404),
        ("/api/sweeps/..%2f..%2fFORMAT", {}, 404),
        ("/api/sweeps/%00", {}, 404),
        ("/api/sweeps/20200101-000000-0000%0a", {}, 404),
        ("/api/sweeps/" + "a" * 3000, {}, 414),
        ("/api/sweeps?since=" + "9" * 3000, {}, 414),
    ],
)
def test_what_is_refused_is_told_in_a_sentence(shown, path, how, status):
    path = path.replace("TOKEN", shown.board.token).replace("ID", shown.digits)
    got = shown.board.get(path, **how)
    assert got.status_code == status
    assert EVERY_HEADER.items() <= dict(got.headers).items()
    assert "access-control-allow-origin" not in got.headers
    if how.get("method") != "HEAD":
        assert re.fullmatch(r"[^\n]{10,}", got.json()["error"])
    assert "www-authenticate" in got.headers if status == 401 else "www-authenticate" not in got.headers
    assert got.headers.get("allow") == ("GET" if status == 405 else None)


@pytest.mark.parametrize("path", ["/", "/api/sweeps", "/nothing"])
def test_every_answer_says_what_a_browser_may_do_with_it(shown, path):
    got = shown.board.get(path)
    assert EVERY_HEADER.items() <= dict(got.headers).items()
    policy = got.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in got.headers
    assert not {"set-cookie", "x-powered-by"} & set(got.headers)
    assert b"uvicorn" not in raw(shown.board.port, b"nonsense\r\n\r\n").lower()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1_000_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    ],
)
def test_odd_requests_are_answered_and_done_with(shown, request_bytes):
    try:
        got = raw(shown.board.port, request_bytes)
    except ConnectionError:  # it was closed while some were still to be sent
        got = b"HTTP/1.1 400"
    assert got.startswith((b"HTTP/1.1 400", b"HTTP/1.1 414"))
    assert shown.board.get("/", token="").status_code == 200


def test_a_web_socket_is_none(shown):
    asked = b"GET /api/sweeps HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert raw(shown.board.port, asked).startswith(b"HTTP/1.1 401")


def test_who_asks_slowly_keeps_nobody_waiting(shown):
    slow = [socket.create_connection(("127.0.0.1", shown.board.port)) for _ in range(50)]
    for connection in slow:
        connection.sendall(b"GET /api/sweeps HTTP/1.1\r\nHost: local")
    assert shown.board.get("/api/sweeps").status_code == 200
    for connection in slow:
        connection.close()


@pytest.fixture
def hurried(monkeypatch, tmp_path, shown):
    """A board with other limits."""
    boards = []

    def begin(**limits):
        changed = "; ".join(f"s.{name} = {value}" for name, value in limits.items())
        program = f"import caviar.board.server as s; {changed}; from caviar.cli.main import main; main()"
        monkeypatch.setattr(conftest, "PROGRAM", [sys.executable, "-c", program])
        boards.append(conftest.started(tmp_path, shown.path, "--port", 0))
        return boards[-1]

    yield begin
    for board in boards:
        board.end()


def test_who_asks_nothing_is_left_in_time(hurried):
    board = hurried(REQUEST_S=0.2)
    for sent in (b"", b"GET / HTTP/1.1\r\n"):
        assert raw(board.port, sent) == b""


def test_who_takes_no_answer_is_left_in_time(hurried):
    board = hurried(ANSWER_S=1.0)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", board.port))
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: not connections(board))
    assert board.get("/", token="").status_code == 200


def test_there_are_not_more_connections_than_files_allow(hurried):
    board = hurried(MOST_CONNECTIONS=3)
    idle = [socket.create_connection(("127.0.0.1", board.port)) for _ in range(20)]
    until(lambda: len(connections(board)) == 3)
    for connection in idle:
        connection.close()
    until(lambda: not connections(board))
    assert board.get("/", token="").status_code == 200


def connections(board):
    """Those to the board's process."""
    found = psutil.Process(board.process.pid).net_connections(kind="tcp")
    return [one for one in found if one.status == "ESTABLISHED"]


def test_neither_the_token_nor_an_address_is_written_anywhere(start, tmp_path, shown):
    board = start(shown.path, "--port", 0)
    board.get("/api/sweeps")
    board.get(f"/api/sweeps?token={board.token}", token="")
    board.get("/secret-address")
    raw(board.port, b"nonsense " + board.token.encode() + b"\r\n\r\n")
    code, err = board.end()
    assert code == 143
    assert board.token not in err
    assert "secret-address" not in err
    assert err.count("\n") == 1
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and board.token in path.read_text("utf-8")]
    assert [path.suffix for path in kept] == [".token"]
    assert not any(board.token.encode() in path.read_bytes() for path in shown.path.rglob("*") if path.is_file())


def test_a_page_stays_open_over_a_restart(start, shown):
    first = start(shown.path)
    first.end()
    second = start(shown.path)
    assert (second.said["link"], second.port) == (first.said["link"], first.port)
    assert second.get("/api/sweeps", token=first.token).status_code == 200
    assert first.said["store"] == str(shown.path)


def test_a_new_token_closes_links_that_were_given_out(start, shown):
    first = start(shown.path)
    first.end()
    second = start(shown.path, "--new-token")
    assert second.get("/api/sweeps", token=first.token).status_code == 401
    assert second.get("/api/sweeps").status_code == 200


def test_a_port_that_is_taken_is_passed_by_unless_it_was_named():
    with listen(None) as first, listen(None) as second:
        ports = [one.getsockname()[1] for one in (first, second)]
        assert ports[0] >= PORT
        assert ports[1] > ports[0]
        with pytest.raises(
            SpecError, match=rf"port {ports[0]} is taken: type caviar board --port [0-9]+, which is free"
        ):
            listen(ports[0])


def test_a_port_is_free_again_at_once(shown, start):
    board = start(shown.path, "--port", 0)
    board.get("/api/sweeps")
    board.end()
    again = start(shown.path, "--port", board.port)
    assert again.port == board.port


def test_a_store_that_is_away_is_told_and_shown_again_when_it_is_back(start, shown, tmp_path):
    shutil.copytree(shown.path, tmp_path / "store")
    board = start(tmp_path / "store", "--port", 0)
    assert board.get("/api/sweeps").status_code == 200
    (tmp_path / "store").rename(tmp_path / "away")
    for path in ("/api/sweeps", f"/api/sweeps/{shown.digits}"):
        got = board.get(path)
        assert got.status_code == 503
        assert "is not there at the moment" in got.json()["error"]
    (tmp_path / "away").rename(tmp_path / "store")
    assert len(board.get("/api/sweeps").json()["sweeps"]) == 2


def test_it_ends_although_somebody_reads_nothing(start, shown):
    board = start(shown.path, "--port", 0)
    with socket.create_connection(("127.0.0.1", board.port)) as idle:
        idle.sendall(b"GET /api/sweeps HTTP/1.1\r\n")
        began = time.monotonic()
        assert board.end()[0] == 143
        assert time.monotonic() - began < 20
