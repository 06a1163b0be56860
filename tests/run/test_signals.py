"""What Ctrl-C, SIGTERM and a closed terminal do to the driver."""

import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from caviar.errors import SweepInterrupted
from caviar.run.signals import on_interrupt, terminable


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_asks_and_the_second_ends_it(number: int, code: int) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    asked: list[int] = []

    with on_interrupt(lambda: asked.append(1)) as interrupt:
        send(number)
        assert (asked, interrupt.exit_code) == ([1], code)
        with pytest.raises(SweepInterrupted) as caught:
            send(signal.SIGINT)
        assert caught.value.exit_code == code

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_terminal_s_second_word_is_no_impatience() -> None:
    asked: list[int] = []
    with on_interrupt(lambda: asked.append(1)) as interrupt:
        send(signal.SIGHUP)
        send(signal.SIGHUP)
        assert (asked, interrupt.exit_code) == ([1], 129)
        with pytest.raises(SweepInterrupted):
            send(signal.SIGTERM)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_where_nobody_asks_politely_it_is_an_exception(number: int, code: int) -> None:
    before = signal.getsignal(number)

    with pytest.raises(SweepInterrupted, match="caviar resume") as caught, terminable():
        send(number)

    assert caught.value.exit_code == code
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("made_of_it", [ImportError, SystemError, KeyboardInterrupt])
def test_what_others_make_of_it_is_the_same(made_of_it: type[BaseException]) -> None:
    def extension() -> None:
        """In C, while it is imported."""
        try:
            send(signal.SIGTERM)
        except SweepInterrupted:
            raise made_of_it from None

    with pytest.raises(SweepInterrupted) as caught, terminable():
        extension()
    assert caught.value.exit_code == 143


def test_an_error_without_a_signal_is_itself() -> None:
    with pytest.raises(ImportError), terminable():
        raise ImportError


DRIVER = r"""
import fcntl, os, sys, termios, time
if sys.stdin.isatty():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # this session's terminal
from caviar.run.signals import on_interrupt, terminable
with terminable(), on_interrupt(lambda: os.write(1, b"asked\n")) as interrupt:
    print("ready", flush=True)
    until = time.monotonic() + (60 if {waits} else 0.5)
    while interrupt.signal is None and time.monotonic() < until:
        time.sleep(0.02)
raise SystemExit(interrupt.exit_code if interrupt.signal else 0)
"""


def test_a_terminal_that_is_closed_asks_politely() -> None:
    master, terminal = pty.openpty()
    command = [sys.executable, "-c", DRIVER.format(waits=True)]
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, start_new_session=True) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"ready\n"
        os.close(terminal)
        os.close(master)
        assert driver.stdout.read() == b"asked\n"
        assert driver.wait() == 129


def test_nohup_is_respected() -> None:
    deaf = 'trap \'\' HUP; exec "$0" -c "$1"'  # what nohup does, which not every machine has
    command = ["sh", "-c", deaf, sys.executable, DRIVER.format(waits=False)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"ready\n"
        driver.send_signal(signal.SIGHUP)
        assert (driver.stdout.read(), driver.wait()) == (b"", 0)


def test_ray_s_own_exit_is_the_same_and_other_exits_are_not() -> None:
    with pytest.raises(SweepInterrupted), terminable():
        sys.exit(signal.SIGTERM)
    with pytest.raises(SystemExit), terminable():
        sys.exit(1)


def test_other_threads_leave_the_signals_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def look() -> None:
        with terminable(), on_interrupt(lambda: None):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen == [before]
