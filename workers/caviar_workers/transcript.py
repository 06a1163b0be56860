"""What is kept of one stream of one attempt: its beginning and its end, without what a progress bar overwrote."""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from caviar_workers.hidden import SecretFilter

END = 64 * 1024
"""Characters that are kept of a stream's end."""
BEGINNING = 1024 * 1024 - END
"""Characters that are kept of its beginning."""


class Transcript:
    """Takes a stream's bytes as they come, and gives the text that is to be kept.

    Args:
        hidden: Secrets that are blotted out, before anything is cut.
    """

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        self._filter = SecretFilter(hidden)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.used = True
        """Whether anything has come since it was renewed."""
        self.renew()

    def renew(self) -> None:
        """Begin with another attempt."""
        self.used = False
        self._decoder.reset()
        self._filter.renew()
        self._room = BEGINNING
        self._fresh = True
        self._end = ""
        self._dropped = 0

    @property
    def full(self) -> bool:
        """Whether only the end is still of interest."""
        return self._room == 0

    def add(self, data: bytes) -> str:
        """Take what has come; returns what of it can be handed on now."""
        self.used = True
        return self._shortened(self._filter.add(self._decoder.decode(data)))

    def _shortened(self, text: str) -> str:
        if not text:
            return ""
        text, self._fresh = folded(text, fresh=self._fresh), text[-1] == "\n"
        now, later = text[: self._room], text[self._room :]
        if later and not (self._end or self._dropped):
            now += "\n[caviar: the rest of the output was dropped, but for its end]\n"
        self._room -= min(len(text), self._room)
        if later:
            self._keep(later)
        return now

    def skip(self, size: int) -> None:
        """Leave out so many bytes that have come."""
        self.used = True
        self._decoder.reset()
        self._filter.renew(amid=True)
        self._dropped += size

    def close(self) -> str:
        """The end of the stream, where it was not handed on already."""
        if not self.used:
            return ""
        last = self._shortened(self._filter.rest())
        if not self._end:
            return last
        note = f"[caviar: about {self._dropped:,} characters were dropped]\n" if self._dropped else ""
        text, self._end = note + self._end, ""
        return last + text

    def _keep(self, text: str) -> None:
        whole = self._end + text
        self._dropped += max(0, len(whole) - END)
        self._end = whole[-END:]


def folded(text: str, *, fresh: bool) -> str:
    """The text without what a carriage return let be overwritten.

    Args:
        text: Part of a stream.
        fresh: It begins a line; else its first line goes on with one that is out already, and is kept apart from it.
    """
    if "\r" not in text:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        body = line.rstrip("\r")
        if "\r" in body:
            apart = "" if number or fresh else "\r"
            lines[number] = apart + body.rpartition("\r")[2] + line[len(body) :]
    return "\n".join(lines)
