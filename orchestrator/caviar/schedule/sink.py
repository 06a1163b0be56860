"""The seam between the scheduler and the store: where published tables go."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa


class Sink(Protocol):
    """Takes tables in; the store's writer, or a list in tests.

    Contract: `add` keeps the order in which it is called, does not wait for a disk (but may wait for memory), and
    raises StoreError once publishing has failed. `flush` waits until all that was added is durable; `mark` and
    `reached` tell it without waiting.
    """

    def add(self, table: str, data: pa.Table) -> None:
        """Append rows to `configs`, `curves`, `attempts`, `logs` or `decisions`."""
        ...

    def mark(self) -> int:
        """A number that stands for all that was added so far; never smaller than one before."""
        ...

    def reached(self, mark: int) -> bool:
        """Whether all that a mark stands for is published."""
        ...

    def has_room(self, timeout: float) -> bool:
        """Whether more may be added; waits for that, `timeout` seconds at most."""
        ...

    def flush(self) -> None:
        """Wait until all that was added is published; StoreError when it cannot be."""
        ...
