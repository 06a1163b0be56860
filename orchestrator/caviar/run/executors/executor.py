"""The seam between deciding and running: an executor takes leases and says, by its clock, what comes of them.

Contract, held by tests/contracts over every implementation:
* `submit` returns at once; `poll` gives events in the order in which each lease produced them, and every lease that was
  submitted ends with exactly one `LeaseEnded`, whatever happens to its process. After it nothing more comes of it.
* Batches that were polled are never repeated. A batch that a dying process had sent may be lost; nothing after a lost
  one is delivered.
* A message that was told to a running lease reaches its trial within some seconds, whenever that began, and without the
  training thread asking for it; it may be lost with a process. A trial that has ended, or another attempt of it, pays
  no heed, and neither do its lease-mates.
* All methods belong to one thread. `close` ends what still runs, and is safe to call twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from caviar_workers.messages import Batch, Lease, Message


class Clock(Protocol):
    """All that the scheduler knows of time; the standard library's module `time` is such a clock."""

    def time(self) -> float:
        """Seconds since 1970, for what is recorded; the machine's clock may be set, and then this one jumps."""
        ...

    def monotonic(self) -> float:
        """Seconds from any origin, for how long something takes; never goes back."""
        ...


class VirtualClock:
    """Time that stands still until somebody moves it on.

    Args:
        now: Seconds since 1970 at the beginning.
    """

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def time(self) -> float:
        """The present moment, in seconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Return the present moment: virtual time is never set back."""
        return self._now

    def advance(self, now: float) -> None:
        """Move on to a moment that is not in the past."""
        self._now = max(self._now, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSpoke:
    """A lease has delivered a batch."""

    lease: int
    batch: Batch


class LeaseFailure(StrEnum):
    """Why a lease did not run to its end."""

    LOST = "lost"
    """Its process died."""
    NODE = "node"
    """Its node died, or was cut off."""
    OOM = "oom"
    """Its process was killed for memory."""
    ERROR = "error"
    """The code could not be loaded or sent."""
    REFUSED = "refused"
    """Its process is the wrong one: trials that it said nothing of have not begun."""
    UNSEEN = "unseen"
    """Its machine does not see the store, where what its trials go on from lies: none has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseEnded:
    """A lease has ended."""

    lease: int
    failure: str | None = None
    """None: it ran to its end. Else why not, in a sentence."""
    kind: LeaseFailure = LeaseFailure.LOST
    """Of what sort a failure is."""


Event = LeaseSpoke | LeaseEnded


class Executor(Protocol):
    """Runs leases; see the module for the contract."""

    def slots(self) -> int:
        """How many leases can run at the same time just now, ≥ 0; may change as nodes come and go."""
        ...

    def lack(self) -> str:
        """Say what a trial needs and what there is, while there is no slot for it; else empty."""
        ...

    def want(self, leases: int) -> None:
        """Take note that so many leases would run at the same time if there were room; 0: none any more."""
        ...

    def submit(self, lease: Lease) -> None:
        """Start the lease as soon as there is room."""
        ...

    def poll(self, timeout: float) -> list[Event]:
        """Wait for events, `timeout` seconds at most, and take all there are."""
        ...

    def tell(self, lease: int, message: Message) -> None:
        """Send a message to a trial of a lease that was submitted; does not wait."""
        ...

    def kill(self, lease: int | None = None) -> None:
        """End a lease, or all of them, now; their `LeaseEnded` still comes."""
        ...

    def close(self) -> None:
        """Free what the executor holds."""
        ...
