"""The sweep's data: what its `data` function returns, made once and handed to every trial."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from caviar_workers.capture import Capture
from caviar_workers.data_digest import digest_of
from caviar_workers.failure import describe
from caviar_workers.hidden import without
from caviar_workers.lifeline import let_go
from caviar_workers.load import load_function
from caviar_workers.messages import DataDigest, Program
from caviar_workers.process import seed_everything
from caviar_workers.surroundings import where_import_leads
from caviar_workers.trainer import done_in_thread
from caviar_workers.trial import Trial

_SEED = 0
"""Of `data`, in every sweep: a round or a zoom, whose own seed is another, is compared with what came before it."""


def load_data(program: Program, arguments: Mapping[str, Any]) -> Any:
    """Call the program's `data` function, from the same random state whenever that is.

    Args:
        program: The user's code; it has such a function.
        arguments: Of train; those that the function takes too are handed to it.
    """
    function = load_function(program, program.data)
    seed_everything(_SEED)
    return function(**accepted(function, arguments))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedData:
    """What a sweep's `data` function returned, on its way to the trials."""

    value: Any
    digest: DataDigest


def digested(value: Any) -> LoadedData:
    """The data with its digest, taken before a trial can change it."""
    return LoadedData(value=value, digest=digest_of(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """What a call of `data` had to say."""

    printed: str
    """To both streams."""
    error: str | None = None
    """Its traceback; None: it returned."""


def load_data_first(
    program: Program, arguments: Mapping[str, Any], *, hidden: Iterable[str] = (), own_process: bool = True
) -> tuple[Loading, LoadedData | None]:
    """Load the data in a process whose next task may be to train: the program is imported as trials need it.

    Args:
        program: The user's code; it has such a function.
        arguments: Of train.
        hidden: Secrets that are blotted out of what is said.
        own_process: Nothing else runs in this process, so that what its children print is heard too.

    Returns:
        What the function said, and the data; None, if it raised.
    """
    if own_process:
        let_go()
    hidden = tuple(hidden)

    def load() -> tuple[str | None, Any]:
        try:
            with where_import_leads(program):
                load_function(program, program.data)
            capture.begin(Trial(sweep="", number=0, attempt=0, seed=_SEED))
            try:
                return None, load_data(program, arguments)
            finally:
                capture.end()
        except BaseException as error:
            return without(describe(error)[0], hidden), None

    with Capture(descriptors=own_process, hidden=hidden) as capture:
        error, data = done_in_thread(program.digest, load)
        printed = "".join(piece.text for piece in capture.pop_pieces())
    return Loading(printed=printed, error=error), None if error is not None else digested(data)


def accepted(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of train that another function takes too; copies, which are its own."""
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return copy.deepcopy(dict(arguments))
    return copy.deepcopy({name: value for name, value in arguments.items() if name in parameters})
