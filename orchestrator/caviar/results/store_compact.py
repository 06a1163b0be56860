"""Which sweeps of a store were compacted, as a document; this is where it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.finalize import compact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caviar.results.open_sweep import Say
    from caviar.store import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactDocument:
    """Sweeps that were compacted.

    Attributes:
        store: where they are.
        compacted: their ids.
    """

    store: str
    compacted: tuple[str, ...]


def compact_document(
    store: str, sweeps: Iterable[SweepDir], say: Say, *, take_over: bool
) -> tuple[CompactDocument, list[StoreError]]:
    """Sort what some sweeps recorded into few files, each as far as it can be; and the errors of those that cannot.

    Args:
        store: Where the sweeps are.
        sweeps: Those to compact.
        say: Told of each that was.
        take_over: As for `compact`.
    """
    failed: list[StoreError] = []
    done = []
    for sweep in sweeps:
        try:
            compact(sweep, take_over=take_over)
        except StoreError as error:  # the others can be compacted all the same
            failed.append(error)
            continue
        done.append(sweep.id)
        say(f"compacted {sweep.id}")
    return CompactDocument(store=store, compacted=tuple(done)), failed
