"""Ctrl-C and SIGTERM: the first asks politely, the second ends it now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from caviar.errors import SweepInterrupted


@dataclass(slots=True)
class Interrupt:
    """Which signal came first."""

    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """143 after SIGTERM, else 130."""
        return 143 if self.signal == signal.SIGTERM else 130


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that all is put in order; `on_interrupt` is politer to trials.

    Raises:
        SweepInterrupted: SIGTERM came.
    """
    terminated = SweepInterrupted("terminated: caviar ls shows what there is, and caviar resume goes on", 143)

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    except SystemExit as end:  # while Ray starts, its own handler is in place
        if end.code == signal.SIGTERM:
            raise terminated from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def on_interrupt(stop: Callable[[], None]) -> Iterator[Interrupt]:
    """Call `stop` at the first SIGINT or SIGTERM of the block; a second one raises SweepInterrupted.

    Outside the main thread, where Python takes no signals, nothing changes.
    """
    interrupt = Interrupt()

    def handle(number: int, _frame: FrameType | None) -> None:
        if interrupt.signal is not None:
            raise SweepInterrupted(
                "ended at once: what had been reported is saved, and caviar resume goes on", interrupt.exit_code
            )
        interrupt.signal = number
        stop()

    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
