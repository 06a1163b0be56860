"""The sweep's data: what its `data` function returns, made once and handed to every trial."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from caviar_workers.load import load_function
from caviar_workers.messages import Program
from caviar_workers.process import seed_everything
from caviar_workers.surroundings import where_import_leads
from caviar_workers.trainer import done_in_thread

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


def load_data_first(program: Program, arguments: Mapping[str, Any]) -> Any:
    """Load the data in a process whose next task may be to train: the program is imported as trials need it."""

    def load() -> Any:
        with where_import_leads(program):
            load_function(program, program.data)
        return load_data(program, arguments)

    return done_in_thread(program.digest, load)


def accepted(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of train that another function takes too; copies, which are its own."""
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return copy.deepcopy(dict(arguments))
    return copy.deepcopy({name: value for name, value in arguments.items() if name in parameters})
