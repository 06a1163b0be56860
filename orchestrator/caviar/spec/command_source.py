"""A command as the program of a sweep: a module that makes it, so that it is stored, resumed and sent as any other."""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from caviar.errors import SpecError, StoreError
from caviar.spec.code_snapshot import digest_of
from caviar.spec.secrets import refuse_secrets
from caviar_workers.command import FACTS, Command
from caviar_workers.config_form import own_name
from caviar_workers.messages import Program

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MODULE = "_experiment_command"
_FILES = "FILES"
"""In the module: the files that the command names, and their SHA-256 when the sweep was made."""
_MOST = 64 * 2**20
"""Bytes of a file that are looked at."""
_GIVING = {"args", "overrides", "config"}


def check_command(command: Command, parameters: Iterable[str]) -> None:
    """See that a command gets its parameters, and nothing that nobody knows; and that it holds no secret.

    Raises:
        SpecError: It does not, or does.
    """
    known = [own_name(name) for name in parameters]
    if (wrong := sorted(command.names - {*FACTS, *known})) != []:
        raise SpecError(
            f"the command has {{{wrong[0]}}}, which is none of {', '.join([*known, *FACTS])}: name one of these, or"
            f" write {{{{{wrong[0]}}}}} for the text itself"
        )
    if not command.names & {*_GIVING, *known} and command.read != "wandb":  # which gives them to wandb.config
        raise SpecError(
            f"the command {' '.join(command.words):.60} would be the same for every trial: add {{args}}, which is"
            f" {' '.join(f'--{name}=…' for name in known[:3])}"
        )
    refuse_secrets({"command": list(command.words)}, "the sweep's")


def command_of(functions: Mapping[str, Callable[..., Any] | None]) -> Command | None:
    """The command that is all there is of a sweep's functions; None: there is a function."""
    train = functions.get("train")
    others = [one for role, one in functions.items() if role != "train" and one is not None]
    return train if isinstance(train, Command) and not others else None


def command_program(command: Command, root: Path | None = None) -> Program:
    """The program of a command, in the present working folder if it names none.

    Args:
        command: The command.
        root: The folder of a project that travels; None: the command's files do not.

    Raises:
        SpecError: Its folder lies out of the project.
    """
    folder = os.path.abspath(command.folder or ".")
    digests = files_of(replace(command, folder=folder))
    command = replace(command, folder=folder if root is None else os.path.relpath(folder, root))
    if root is not None and (command.folder or "").startswith(".."):
        raise SpecError(f"the command begins in {folder}, which is not within {root}: name a folder that holds both")
    lines = [
        "from caviar_workers.command import Command",
        "",
        f"train = {command!r}",
        f"{_FILES} = {digests!r}",
        "",
    ]
    files = {MODULE: (os.path.join(folder, "<command>"), "\n".join(lines))}
    return Program(digest=digest_of(files), train="train", module=MODULE, files=files)


def files_of(command: Command) -> dict[str, str]:
    """The files that words of a command are, and their SHA-256; a program that is named by its whole path is none."""
    found = {}
    words = list(command.words)
    for word in words[1:] if os.path.isabs(words[0]) else words:
        path = Path(command.folder or ".", word)
        if word[:1] != "-" and (path.suffix or "/" in word) and path.is_file() and path.stat().st_size <= _MOST:
            found[word] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def title_of(command: Command) -> str:
    """What to call a sweep of a command: the first of its files, else its program."""
    return Path(next(iter(files_of(command)), command.words[0])).stem


def stored_command(program: Program) -> Command | None:
    """The command of a stored program, read and not run; None: it has a function.

    Raises:
        StoreError: It is not as `command_program` writes it.
    """
    if program.module != MODULE:
        return None
    try:
        given = _assigned(program, "train")
        keywords = given.keywords if isinstance(given, ast.Call) else []
        return Command(**{str(one.arg): ast.literal_eval(one.value) for one in keywords})
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise StoreError(f"the stored command of the sweep cannot be read: {error}") from error


def changed_files(program: Program) -> list[str]:
    """The files of a stored command that are there and not as they were when the sweep was made.

    Raises:
        StoreError: As of `stored_command`.
    """
    command = stored_command(program)
    if command is None or program.project:  # they travel
        return []
    try:
        then = dict(ast.literal_eval(_assigned(program, _FILES) or ""))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise StoreError(f"the stored command of the sweep cannot be read: {error}") from error
    now = files_of(command)
    return [name for name, digest in then.items() if now.get(name, digest) != digest]


def _assigned(program: Program, name: str) -> ast.expr | None:
    for node in ast.parse(program.files[MODULE][1]).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return node.value
    return None
