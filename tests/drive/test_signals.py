"""What Ctrl-C and SIGTERM do to the driver."""

import os
import signal
import sys
import threading

import pytest

from caviar.drive.signals import on_interrupt, terminable
from caviar.errors import SweepInterrupted


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
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


def test_where_nobody_asks_politely_sigterm_is_an_exception() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(SweepInterrupted, match="caviar resume") as caught, terminable():
        send(signal.SIGTERM)

    assert caught.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) == before


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
