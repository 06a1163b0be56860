"""The thread that trains: the same one for all leases of a process.

Python, and what is written in C below it, keep some state for each thread or context: numpy's `seterr`, decimal's
precision, `threading.local`, an event loop, torch's gradient mode, connections to SQLite. What the user's file sets of
it at its top level holds for all trials, as it would in a script; so they train where the file was imported.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any


class _Trainer(threading.Thread):
    """Does what it is given, and rests in between."""

    def __init__(self, program: str) -> None:
        super().__init__(name="caviar-train", daemon=True)
        self.program = program
        self.tasks: SimpleQueue[tuple[Callable[[], None], threading.Event] | None] = SimpleQueue()

    def run(self) -> None:
        while (task := self.tasks.get()) is not None:
            work, done = task
            try:
                work()
                with _lock:
                    _resting.append(self)  # before it is told: the next lease is to find it
            finally:
                done.set()
            del task, work, done  # a lease, and the data of its trials, are not kept until the next one comes


_lock = threading.Lock()
_resting: list[_Trainer] = []


def train_in_thread(program: str, work: Callable[[], None], done: threading.Event) -> None:
    """Let the thread that trains for a program work; returns at once.

    A thread that still works, for a lease that nobody listens to any more, is not waited for: then another one is made.

    Args:
        program: Digest of the program. A thread serves one only: another one's file may have set other things.
        work: What is to be done there.
        done: Set when it is, however it went.
    """
    with _lock:
        found = next((trainer for trainer in _resting if trainer.program == program), None)
        if found is not None:
            _resting.remove(found)
    dismiss()
    if found is None:
        found = _Trainer(program)
        found.start()
    found.tasks.put((work, done))


def done_in_thread(program: str, work: Callable[[], Any]) -> Any:
    """Do some work in the thread that trains for a program; return what it gives, or raise what it raises."""
    given: Future[Any] = Future()

    def do() -> None:
        try:
            given.set_result(work())
        except BaseException as error:
            given.set_exception(error)

    done = threading.Event()
    train_in_thread(program, do, done)
    done.wait()
    return given.result()


def dismiss() -> None:
    """End the threads that rest."""
    with _lock:
        for trainer in _resting:
            trainer.tasks.put(None)
        _resting.clear()


def _begin_anew() -> None:
    """In a process that was forked: the threads are the parent's."""
    global _lock  # noqa: PLW0603 — another thread of the parent may have held it
    _lock = threading.Lock()
    _resting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
