"""Ctrl-C, SIGTERM, and SIGHUP of a terminal that is closed: the first asks politely, the second ends it now."""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ExtensionFileLoader
from types import FrameType

from caviar.errors import INTERRUPTED, SweepInterrupted

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a program, and by default do so at once."""


@dataclass(slots=True)
class Interrupt:
    """The signal that came first."""

    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """143 after SIGTERM, 129 after SIGHUP, else 130."""
        return 128 + self.signal if self.signal in ENDING else INTERRUPTED


def put_off(number: int, frame: FrameType | None) -> bool:
    """Have a signal come again in a moment if an extension module is being imported; returns whether it is.

    Code in C makes an ImportError of an exception that is raised there, or aborts the process.

    Args:
        number: The signal.
        frame: Where it came, as its handler is told.
    """
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), ExtensionFileLoader):
            _thread.start_new_thread(_send_later, (number,))  # takes no lock that the import may hold
            return True
        frame = frame.f_back
    return False


def _send_later(number: int) -> None:
    time.sleep(0.02)
    os.kill(os.getpid(), number)


@contextmanager
def noted(heard: list[int]) -> Iterator[None]:
    """Note each Ctrl-C of the block, and raise KeyboardInterrupt: whatever others make of it, it was Ctrl-C."""

    def handle(number: int, frame: FrameType | None) -> None:
        if put_off(number, frame):
            return
        heard.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _heard(*numbers: signal.Signals) -> list[signal.Signals]:
    """Return the signals that are not ignored: `nohup` lets a program ignore SIGHUP, and that is respected."""
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def resumable(sweep: str) -> Iterator[None]:
    """Let Ctrl-C that nobody else hears name the sweep that can be gone on with.

    Raises:
        SweepInterrupted: It came.
    """
    try:
        yield
    except SweepInterrupted:
        raise
    except KeyboardInterrupt:
        raise SweepInterrupted(f"interrupted: caviar resume {sweep} goes on", INTERRUPTED, sweep) from None


@contextmanager
def terminable(then: str = "caviar ls shows what there is, and caviar resume goes on") -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, in good order; `on_interrupt` is politer to trials.

    Args:
        then: How things stand when it was ended.

    Raises:
        SweepInterrupted: One of them came.
    """

    def ended(number: int) -> SweepInterrupted:
        word = "terminated" if number == signal.SIGTERM else "the terminal was closed"
        return SweepInterrupted(f"{word}: {then}", 128 + number)

    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if put_off(number, frame):
            return
        came.append(number)
        raise ended(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handle) for number in _heard(*ENDING)}
    try:
        yield
    except SweepInterrupted:
        raise
    except BaseException as error:
        if isinstance(error, SystemExit) and error.code == signal.SIGTERM:  # while Ray starts, its handler is in place
            raise ended(signal.SIGTERM) from None
        if came:  # code in C makes other errors of ours, such as ImportError while it is imported
            raise ended(came[0]) from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def on_interrupt(stop: Callable[[], None], hurry: Callable[[], None] = lambda: None) -> Iterator[Interrupt]:
    """Call `stop` at the first SIGINT, SIGTERM or SIGHUP of the block.

    A second one calls `hurry` and raises SweepInterrupted. Outside the main thread, where Python takes no
    signals, nothing changes.
    """
    interrupt = Interrupt()

    def handle(number: int, frame: FrameType | None) -> None:
        if interrupt.signal == number == signal.SIGHUP:
            return  # a terminal that is closed tells its leader and its foreground group: nobody is impatient
        if interrupt.signal is not None:
            if put_off(number, frame):
                return
            hurry()
            raise SweepInterrupted(
                "ended at once: what the store had taken is saved, and caviar resume goes on", interrupt.exit_code
            )
        interrupt.signal = number
        stop()

    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = {number: signal.signal(number, handle) for number in _heard(signal.SIGINT, *ENDING)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
