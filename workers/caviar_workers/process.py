"""A process before a trial begins in it: what it was used for, its computing threads, and its random state.

CUDA reads its setting once. So a process that is used again with other devices than at first would, without a word, go
on computing on the old ones, beside another trial.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import sys
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from caviar_workers.lifeline import let_go
from caviar_workers.messages import Lease

_limited: dict[str, int] = {}


def limit_threads(cpus: float, wished: str | None) -> None:
    """Limit BLAS and OpenMP pools to max(1, ⌊cpus⌋) threads, or as many as the sweep's own OMP_NUM_THREADS says, in
    this thread and process, from now on.

    Called when the user's modules are imported: a library loaded later obeys OMP_NUM_THREADS, which Ray sets.
    """
    threads = int(wished) if wished and wished.isdecimal() and int(wished) else max(1, int(cpus))
    if _limited.get("threads") != threads:
        threadpool_limits(limits=threads)
        _limited["threads"] = threads


# What random.seed does with a whole number, without asking what else it might be, which takes a microsecond.
_seed = super(random.Random, random._inst).seed


def seed_everything(seed: int) -> None:
    """Seed `random`, numpy's global generator, and torch on all devices if it is imported.

    Args:
        seed: 0 … 2^32 − 1.
    """
    _seed(seed)
    random._inst.gauss_next = None  # type: ignore[attr-defined]
    np.random.seed(seed)  # the legacy global state is exactly what user code may draw from
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


VISIBLE = "CUDA_VISIBLE_DEVICES"

_devices: list[str] = []
"""What the leases before this one were assigned; the empty string: no device."""
_forked: list[bool] = []
"""Not empty in a process that was forked from one with libraries in it, rather than begun."""
_BROKEN = "and is spent"
"""In their place, when a device does not answer this process any more, or too many files are open."""

_CROWDED = 0.75
"""Share of the files that a process may have open, from which it is left."""

_kept = [0]
"""Bytes of tensors that stayed on the GPUs after the last full collection: torch's own, and the user's globals."""


class WrongProcessError(Exception):
    """The lease must run in another process, or the rest of it: trials that it has said nothing of have not begun."""


def assigned(lease: Lease) -> str:
    """The devices of a lease, as CUDA_VISIBLE_DEVICES writes them; empty: none."""
    return os.environ.get(VISIBLE, "") if lease.demand.gpus else ""


def begin_forked() -> None:
    """Note that this process was forked. No two such processes draw what the libraries' generators were to draw.

    `random` sees to that by itself.
    """
    _forked.append(True)
    np.random.seed()
    if (torch := sys.modules.get("torch")) is not None:
        torch.seed()


def enter(lease: Lease) -> None:
    """Take the present process, which is ours alone, for a lease.

    A trial that asks for no GPU sees none, whatever the machine's settings are.

    Raises:
        WrongProcessError: It computed on other devices before, or was used at all when the lease wants a fresh one, or
            was forked when it wants one that was not.
    """
    let_go()
    if _forked and not lease.demand.forked:
        raise WrongProcessError("this process was forked from another one")
    if not lease.demand.gpus:
        os.environ[VISIBLE] = ""
    devices = assigned(lease)
    if _devices and (lease.demand.fresh or devices != _devices[0]):
        raise WrongProcessError(f"this process was used with the devices {_devices[0]!r}, and is now given {devices!r}")
    _devices[:] = [devices]


def crowded() -> str:
    """A sentence, if this process has nearly as many files open as it may have; empty: it has not.

    What trials leave open, such as the pipes of their children, adds up, until one fails that has done nothing wrong.
    So no lease may begin here again.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        lowest = os.dup(2)  # the lowest number that is free: quicker than to count, and than to open a file
        os.close(lowest)
    except OSError:
        lowest = most
    if most == resource.RLIM_INFINITY or lowest < _CROWDED * most:
        return ""
    _devices[:] = [_BROKEN]
    return (
        f"this process has some {lowest:,} files open, and may have {most:,}: its trials leave files, pipes or sockets "
        "open; the next ones get another process"
    )


def release_memory() -> Exception | None:
    """Give the GPU memory back that torch keeps for later, so that the next trial, here or elsewhere, finds it free.

    Returns:
        The error, if the GPU does not answer this process any more: after an index out of range in a kernel, say, CUDA
        refuses every call until the process ends, and so no lease may begin here again. None: all is well.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    try:
        torch.cuda.synchronize()
        if _allocated(torch) > _kept[0]:
            gc.collect()  # a tenth of a second with torch imported; most trials end without a cycle that holds a tensor
            _kept[0] = _allocated(torch)
        torch.cuda.empty_cache()
    except Exception as error:  # whatever it was, a process that cannot free its memory is not used again
        _devices[:] = [_BROKEN]
        return error
    return None


def _allocated(torch: Any) -> int:
    return sum(torch.cuda.memory_allocated(device) for device in range(torch.cuda.device_count()))
