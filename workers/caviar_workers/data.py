"""The sweep's data: what its `data` function returns, made once and handed to every trial."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from caviar_workers.load import load_function
from caviar_workers.messages import Program


def load_data(program: Program, arguments: Mapping[str, Any]) -> Any:
    """Call the program's `data` function.

    Args:
        program: The user's code; it has such a function.
        arguments: Of train; those that the function takes too are handed to it.
    """
    function = load_function(program, program.data)
    return function(**accepted(function, arguments))


def accepted(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of train that another function takes too; copies, which are its own."""
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return copy.deepcopy(dict(arguments))
    return copy.deepcopy({name: value for name, value in arguments.items() if name in parameters})
