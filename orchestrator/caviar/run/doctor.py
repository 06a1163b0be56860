"""What may keep sweeps from running well, here and on a cluster, as a document: each thing, and what to type.

Nothing is changed. What takes long (the store, a new Python, a GPU's driver) is asked at the same time.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from caviar.display.typed_commands import typed
from caviar.errors import CaviarError, ClusterError, NotFoundError, StoreError
from caviar.run import machine_checks
from caviar.run.executors.cluster_checks import cluster_checks, here
from caviar.run.health import Check, Health
from caviar.run.job_server_checks import job_server_checks
from caviar.store import Store
from caviar.store.disk.location import is_uri
from caviar.store.disk.trial_write import TrialWrite, trial_write

if TYPE_CHECKING:
    from collections.abc import Iterable

LITTLE = 2**30
"""Bytes of a disk that are soon full."""
APART_S = 60.0
"""Seconds by which two clocks may differ: ownership goes by the store's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorDocument:
    """What was looked at.

    Attributes:
        store: where results are kept, or would be.
        address: of the cluster; None: none was given.
        checks: in the order in which a person reads them.
    """

    store: str
    address: str | None
    checks: tuple[Check, ...]


def doctor_document(store: str, address: str | None) -> DoctorDocument:
    """Look at this machine, this environment, the store, and the cluster if one is given.

    Args:
        store: A folder or URI, which need not be there.
        address: `auto` or `host:port` of a cluster, or http://host:8265 of a job server.
    """
    with ThreadPoolExecutor() as at_once:
        start = at_once.submit(machine_checks.start_check)
        gpu = at_once.submit(machine_checks.gpu_check)
        kept = at_once.submit(store_checks, store)
        ignored = at_once.submit(machine_checks.ignored_check, Path.cwd())
    quick = (machine_checks.python_check(), machine_checks.package_check(), machine_checks.shared_memory_check())
    slow = (start.result(), gpu.result(), *kept.result(), ignored.result())
    found = chain(quick, slow, _of_cluster(store, address))
    told = (replace(one, found=typed(one.found), advice=typed(one.advice)) for one in found if one is not None)
    return DoctorDocument(store=store, address=address, checks=tuple(told))


_ERRORS = {"store": StoreError, "python": CaviarError}
"""Of a check that failed; of all others, Ray's or the cluster's: ClusterError."""


def fault(document: DoctorDocument) -> CaviarError | None:
    """The error that says which checks failed; None: none did."""
    failed = [one.name for one in document.checks if one.health == Health.FAILED]
    if not failed:
        return None
    kind = _ERRORS.get(failed[0], ClusterError)
    return kind(f"sweeps would not run: {', '.join(failed)} failed; what to type stands behind each")


def _of_cluster(store: str, address: str | None) -> Iterable[Check]:
    if address is None:
        return ()
    if address.startswith(("http://", "https://")):
        return job_server_checks(address, here().ray)
    return cluster_checks(address, None if is_uri(store) else store)


def store_checks(store: str) -> tuple[Check, ...]:
    """Whether a store can be read and written to, and whose clock it goes by."""
    try:
        there = _is_there(store)
        written = trial_write(store)
    except CaviarError as error:
        return (Check(name="store", health=Health.FAILED, found=str(error)),)
    return (store_in_words(written, there=there), clock_in_words(written.ahead_s))


def _is_there(store: str) -> bool:
    """Whether there is a store; StoreError where none can be made because of what there is."""
    try:
        Store.open(store)
    except NotFoundError:
        return False
    except StoreError:
        if is_uri(store) or not os.path.isdir(store) or os.listdir(store):
            raise
        return False  # an empty folder, which becomes one
    return True


def store_in_words(written: TrialWrite, *, there: bool) -> Check:
    """Judge what came of a file that was written.

    Args:
        written: What was found out.
        there: Whether the store exists.
    """
    found = f"{written.path} {'can be written to' if there else 'is not there yet, and can be made'}"
    found = f"{found}; a name is taken once only"
    if written.free is None:
        return Check(name="store", found=found)
    found = f"{found}; {written.free / 2**30:.1f} GB to spare"
    if written.free < LITTLE:
        advice = "make room, or choose another store with --store PATH"
        return Check(name="store", health=Health.WARNING, found=found, advice=advice)
    return Check(name="store", found=found)


def clock_in_words(ahead_s: float) -> Check:
    """Judge by how many seconds the store's clock is ahead."""
    if abs(ahead_s) < APART_S:
        return Check(name="clock", found="this machine's is the store's, to within a minute")
    side = "behind" if ahead_s > 0 else "ahead of"
    return Check(
        name="clock",
        health=Health.WARNING,
        found=f"this machine's is {abs(ahead_s):.0f} s {side} the store's, and times of trials are wrong by that",
        advice="set it, by NTP",
    )
