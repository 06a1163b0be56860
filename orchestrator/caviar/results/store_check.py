"""What a check of a store's sweeps found, as a document; what is damaged is set aside as it is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.display.typed_commands import typed
from caviar.store import check, quarantine
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import LOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caviar.store import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something in a sweep that is not as it was written.

    Attributes:
        sweep: its id.
        file: path within the sweep's folder; empty: the sweep could not be looked at, or set right.
        table: which the file is of; `lost`: a segment that is gone; empty: of none.
        rows: that the file should have; None: unknown.
        what: is wrong, for a person.
        set_aside: whether the file counts no more, so that the rest can be read.
    """

    sweep: str
    file: str
    table: str
    rows: int | None
    what: str
    set_aside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDocument:
    """The outcome of a check.

    Attributes:
        store: where it is.
        sweeps: ids of those that were looked at.
        findings: sweep after sweep.
    """

    store: str
    sweeps: tuple[str, ...]
    findings: tuple[Fault, ...]


def check_document(store: str, sweeps: Sequence[SweepDir], *, dry_run: bool, skip_lost: bool) -> CheckDocument:
    """Read every byte of some sweeps, and compare it with what was written.

    Args:
        store: Where the sweeps are.
        sweeps: Those to look at. One that cannot be read is a fault; the others are looked at all the same.
        dry_run: Change nothing; otherwise damaged files are set aside.
        skip_lost: Give up segments that are gone, too.
    """
    faults = (fault for sweep in sweeps for fault in _faults(sweep, dry_run, skip_lost))
    return CheckDocument(store=store, sweeps=tuple(sweep.id for sweep in sweeps), findings=tuple(faults))


def _faults(sweep: SweepDir, dry_run: bool, skip_lost: bool) -> Iterator[Fault]:
    found: list[check.Finding] = []
    aside: set[str] = set()
    try:
        found = list(check.check(sweep))
        if not dry_run:
            aside |= {file.name for file in quarantine.quarantine(sweep, found)}
        if skip_lost and not dry_run and quarantine.skip_lost(sweep):
            aside |= {one.name for one in found if one.hole}
    except OSError as error:  # of this sweep; what was found is told
        doing = "set aside what is damaged in" if found else "check"
        found.append(check.Finding(name="", what=str(store_error(doing, sweep.path, error))))
    for one in found:
        yield Fault(
            sweep=sweep.id,
            file=one.name,
            table=LOST if one.hole else one.table,
            rows=one.rows,
            what=typed(one.what),
            set_aside=one.name in aside,
        )
