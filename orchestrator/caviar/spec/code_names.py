"""What a function's code reads: globals, attributes of modules, and what it imports as it runs."""

from __future__ import annotations

import dis
import functools
import itertools
from collections.abc import Iterable, Iterator
from importlib.util import resolve_name
from types import CodeType

Names = dict[str, set[str] | None]
"""Name of a module → what is read of it, as dotted names (`inner.RATE`); None: it may be anything."""
FINDERS = {"import_module", "__import__", "resolve_name"}
"""What imports a module by a name that is a value."""


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
        for position, step in enumerate(steps):
            if step.opname in _READS:
                _add(found, step.argval, _chain(steps, position))
    return found


def of_attribute(names: Iterable[str], name: str) -> set[str] | None:
    """Return what is read of one of a module's attributes, given what is read of the module; None: it may be
    anything.
    """
    rest = [one.partition(".")[2] for one in names if one.partition(".")[0] == name]
    return set(rest) if all(rest) else None


def finds_modules(code: CodeType) -> bool:
    """Whether a function, or one within it, may reach modules by names that are made up as it runs."""
    if {"sys", "modules"} <= attribute_names(code):
        return True
    for one in _all(code):
        steps = _steps(one)
        for position, step in enumerate(steps):
            if not _is_finder(step) or step.opname.startswith("STORE"):
                continue
            if step.opname == "IMPORT_FROM":
                following = steps[position + 1]
                under_its_name = following.opname.startswith("STORE") and following.argval == step.argval
            if not (under_its_name if step.opname == "IMPORT_FROM" else _constant(steps, position)):
                return True
    return False


def _constant(steps: tuple[dis.Instruction, ...], position: int) -> str | None:
    """The module that `import_module` is called with there, if it is a text in the code."""
    if steps[position].argval != "import_module":
        return None
    given, call = (*steps[position + 1 : position + 3], None, None)[:2]
    if given is None or call is None or given.opname != "LOAD_CONST" or not call.opname.startswith(("CALL", "PRECALL")):
        return None
    return given.argval if isinstance(given.argval, str) and not given.argval.startswith(".") else None


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
            if _is_finder(step) and (name := _constant(steps, position)) is not None:
                _add(found, name, None)
            if step.opname == "IMPORT_NAME":
                _add_import(found, code, steps, position, package)
    return found


def _add_import(found: Names, code: CodeType, steps: tuple[dis.Instruction, ...], position: int, package: str) -> None:
    """Add what an import statement imports, and what is read of it."""
    said, chosen = steps[position].argval, steps[position - 1].argval
    if not chosen:
        top = said.partition(".")[0]
        following = steps[position + 1]
        found.setdefault(said, set())
        if following.opname.startswith("STORE_") and following.argval == top:
            for attribute in _local_uses(code, top):
                _add(found, top, attribute)
        else:  # `as`, or out of sight
            _add(found, said, None)
        return
    level = next((s.argval for s in reversed(steps[:position]) if isinstance(s.argval, int)), 0)
    name = resolve_name("." * level + said, package) if level and package else said
    for part in chosen:
        _add(found, name, part)
        _add(found, f"{name}.{part}", None)  # which may be a module


def _local_uses(code: CodeType, name: str) -> Iterator[str | None]:
    """Return what a function, or one within it, reads of a variable of its own; None: the variable itself."""
    for one in _all(code):
        steps = _steps(one)
        for position, step in enumerate(steps):
            names = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            if "LOAD_" in step.opname and step.opname not in (*_OF, "LOAD_CONST") and name in names:
                yield _chain(steps, position) if names == (name,) else None


def _chain(steps: tuple[dis.Instruction, ...], position: int) -> str | None:
    """The attributes that are read one of another from there, as a dotted name; None: it is used as it is."""
    behind = itertools.takewhile(lambda one: one.opname in _OF, steps[position + 1 :])
    return ".".join(one.argval for one in behind) or None


def _is_finder(step: dis.Instruction) -> bool:
    return isinstance(step.argval, str) and step.argval in FINDERS


_READS = ("LOAD_GLOBAL", "LOAD_NAME")
_OF = ("LOAD_ATTR", "LOAD_METHOD")


def _add(found: Names, name: str, attribute: str | None) -> None:
    known = found.setdefault(name, set())
    if attribute is None or known is None:
        found[name] = None
    else:
        known.add(attribute)


@functools.lru_cache(4096)
def _steps(code: CodeType) -> tuple[dis.Instruction, ...]:
    steps = dis.get_instructions(code)
    return tuple(step for step in steps if step.opname not in {"CACHE", "PUSH_NULL", "EXTENDED_ARG"})


def _all(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _all(inner)
