"""The next sweep as a Python file that `caviar run` takes as it is: each change stands beside its reason."""

from __future__ import annotations

import ast
import keyword
import os
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caviar.results.imported import imported_from
from caviar.space import parameter_from_json
from caviar.spec.code_archive import called
from caviar.spec.command_source import stored_command
from caviar.spec.settings import SETTINGS

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep
    from caviar.results.understand_findings import NextDocument, ProposedParameter
    from caviar.spec.plan import Plan
    from caviar_workers.messages import Program

WIDTH = 110
OWN = {"mode", "trials", "seed", "name", "sampler", "rounds", "train_args", "tags"}
"""Settings that the file writes by itself, or that are not the next sweep's: its rounds are over."""
ROLES = ("final", "constraint", "data")


def no_file_of(opened: OpenSweep) -> str | None:
    """Why no file can be written that runs the code of a sweep; None: one can."""
    description = opened.sweep.description()
    origin = imported_from(description)
    if origin is not None:
        return f"it was imported from {origin.file} and has no code: put train into a file, with this space"
    if description.get("program", {}).get("kind", "function") == "function":
        return "its functions live in no file that gives them when it is imported: put train into one, with this space"
    program = called(opened.sweep.code())
    if stored_command(program) is not None:
        return None
    names = [*_imported_from(program)[0].split("."), *(name.split(".")[0] for name in _functions(program).values())]
    odd = next((name for name in names if not name.isidentifier() or keyword.iskeyword(name)), None)
    if odd is not None:
        return f"{odd} cannot be imported by its name: rename it, or put train into another file, with this space"
    return None


def next_file(opened: OpenSweep, plan: Plan, document: NextDocument, folder: str | None) -> str:
    """The source of the file.

    Args:
        opened: The sweep.
        plan: Its plan.
        document: What is proposed.
        folder: In which the file will lie: where that is not that of the sweep's code, the file says where this is.
    """
    program = called(opened.sweep.code())
    command = stored_command(program)
    module, home = _imported_from(program)
    functions = _functions(program) if command is None else {"train": repr(command)}
    heads = sorted({name.split(".")[0] for name in functions.values()})
    space = {one.name: parameter_from_json(one.after) for one in document.parameters}
    text = ", ".join(map(repr, space.values()))
    classes = [name for name in ("Choice", "Constant", "Float", "Int", "Prior") if f"{name}(" in text]
    classes = classes if command is None else [*classes, "Command"]
    away = folder is None or os.path.realpath(folder) != os.path.realpath(home)
    elsewhere = command is None and away
    lines = [
        f'"""The next sweep after {_plain(plan.name)} ({document.sweep}), as caviar next proposes it."""',
        "",
        *(["import sys", ""] if elsewhere else []),
        f"from caviar import {', '.join(sorted([*classes, 'Sweep']))}",
        "",
        *([f"sys.path.insert(0, {home!r})  # where {_plain(module)} lies", ""] if elsewhere else []),
        *(
            [f"from {module} import {', '.join(heads)}{'  # noqa: E402' if elsewhere else ''}", ""]
            if not command
            else []
        ),
        "sweep = Sweep(",
        f"    {functions['train']},",
        "    space={",
        *(line for one in document.parameters for line in _parameter(one)),
        "    },",
        *_arguments(plan, document, functions),
        ")",
        "",
    ]
    return "\n".join(lines)


def _functions(program: Program) -> dict[str, str]:
    """Role → qualified name of the function in its module."""
    found = {role: getattr(program, role) for role in ("train", *ROLES)}
    return {role: name for role, name in found.items() if name}


def _imported_from(program: Program) -> tuple[str, str]:
    """The name by which the module of a program is imported, and the folder that has to be on the path for it."""
    path = Path(program.files[program.module][0])
    if program.module.startswith("_experiment_"):
        return path.stem, str(path.parent)
    parts = program.module.split(".")
    return program.module, str(path.parents[len(parts) - (0 if program.module in program.packages else 1)])


def _parameter(one: ProposedParameter) -> Iterator[str]:
    """The lines of one parameter: its reason, and what it is now."""
    if one.reason:
        told = f"{one.name}{' ' if one.reason.startswith(('kept', 'dropped', 'held')) else ': '}{one.reason}"
        for line in textwrap.wrap(_plain(told), WIDTH - 10):
            yield f"        # {line}"
    yield f"        {one.name!r}: {parameter_from_json(one.after)!r},"


def _arguments(plan: Plan, document: NextDocument, functions: Mapping[str, str]) -> Iterator[str]:
    yield f"    metric={plan.metric!r},"
    yield f"    mode={plan.mode!r},"
    for line in textwrap.wrap(_plain(document.trials_reason), WIDTH - 6):
        yield f"    # {line}"
    yield f"    trials={document.trials},"
    yield f"    seed={(plan.seed + 1) % 2**63},"
    yield f"    name={document.name!r},"
    if isinstance(plan.sampler, str) and "grid" not in plan.sampler and plan.sampler != SETTINGS["sampler"].default:
        yield f"    sampler={plan.sampler!r},"
    for role in ROLES:
        if role in functions:
            yield f"    {role}={functions[role]},"
    for name, declared in SETTINGS.items():
        value = getattr(plan, name)
        if name not in OWN and value not in (declared.default, "", None) and _literal(value):
            yield f"    {name}={value!r},"
    if plan.tags:
        yield f"    tags={list(plan.tags)!r},"
    yield from _train_args(plan.train_args)


def _train_args(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Those of train's arguments that Python writes as literals; of the others a comment says so."""
    written = {name: value for name, value in arguments.items() if _literal(value)}
    if written:
        yield f"    train_args={written!r},"
    for name in arguments.keys() - written.keys():
        yield f"    # {_plain(name)} was given to train as well: set it in train_args"


def _literal(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False


def _plain(text: str) -> str:
    """Text that may stand in a comment or a docstring, on one line."""
    kept = "".join(character if character.isprintable() else " " for character in text)
    return kept.replace("\\", "/").replace('"""', "'''")
