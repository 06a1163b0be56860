"""The user's program on its way to the processes that train: in Ray's object store, once."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import ray

from caviar.errors import SpecError
from caviar.run.executors.pickled_functions import at_fault, caches_by_value
from caviar.spec.code_source import own_modules
from caviar_workers.messages import Program

Sent = tuple[Program, list[Any]]
"""A program without the files that travel with it, and the reference to these, if there are any."""


def sent(program: Program) -> Any:
    """Put a program into Ray's object store; the files that travel with it, which most processes find unpacked, apart.

    Raises:
        SpecError: It cannot be pickled.
    """
    # By their names, workers would import what a module's file says now, and not what the driver has made of it.
    given = own_modules(program.functions.values()) if program.reason else []
    for module in given:
        ray.cloudpickle.register_pickle_by_value(module)
    own = {"__main__", *(module.__name__ for module in given)}
    try:
        with caches_by_value(own):
            return _put(program, own)
    finally:
        for module in given:
            ray.cloudpickle.unregister_pickle_by_value(module)


def _put(program: Program, own: Collection[str]) -> Any:
    try:
        return ray.put((_pickled(replace(program, archive=b"")), [ray.put(program.archive)] if program.archive else []))
    except Exception as error:  # functions that live in no file are pickled; anything may be in them
        why = " ".join(str(error.__cause__ or error).split())
        also = f" (they are sent as they are, because {program.reason})" if program.reason else ""
        faults = (at_fault(one, name, own, ray.cloudpickle.dumps) for name, one in program.functions.items())
        raise SpecError(
            f"train cannot be sent to the processes that run it, for {next(filter(None, faults), 'what it uses')}: "
            f"{why:.200}; let train make or open such things itself{also}"
        ) from error


def _pickled(program: Program) -> Program:
    """The program with its functions as a pickle of their own: Ray would import what they import from the disk."""
    if not program.functions:
        return program
    buffers: list[Any] = []  # beside it, so that processes share large arrays in Ray's store, and do not copy them
    data = ray.cloudpickle.dumps(dict(program.functions), protocol=5, buffer_callback=buffers.append)
    return replace(program, functions={}, pickled=(uuid.uuid4().bytes, data, *buffers))
