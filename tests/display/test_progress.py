"""The displays of a running sweep, against a fake clock and streams."""

import contextlib
import io
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from caviar.display.choose_display import choose_display, is_live
from caviar.display.live import LiveProgress
from caviar.display.notebook import NotebookProgress
from caviar.display.plain import PlainProgress, SilentProgress, line
from caviar.display.progress import BestRow, LastReport, ProgressDisplay, SweepStatus, slowly

XTERM = {"TERM": "xterm"}


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class ClosedTerminal(Terminal):
    def write(self, text: str, /) -> int:
        raise OSError(5, "Input/output error")


def status(done: int, **changes: Any) -> SweepStatus:
    fields: dict[str, Any] = {
        "sweep": "20261123-041233-7f3a",
        "name": "digits",
        "planned": 64,
        "done": done,
        "running": 2,
        "failed": 1 if done > 20 else 0,
        "elapsed_s": float(done),
        "eta_s": float(64 - done),
        "busy": 0.97,
        "metric": "val_loss",
        "mode": "min",
        "best": (BestRow(trial=19, value=0.0712, config={"lr": 0.031}, curve=(1.0, 0.5, 0.1)),),
    }
    return SweepStatus(**(fields | changes))


def test_plain_lines_at_every_tenth() -> None:
    stream, clock = io.StringIO(), FakeClock()
    progress = PlainProgress(stream, clock=clock)
    progress.start("starting Ray…")
    clock.now += 8.0
    progress.start("loading the data…")
    clock.now += 0.1
    for done in range(65):
        progress.update(status(done))
    progress.end(status(64))
    lines = stream.getvalue().splitlines()
    assert lines[:4] == [
        "[caviar] starting Ray…",
        "[caviar] loading the data…",
        "[caviar] started in 8.1s",
        "[caviar] 7/64 done best=0.0712 (t19) eta=57s",
    ]
    assert lines[-1] == "[caviar] 64/64 done 1 failed best=0.0712 (t19) took=1m04s"
    assert len(lines) == 13


@pytest.mark.parametrize("later", [0.0, 0.1, 5.0, 100.0])
@pytest.mark.parametrize("newest", [None, LastReport(trial=3, step=7, value=0.5)])
def test_the_last_state_is_told_once_whenever_the_end_is(later: float, newest: LastReport | None) -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, clock=FakeClock())
    for done in (63, 64):
        progress.update(status(done, newest=newest))
    progress.end(status(64, elapsed_s=64.0 + later))
    progress.end(status(64, elapsed_s=65.0 + later, eta_s=None))
    assert [line for line in stream.getvalue().splitlines() if "64/64" in line] == [
        "[caviar] 64/64 done 1 failed best=0.0712 (t19) took=1m04s"
    ]
    progress.end(status(64, failed=2))
    assert "64/64 done 2 failed" in stream.getvalue()


def test_plain_lines_at_every_half_minute() -> None:
    stream, clock = io.StringIO(), FakeClock()
    progress = PlainProgress(stream, clock=clock)
    for _ in range(1000):
        progress.update(status(1))
        clock.now += 0.1
    assert stream.getvalue().count("\n") == 4


def test_a_resumed_sweep_does_not_repeat_old_tenths() -> None:
    stream, clock = io.StringIO(), FakeClock()
    progress = PlainProgress(stream, clock=clock)
    progress.start("starting Ray…")
    progress.update(status(40))
    assert "40/64" not in stream.getvalue()
    progress.update(status(45))
    assert "45/64" in stream.getvalue()


def test_plain_end_says_that_it_stopped() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, clock=FakeClock())
    progress.update(status(10))
    progress.end()
    progress.end()
    assert stream.getvalue().splitlines() == [
        "[caviar] 10/64 done best=0.0712 (t19) eta=54s",
        "[caviar] 10/64 done best=0.0712 (t19) stopped after=10s",
    ]


def live(stream: io.StringIO, clock: FakeClock) -> LiveProgress:
    return LiveProgress(stream, clock=clock, ticking=False)


def test_live_shows_the_start_at_once() -> None:
    stream = Terminal()
    progress = live(stream, FakeClock())
    progress.start("starting Ray…")
    assert "starting Ray… 0.0s" in _uncoloured(stream)
    progress.end()


def test_live_ticks_while_nothing_else_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), FakeClock()
    progress = LiveProgress(stream, clock=clock)
    progress.start("starting Ray…")
    clock.now += 3
    for _ in range(200):
        if "starting Ray… 3.0s" in _uncoloured(stream):
            break
        import time

        time.sleep(0.01)
    progress.end()
    assert "starting Ray… 3.0s" in _uncoloured(stream)


def _uncoloured(stream: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


def test_live_redraws_at_most_four_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), FakeClock()
    progress = live(stream, clock)
    progress.start("starting Ray…")
    for done in range(50):
        clock.now += 0.02
        progress.update(status(done))
    drawn = _uncoloured(stream).count("/64")
    progress.end()
    assert 3 <= drawn <= 4


def test_live_leaves_the_last_state_in_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    progress = live(stream, FakeClock())
    progress.start("starting Ray…")
    progress.note("trial 3 failed: \x1b[2Jboom")
    progress.end(status(64, running=0))
    progress.end()
    text = _uncoloured(stream)
    assert "64/64" in text
    assert "done in 1m04s" in text
    assert "trial 3 failed: boom" in text
    assert stream.getvalue().endswith("\x1b[?25h")


def test_a_later_start_is_shown_beside_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    progress = live(stream, FakeClock())
    progress.start("starting Ray…")
    progress.update(status(64, running=0))
    progress.start("testing the winner…")
    progress.note("a note makes it draw")
    assert "testing the winner… 0.0s" in _uncoloured(stream)
    stream.truncate(0)
    progress.end()
    assert "64/64" in stream.getvalue()
    assert "testing" not in stream.getvalue()


def test_plain_lines_do_not_repeat_the_last_state() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, clock=FakeClock())
    progress.update(status(0))
    progress.update(status(64))
    progress.start("testing the winner…")
    progress.end()
    assert stream.getvalue().count("64/64") == 1


def test_silence_lets_notes_through() -> None:
    stream = io.StringIO()
    progress = SilentProgress(stream)
    progress.start("starting Ray…")
    progress.update(status(3))
    progress.note("the disk is nearly full")
    progress.end(status(64))
    assert stream.getvalue() == "[caviar] the disk is nearly full\n"


@pytest.mark.parametrize("make", [LiveProgress, PlainProgress, SilentProgress])
def test_a_closed_terminal_fails_no_sweep(make: Callable[..., ProgressDisplay]) -> None:
    stream = ClosedTerminal()
    progress = live(stream, FakeClock()) if make is LiveProgress else make(stream)
    progress.start("starting Ray…")
    progress.update(status(30))
    progress.note("a note")
    progress.end(status(64))


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (XTERM, True),
        ({"TERM": "dumb"}, False),
        (XTERM | {"CI": "true"}, False),
        (XTERM | {"CI": "1"}, False),
        (XTERM | {"CI": ""}, True),
        (XTERM | {"CI": "false"}, True),
    ],
)
def test_live_on_a_real_terminal_only(env: dict[str, str], expected: bool) -> None:
    assert is_live(Terminal(), env) is expected
    assert not is_live(io.StringIO(), env)


def test_the_choice() -> None:
    assert isinstance(choose_display(stream=Terminal(), env=XTERM), LiveProgress)
    assert isinstance(choose_display(stream=io.StringIO(), env=XTERM), PlainProgress)
    assert isinstance(choose_display(quiet=True, stream=Terminal(), env=XTERM), SilentProgress)


class FakeHandle:
    def __init__(self) -> None:
        self.updates: list[str] = []

    def update(self, bundle: dict[str, str], raw: bool) -> None:
        assert raw
        self.updates.append(bundle["text/plain"])


def test_a_notebook_gets_one_display_updated_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    handle, displayed = FakeHandle(), []
    kernel = types.SimpleNamespace(kernel=object())

    def display(bundle: dict[str, str], *, raw: bool, display_id: bool) -> FakeHandle:
        assert raw
        assert display_id
        displayed.append(bundle)
        return handle

    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: kernel))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    clock = FakeClock()
    progress = choose_display(clock=clock, stream=io.StringIO(), env={})
    assert isinstance(progress, NotebookProgress)
    progress.start("starting Ray… <b>")
    for done in range(65):
        clock.now += 0.1
        progress.update(status(done))
    progress.end(status(64, running=0))
    assert len(displayed) == 1
    assert "starting Ray… &lt;b&gt;" in displayed[0]["text/html"]
    assert len(handle.updates) <= 15
    assert "64/64" in handle.updates[-1]


def test_plain_lines_say_what_is_news_and_why_trials_failed() -> None:
    early = status(0, best=(), eta_s=None)
    assert line(early) == "0/64 done 2 running, none has reported yet"
    assert line(replace(early, running=0, no_room=True)) == "0/64 done waiting for room, nothing runs"
    assert "room" not in line(replace(early, running=0, no_room=True), ended=True)
    newest = LastReport(trial=7, step=12, value=0.31)
    assert line(status(0, best=(), eta_s=None, newest=newest)) == "0/64 done newest=0.31 (t7 at step 12)"
    why = (("ValueError: " + "x" * 100, 1),)
    failed = line(status(21, newest=newest, reasons=why))
    assert failed.startswith(
        f"21/64 done 1 failed (ValueError: {'x' * 47}…) best=0.0712 (t19) newest=0.31 (t7 at step 12) eta="
    )
    assert "newest" not in line(status(21, newest=newest), ended=True)


def test_what_is_quick_needs_no_word_and_what_is_slow_has_one() -> None:
    stream = io.StringIO()
    with slowly(PlainProgress(stream), "importing x.py…"):
        pass
    assert stream.getvalue() == ""
    said = threading.Event()
    progress = PlainProgress(stream)
    progress.start = lambda text: (stream.write(text), said.set())  # type: ignore[assignment]
    with slowly(progress, "importing x.py…", after=0.01):
        assert said.wait(20)
    assert stream.getvalue() == "importing x.py…"


def test_the_display_goes_on_while_the_standard_stream_is_led_elsewhere() -> None:
    script = (
        "import os, sys\nfrom caviar.display.choose_display import choose_display\n"
        "from caviar.run.executors.native_output import native_output_kept\n"
        "sys.stderr.isatty = lambda: True\n"
        "progress = choose_display(env={'TERM': 'xterm'})\n"
        "with native_output_kept():\n    progress.start('starting Ray…')\n"
        "    print('by hand', file=sys.stderr)\n    os.write(2, b'native')\n"
        "progress.end()\n"
    )
    shown = pty_output(script)
    assert "starting Ray…" in shown
    assert "by hand" in shown
    assert "native" not in shown


def pty_output(script: str) -> str:
    """What a Python process shows on a terminal."""
    master, terminal = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", script], stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):
            while part := os.read(master, 4096):
                shown += part
    os.close(master)
    assert process.returncode == 0, shown
    return shown.decode()
