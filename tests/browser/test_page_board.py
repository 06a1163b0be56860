"""The board's page against a server that answers by the contract: token, list, changes, trouble, and coming back."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import pytest

from caviar.display.page import board_html

from .made_payload import TRIALS, made_payload
from .watched import until

TOKEN = "a&b=c"
ROW = {
    "id": "made",
    "name": "made",
    "state": "running",
    "metric": "loss",
    "mode": "min",
    "planned": TRIALS,
    "took_s": 5,
}


@dataclass
class Board:
    """What the server answers; a test changes it while the page asks."""

    boot: str = "one"
    version: int = 1
    known: int = 10  # trials that are published, all of them in the newest version
    trouble: str = ""
    asked: list = field(default_factory=list)

    def answer(self, path, query, token):
        if token != f"Bearer {TOKEN}":
            return 401, {"error": "no token"}
        if self.trouble:
            return 503, {"error": self.trouble}
        same = query.get("boot") == self.boot
        self.asked.append((path, query))
        if same and query["since"] == str(self.version):
            return 204, b""
        if path == "/api/sweeps":
            counts = {
                "done": self.known,
                "told": f"{self.known} of {TRIALS}",
                "leads": "–",
                "created": "2026-01-01T00:00:00Z",
            }
            rows = [
                ROW | counts | {"words": "made"},
                ROW | counts | {"id": "x", "name": "other", "words": "other nice"},
            ]
            return 200, {"boot": self.boot, "version": self.version, "store": "here", "sweeps": rows, "not_shown": []}
        first = max(self.known - 5, 0) if same else 0
        running = [{"trial": 77, "cells": ["t77", "0.5", "step 3", "2 steps/s"]}]
        failures = [{"reason": "it broke", "count": 1, "named": "trials t0", "example": "at the end", "command": None}]
        return 200, made_payload(
            slice(first, self.known),
            full=not same,
            boot=self.boot,
            version=self.version,
            running=running,
            failures=failures,
        )


@pytest.fixture
def board():
    """A board and its address."""
    board = Board()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            url = urlparse(self.path)
            if url.path == "/":
                status, body, kind = 200, board_html("board").encode(), "text/html"
            else:
                query = {key: value[0] for key, value in parse_qs(url.query).items()}
                status, body = board.answer(url.path, query, self.headers.get("Authorization"))
                kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    board.address = f"http://127.0.0.1:{server.server_port}/"
    yield board
    server.shutdown()
    server.server_close()


@pytest.fixture
def watched(board, visit):
    """The page of the board, opened by its link, once it has shown the list."""
    watched = visit(board.address + "#token=a%26b%3Dc", allowed=(board.address,))
    watched.until("document.querySelectorAll('#sweep-list tr').length")
    return watched


@pytest.fixture
def page(watched):
    return watched.page


def shown(page):
    return page.evaluate("window.caviar.data && window.caviar.data.n")


def test_the_token_leaves_the_address_and_survives_a_reload(page, board):
    assert "token" not in page.url
    page.reload()
    until(lambda: page.locator("#sweep-list tr").count() == 2, page, "the list is there again")
    assert all(path == "/api/sweeps" for path, _ in board.asked)


def test_without_a_token_it_says_what_to_type(board, visit):
    page = visit(board.address, allowed=(board.address,)).page
    assert "type `caviar board`" in page.locator("#trouble").inner_text()


def test_the_list_is_searched(page):
    page.locator("#find-sweep").fill("OTHER nice")
    assert page.locator("#sweep-list tr").count() == 1
    page.locator("#find-sweep").fill("nothing like it")
    assert page.locator("#list-said").inner_text() == "No sweep matches."


def test_changes_are_merged_and_what_was_opened_stays_open(page, board):
    page.get_by_role("button", name="made").click()
    until(lambda: shown(page) == 10, page, "the sweep is shown")
    assert page.locator("#running-list").inner_text().split() == ["t77", "0.5", "step", "3", "2", "steps/s"]
    page.locator("#failure-list summary").click()
    board.known, board.version = 14, 2
    until(lambda: shown(page) == 14, page, "what changed is shown")
    assert page.evaluate("[...window.caviar.data.trial]") == list(range(14))
    assert page.locator("#failure-list pre").is_visible()
    assert ("/api/sweeps/made", {"boot": "one", "since": "1"}) in board.asked, "only what changed is asked for"
    assert page.evaluate("window.caviar.data.table.length.reduce((sum, n) => sum + n)") == 14 * 15
    page.locator("#to-list").click()
    assert page.locator("#list").is_visible()


def test_it_outlives_trouble_and_asks_for_everything_from_another_start(page, board, watched):
    page.get_by_role("button", name="made").click()
    until(lambda: shown(page) == 10, page, "the sweep is shown")
    board.trouble = "the store is away"
    until(lambda: page.locator("#trouble").inner_text() == "the store is away", page, "the trouble is told")
    assert shown(page) == 10
    board.boot, board.version, board.known, board.trouble = "two", 1, 7, ""
    until(lambda: shown(page) == 7, page, "all is asked for anew")
    assert not page.locator("#trouble").is_visible()
    assert [fault for fault in watched.faults() if "503 (Service Unavailable)" not in fault] == []
