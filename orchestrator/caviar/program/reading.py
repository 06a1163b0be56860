"""What a function's code reads: globals, attributes of modules, and what it imports as it runs."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from importlib.util import resolve_name
from types import CodeType

Names = dict[str, set[str] | None]
"""Name of a module → the attributes that are read of it; None: it may be any of them."""


def global_names(code: CodeType) -> set[str]:
    """Names of globals that a function, or one within it, reads."""
    return {str(step.argval) for one in _all(code) for step in _steps(one) if step.opname in _READS}


def attribute_names(code: CodeType) -> set[str]:
    """Names of attributes that a function, or one within it, reads, and of globals."""
    return {name for one in _all(code) for name in one.co_names}


def module_uses(code: CodeType) -> Names:
    """The globals that a function, or one within it, reads, with what is read of them."""
    found: Names = {}
    for one in _all(code):
        steps = _steps(one)
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            if step.opname in _READS:
                attribute = following.argval if following is not None and following.opname in _OF else None
                _add(found, step.argval, attribute)
    return found


def imports_in(code: CodeType, package: str) -> Names:
    """Absolute names of modules that a function, or one within it, imports as it runs.

    Args:
        code: The function's code.
        package: The package that it is written in, for relative imports; empty: none.
    """
    found: Names = {}
    for one in _all(code):
        steps = _steps(one)
        for position, step in enumerate(steps):
            if step.opname != "IMPORT_NAME":
                continue
            level = next((s.argval for s in reversed(steps[:position]) if isinstance(s.argval, int)), 0)
            name = resolve_name("." * level + step.argval, package) if level and package else step.argval
            chosen = []
            for following in steps[position + 1 :]:
                if following.opname == "IMPORT_FROM":
                    chosen.append(following.argval)
                elif not following.opname.startswith(("STORE_", "SWAP", "POP_TOP", "CACHE")):
                    break
            for part in chosen or [None]:
                _add(found, name, part)
                if part is not None:
                    _add(found, f"{name}.{part}", None)  # which may be a module
    return found


_READS = ("LOAD_GLOBAL", "LOAD_NAME")
_OF = ("LOAD_ATTR", "LOAD_METHOD")


def _add(found: Names, name: str, attribute: str | None) -> None:
    known = found.setdefault(name, set())
    if attribute is None or known is None:
        found[name] = None
    else:
        known.add(attribute)


def _steps(code: CodeType) -> list[dis.Instruction]:
    return [step for step in dis.get_instructions(code) if step.opname not in {"CACHE", "PUSH_NULL", "EXTENDED_ARG"}]


def _all(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _all(inner)
