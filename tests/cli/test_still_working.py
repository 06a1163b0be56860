"""A verb that is silent for more than two seconds says that it is at work, and takes that back when it speaks."""

import io
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pytest

from caviar.cli import still_working as module
from caviar.cli.still_working import still_working

from .conftest import Filled

CLEAR = "\r\x1b[2K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(module, "AFTER_S", 0.02)
    return Terminal()


@contextmanager
def streams(stdout: io.StringIO, stderr: io.StringIO) -> Iterator[None]:
    with redirect_stdout(stdout), redirect_stderr(stderr):
        yield


def wait_for(text: str, terminal: Terminal) -> None:
    until = time.monotonic() + 120
    while text not in terminal.getvalue() and time.monotonic() < until:
        time.sleep(0.005)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_line_is_gone_before_anything_is_written(terminal: Terminal, stream: str) -> None:
    with streams(terminal, terminal), still_working(["query", "select 1"]):
        wait_for("query", terminal)
        print("the answer", file=getattr(sys, stream))
        assert sys.stdout is sys.stderr is terminal, "the streams are themselves again"
        print("and more", file=getattr(sys, stream))
    lines = terminal.getvalue().split(CLEAR)
    assert lines[-1] == "the answer\nand more\n"
    assert lines[1] == "[caviar] query: at work for 0 s, Ctrl-C ends it"


def test_it_is_gone_in_the_end(terminal: Terminal) -> None:
    with streams(terminal, terminal), still_working(["store", "check"]):
        wait_for("store", terminal)
    assert terminal.getvalue().endswith(CLEAR)


@pytest.mark.parametrize("words", [[], ["logs", "3", "-f"], ["run", "e.py", "--quiet"]])
def test_who_asked_for_quiet_or_for_what_is_to_come_gets_none(terminal: Terminal, words: list[str]) -> None:
    with streams(terminal, terminal), still_working(words):
        time.sleep(0.1)
    assert terminal.getvalue() == ""


def test_quick_verbs_show_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AFTER_S", 60.0)
    with streams(terminal, terminal), still_working(["ls"]):
        print("a row")
    assert terminal.getvalue() == "a row\n"


def test_pipes_see_nothing(terminal: Terminal) -> None:
    with streams(terminal, io.StringIO()), still_working(["query"]):
        time.sleep(0.1)
    assert terminal.getvalue() == ""


def test_a_long_query_in_a_real_terminal(filled: Filled) -> None:
    endless = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
    command = [sys.executable, "-m", "caviar.cli.main", "query", endless, "--store", filled.path]
    master, terminal = pty.openpty()
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        seen = b""
        while b"at work for 3 s" not in seen:
            seen += os.read(master, 1000)
        process.send_signal(signal.SIGINT)
        try:
            while more := os.read(master, 1000):
                seen += more
        except OSError:  # the last one who had it open is gone
            pass
        assert process.wait() == 130
    os.close(master)
    assert seen.decode().split(CLEAR)[-1].strip() == "caviar: interrupted"
