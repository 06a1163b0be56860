"""How long to try again what fails for a moment: the one rule, for the driver's disks and for workers that write."""

from __future__ import annotations

import errno
import itertools
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

TRANSIENT = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EPIPE,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)
"""Errors that may be over in a moment. EIO is not among them: the disk lost something, and may lose more."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors of a disk that is full, and that somebody may make room on."""

FIRST_S, LONGEST_S = 0.05, 3.0
"""The first pause, about; each is twice as long as the one before, up to the longest."""

HURRIED_S = 3.0
"""Seconds of trying, at most, for one who is in a hurry."""

OUTAGE_S = 120.0
"""Seconds for which a sweep that runs bears a store that does not answer: trials go on, and their rows wait."""

ROOM_S = 60.0
"""Seconds for which it bears a full disk: somebody may make room."""

QUIET_S = 2.0
"""Seconds of trying after which a word is said about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Tries again, with pauses that grow and vary, while the error is one that may pass."""

    most_s: float = 5.0
    """Seconds from the first failure in which another try may begin."""
    full_s: float = 0.0
    """The same, in seconds, for a full disk."""
    hurried: Callable[[], bool] = bool
    """Whether three seconds must do from now on."""
    say: Callable[[str], None] | None = None
    """Told once a call, if it takes more than two seconds."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.SystemRandom().random  # the global generator is the user's, and seeded for him

    def call(self, do: Callable[[bool], T]) -> T:
        """Call `do` until it returns.

        Args:
            do: Told whether it was tried before: what failed may have been done all the same.

        Returns:
            What it returned.

        Raises:
            OSError: Its last error, when that does not pass, or did not in time.
        """
        began: float | None = None
        said = False
        for tries in itertools.count():
            try:
                return do(tries > 0)
            except OSError as error:
                now = self.clock()
                began = now if began is None else began
                pause = min(LONGEST_S, FIRST_S * 2 ** min(tries, 10)) * (0.5 + self.chance() / 2)
                left = self.limit_s(error) - (now - began)
                if left <= pause:
                    raise
                if self.say is not None and not said and now - began >= QUIET_S:
                    self.say(f"{_reason(error)}: trying again for up to {left:.0f} s")
                    said = True
            self.sleep(pause)
        raise AssertionError

    def limit_s(self, error: OSError) -> float:
        """Return for how many seconds such an error is borne."""
        limit = self.most_s if error.errno in TRANSIENT else self.full_s if error.errno in FULL else 0.0
        return min(limit, HURRIED_S) if self.hurried() else limit


def _reason(error: OSError) -> str:
    where = "" if error.filename is None else f" ({error.filename})"
    return f"{error.strerror or error}{where}"
