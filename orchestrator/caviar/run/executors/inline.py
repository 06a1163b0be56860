"""Runs leases in this process, one after the other: for tests, for debuggers, and where Ray cannot run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial

from caviar.run.executors.executor import Event, LeaseEnded, LeaseSpoke
from caviar_workers.data import LoadedData, digested, load_data
from caviar_workers.lease import run_lease
from caviar_workers.mailbox import Mailbox
from caviar_workers.messages import Batch, Lease, Message, Program
from caviar_workers.project import in_place


class InlineExecutor:
    """One slot; the lease in front advances by one batch each time it is polled."""

    def __init__(self, program: Program) -> None:
        self._program = in_place(program)
        self._waiting: deque[Lease] = deque()
        self._current: tuple[int, Iterator[Batch]] | None = None
        self._killed: list[int] = []
        self._mailbox = Mailbox()
        self._data: list[LoadedData] = []

    def slots(self) -> int:
        """Return 1: leases run one after the other."""
        return 1

    def lack(self) -> str:
        """Return nothing: there is room."""
        return ""

    def want(self, leases: int) -> None:
        """Do nothing: there is one slot."""

    def submit(self, lease: Lease) -> None:
        """Put the lease at the end of the queue."""
        self._waiting.append(lease)

    def poll(self, timeout: float) -> list[Event]:
        """Advance the lease in front by one batch."""
        if self._killed:
            killed, self._killed = self._killed, []
            return [LeaseEnded(lease=lease, failure="the lease was ended on request") for lease in killed]
        if self._current is None:
            if not self._waiting:
                return []
            lease = self._waiting.popleft()
            mail = partial(self._mailbox.fetch, lease.id)
            data = partial(self._load, lease) if self._program.data else None
            self._current = lease.id, run_lease(self._program, lease, own_process=False, mail=mail, data=data)
        number, batches = self._current
        batch = next(batches, None)
        if batch is not None:
            return [LeaseSpoke(lease=number, batch=batch)]
        self._current = None
        return [LeaseEnded(lease=number)]

    def tell(self, lease: int, message: Message) -> None:
        """Leave the message where the lease looks for it."""
        self._mailbox.put(lease, message)

    def kill(self, lease: int | None = None) -> None:
        """Drop what waits; a training thread that runs is abandoned after its trial."""
        if self._current is not None and lease in (None, self._current[0]):
            self._killed.append(self._current[0])
            self._current = None
        self._killed += [waiting.id for waiting in self._waiting if lease in (None, waiting.id)]
        self._waiting = deque(waiting for waiting in self._waiting if waiting.id not in self._killed)

    def _load(self, lease: Lease) -> LoadedData:
        """The sweep's data, loaded for the first lease that asks."""
        if not self._data:
            self._data.append(digested(load_data(self._program, lease.train_args)))
        return self._data[0]

    def close(self) -> None:
        """Drop what waits; there is nothing else to free."""
        self.kill()
        self._killed.clear()
