"""A board as its user starts it: `caviar board` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from caviar.store import Store

from ..small_stores import add_digits, add_interrupted

PROGRAM = [sys.executable, "-c", "from caviar.cli.main import main; main()"]


@dataclass
class Board:
    """A board that runs."""

    process: subprocess.Popen[str]
    said: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.said["link"].partition("#token=")[2])

    @property
    def port(self) -> int:
        return int(self.said["port"])

    def get(self, path: str, token: str | None = None, **how: Any) -> httpx.Response:
        """Ask as the page does; with its token, unless another one is given, or an empty one for none."""
        given = self.token if token is None else token
        headers = ({"Authorization": f"Bearer {given}"} if given else {}) | how.pop("headers", {})
        with httpx.Client(trust_env=False, timeout=120) as client:
            return client.request(
                how.pop("method", "GET"), f"http://127.0.0.1:{self.port}{path}", headers=headers, **how
            )

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; the exit code, and what stood on stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, err = self.process.communicate(timeout=120)
        return self.process.returncode, err


Start = Callable[..., Board]


def started(home: Path, *words: object, **env: str) -> Board:
    """Start a board; its token lies below `home`."""
    command = [*PROGRAM, "board", *map(str, words), "--json"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CAVIAR_", "SSH_"))}
    process = subprocess.Popen(
        command,
        env=kept | {"XDG_STATE_HOME": str(home / "state")} | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate(timeout=120)[1])
    return Board(process, json.loads(line))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start boards that end with the test."""
    boards = []

    def begin(*words: object, **env: str) -> Board:
        boards.append(started(tmp_path, *words, **env))
        return boards[-1]

    yield begin
    for board in boards:
        if board.process.poll() is None:
            board.end()


@dataclass
class Shown:
    """A store with two sweeps, and a board that shows it."""

    path: Path
    digits: str
    later: str
    board: Board


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    home = tmp_path_factory.mktemp("shown")
    store = Store.open(home / "store", create=True)
    digits, later = add_digits(store), add_interrupted(store)
    board = started(home, home / "store", "--port", 0)
    yield Shown(home / "store", digits, later, board)
    board.end()


def until(ask: Callable[[], Any], seconds: float = 30) -> Any:
    """Ask until the answer is something."""
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found
