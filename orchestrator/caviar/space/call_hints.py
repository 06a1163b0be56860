"""Classes that say in a sentence how they are to be called, where somebody calls them as another library's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from caviar.errors import SpecError, did_you_mean

C = TypeVar("C", bound=type)


def called_as(usage: str, **theirs: str) -> Callable[[C], C]:
    """Let a class raise SpecError where its arguments do not fit.

    Args:
        usage: How it is called, such as `Float(low, high, scale="log")`.
        theirs: What others call an argument, and what to write here.
    """

    def decorate(cls: C) -> C:
        made = cls.__init__  # type: ignore[misc]  # of the class, not of an object
        signature = inspect.signature(made)

        @wraps(made)
        def checked(self: Any, *args: Any, **given: Any) -> None:
            try:
                made(self, *args, **given)
            except TypeError as error:
                try:
                    signature.bind(self, *args, **given)
                except TypeError as misfit:
                    names = [name for name in signature.parameters if name != "self"]
                    raise SpecError(f"{cls.__name__} {_sentence(usage, theirs, names, given, misfit)}") from error
                raise

        cls.__init__ = checked  # type: ignore[misc]
        return cls

    return decorate


def _sentence(usage: str, theirs: dict[str, str], names: list[str], given: dict[str, Any], misfit: TypeError) -> str:
    for name in given:
        if name not in names:
            meant = f"; write {theirs[name]}" if name in theirs else did_you_mean(name, names)
            return f"has no argument {name!r}{meant}"
    what = str(misfit).replace("missing a required argument:", "no").replace("too many positional", "more")
    return f"is written as {usage}, but got {what}"
