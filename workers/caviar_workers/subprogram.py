"""A program that trains in a process of its own: its lines as they come, and its end, whoever brings it about."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from caviar_workers.reaper import GRACE_S, REAPER, end_group
from caviar_workers.states import Action
from caviar_workers.trial import TrialInterrupted

MOST_LINE = 64 * 1024
"""Characters of a line that are read; what is beyond is let go."""
GLANCE_S = 0.2
TAIL = 20
"""Last lines of its standard error that are told with a failure."""
_CHUNK = 64 * 1024


class CommandError(RuntimeError):
    """A trial's program could not be started, or failed."""


class Subprogram:
    """One program, from its start to its end; it and all that it started are gone when the block ends.

    Args:
        argv: Its words; the first one is looked for on the PATH.
        environment: What it finds in its environment beside ours.
        told: The file that it writes its lines to; None: they are what it prints.
        folder: Where it begins; None: where this process is.

    Raises:
        CommandError: It cannot be started.
    """

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], told: Path | None, folder: str | None
    ) -> None:
        self._name = os.path.basename(argv[0])
        self._other_python = _other_python(argv, {**os.environ, **environment}.get("PATH"))
        self._told = None if told is None else _Growing(told)
        self._last: deque[str] = deque(maxlen=TAIL)
        if folder is not None and not os.path.isdir(folder):
            raise CommandError(f"there is no folder {folder} to begin in, on {socket.gethostname()}")
        REAPER.start()
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PYTHONUNBUFFERED": "1", **os.environ, **environment},
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandError(f"cannot start {argv[0]}: {error.strerror or error}") from error
        REAPER.watch(self._process.pid)

    def __enter__(self) -> Subprogram:
        return self

    def __exit__(self, *_: object) -> None:
        group = self._process.pid
        if self._process.poll() is None:
            end_group(group, signal.SIGTERM)
            deadline = time.monotonic() + GRACE_S
            with contextlib.suppress(CommandError):
                for _line in self._pieces(lambda: time.monotonic() > deadline):
                    pass  # its last words are heard, and it is not held up by a pipe that nobody reads
        end_group(group, signal.SIGKILL)  # what it left running, too
        self._process.wait()
        REAPER.forget(group)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def lines(self, ending: Callable[[], Action | None]) -> Iterator[str]:
        """Its lines as they come, until it ends.

        Args:
            ending: What the trial was told while its program may have nothing to say.

        Raises:
            TrialInterrupted: The trial was told to stop.
        """

        def stopped() -> bool:
            return ending() == Action.STOP

        yield from self._pieces(stopped)
        while self._process.poll() is None:  # it was told to stop, or has closed its streams and goes on
            if stopped():
                raise TrialInterrupted("this trial was told to stop")
            time.sleep(GLANCE_S)

    def _pieces(self, enough: Callable[[], bool]) -> Iterator[str]:
        """Lines, until both of its streams are closed, or it is enough."""
        texts = {"out": _Lines(), "err": _Lines()}
        with selectors.DefaultSelector() as selector:
            for name, stream in (("out", self._process.stdout), ("err", self._process.stderr)):
                assert stream is not None
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, name)
            while selector.get_map() and not enough():
                ready = selector.select(GLANCE_S)
                for key, _ in ready:
                    data = _read(key.fileobj)
                    if data == b"":
                        selector.unregister(key.fileobj)
                    yield from self._heard(key.data, texts[key.data], data)
                yield from self._written()
                if not ready and self._process.poll() is not None:
                    break  # something that it left behind holds its streams open
        for name, text in texts.items():
            yield from self._heard(name, text, b"\n" if text.waiting else None)
        yield from self._written(whole=True)

    def _heard(self, name: str, text: _Lines, data: bytes | None) -> Iterator[str]:
        for line in text.add(data or b""):
            print(line, file=sys.stdout if name == "out" else sys.stderr)
            if name == "err":
                self._last.append(line)
            elif self._told is None:
                yield line

    def _written(self, *, whole: bool = False) -> Iterator[str]:
        if self._told is not None:
            yield from self._told.new(whole=whole)

    def ended_well(self) -> None:
        """See that it did.

        Raises:
            CommandError: It did not.
        """
        code = self._process.wait()
        if code == 0:
            return
        how = f"exit code {code}" if code > 0 else _signal_name(-code)
        last = [line for line in self._last if line.strip()]
        word = f": {last[-1].strip()[:300]}" if last else ", without a word on its standard error"
        lacks = not last or "No module named" in last[-1]
        raise CommandError("\n".join([f"{self._name} ended with {how}{word}{self._other_python * lacks}", *last]))


def _other_python(argv: Sequence[str], path: str | None) -> str:
    """What is to be said where modules are missing, and a program's Python is of another environment than Caviar.

    It may well be meant to be another one; but who calls Caviar by its path, with its environment not activated, gets
    the machine's, which lacks what was installed beside Caviar.
    """
    word = next((one for one in argv[os.path.basename(argv[0]) == "env" :] if "=" not in one), "")
    found = shutil.which(word, path=path) if re.fullmatch(r"python[\d.]*", word) else None
    if found is None or os.path.dirname(found) == os.path.dirname(sys.executable):
        return ""
    return f" ({word} is {found}, and Caviar runs in {sys.executable}: activate that environment, or write its path)"


class _Lines:
    """Bytes that come in pieces, as lines of text."""

    def __init__(self) -> None:
        self.waiting = b""

    def add(self, data: bytes) -> list[str]:
        """The lines that are whole now; of what never ends, the beginning is kept."""
        *whole, self.waiting = (self.waiting + data).split(b"\n")
        if len(self.waiting) > MOST_LINE:
            end = self.waiting.rpartition(b"\r")[2]  # a progress bar, perhaps
            self.waiting = end if len(end) <= MOST_LINE else self.waiting[:MOST_LINE]
        return [line[:MOST_LINE].decode("utf-8", "replace") for line in whole]


class _Growing:
    """A file that the program appends lines to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._lines = _Lines()

    def new(self, *, whole: bool) -> Iterator[str]:
        """Lines that came since the last time; with `whole`, one that was not ended too."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                while data := file.read(_CHUNK):
                    self._at += len(data)
                    yield from self._lines.add(data)
        except FileNotFoundError:
            return
        if whole and self._lines.waiting:
            yield from self._lines.add(b"\n")


def _read(stream: IO[bytes] | Any) -> bytes | None:
    """What is there; b"": the end; None: nothing yet."""
    try:
        return os.read(stream.fileno(), _CHUNK)
    except BlockingIOError:
        return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
