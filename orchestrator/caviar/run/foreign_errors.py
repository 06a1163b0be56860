"""Code that is not the driver's own, such as Optuna's: what it raises ends the sweep in one sentence that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from caviar.errors import CaviarError, SpecError

T = TypeVar("T")


@contextmanager
def named_errors(who: str) -> Iterator[None]:
    """Turn what the block raises into a sentence about `who`, such as `the searcher gp`.

    Raises:
        SpecError: It raised something that is not a sentence of ours already.
    """
    try:
        yield
    except CaviarError:
        raise
    except Exception as error:
        raise SpecError(
            f"{who} raised {_in_words(error)}: put that right, or start a sweep without it; of one that had begun all "
            "that was reported is saved, and caviar resume goes on with it"
        ) from error


def _in_words(error: Exception) -> str:
    """The error with the line that raised it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    place = "" if frames is None else f" ({frames.tb_frame.f_code.co_filename}, line {frames.tb_lineno})"
    said = " ".join(str(error).split())
    return f"{type(error).__name__}{f': {said:.300}' if said else ''}{place}"


def with_named_errors(who: str, code: T) -> T:
    """Return an object with the methods of `code`; what they raise is turned into a sentence about `who`."""
    return cast("T", _NamedErrors(who, code))


class _NamedErrors:
    def __init__(self, who: str, code: Any) -> None:
        self._who = who
        self._code = code

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The method, which is looked up once."""
        method = getattr(self._code, name)

        def call(*args: Any, **given: Any) -> Any:
            try:
                return method(*args, **given)
            except Exception:
                with named_errors(self._who):
                    raise

        setattr(self, name, call)
        return call
