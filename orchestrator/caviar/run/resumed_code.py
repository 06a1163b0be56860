"""The code that a sweep is resumed with: what is stored, or, for who insists on it, what its files are now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caviar.errors import SpecError
from caviar.run.code_to_run import Code, code_of, lives_in_no_file, program_to_read
from caviar.spec.code_snapshot import ROLES
from caviar.spec.code_today import program_today, unchanged
from caviar.spec.command_source import MODULE as COMMAND
from caviar.spec.command_source import changed_files
from caviar.spec.plan import Plan
from caviar.spec.project_archive import home_of, packages_in, with_project
from caviar_workers.load import load_function
from caviar_workers.project import moved

if TYPE_CHECKING:
    from caviar.display.progress import ProgressDisplay
    from caviar.store import SweepDir
    from caviar_workers.messages import Program


def resumed_program(
    sweep_dir: SweepDir, plan: Plan, progress: ProgressDisplay, code: Code, *, force: bool, folder: Path | None
) -> tuple[Program, bool]:
    """The program to go on with, and whether it is another than before.

    Args:
        sweep_dir: The sweep.
        plan: Its plan, which says what travels with its code.
        progress: Is told what has changed.
        code: What it may run with.
        force: Take its files as they are now.
        folder: Where they are now; None: where they were.

    Raises:
        SpecError: Its files are to be taken, and cannot be.
    """
    if lives_in_no_file(sweep_dir) and code.live is not None:
        return code.live, code.live.digest != program_to_read(sweep_dir).digest
    stored = code_of(sweep_dir, code)
    for name in changed_files(stored):
        progress.note(f"{name} has changed since the sweep began: trials from here on may differ from those before")
    there = stored if folder is None else _elsewhere(stored, folder)
    path = Path(there.files[there.module][0])
    if stored.module == COMMAND and stored.project and force:
        present = with_project(there, Path(there.root), plan.files, packages=packages_in(stored.archive))
        return present, present.project != stored.project
    if not path.is_file():
        if force:
            raise SpecError(
                f"--force takes the experiment as it is now, but there is no {path}: leave --force out, or name the "
                "folder that it is in now with --from DIR"
            )
        return stored, False  # on another machine, say
    present_or_none = _present(there, path, force)
    if present_or_none is not None and force:
        home = Path(there.root) if there.project else home_of(there)
        extra = packages_in(stored.archive)
        present_or_none = with_project(present_or_none, home, plan.files, packages=extra)
    same_files = not force or (present_or_none is not None and present_or_none.project == stored.project)
    if present_or_none is not None and same_files and unchanged(there, present_or_none):
        return stored, False
    if not force or present_or_none is None:
        progress.note(
            f"{path} has changed since: going on with the code that the sweep began with (--force takes the new one)"
        )
        return stored, False
    progress.note(f"going on with {path} as it is now: trials from here on may differ from those before")
    return present_or_none, True


def program_from(sweep_dir: SweepDir, file: Path, code: Code) -> Program:
    """The program of a sweep as another file has it: the functions of the same names.

    Args:
        sweep_dir: The sweep.
        file: The experiment's file, perhaps a copy that was changed.
        code: Whether its code may run.

    Raises:
        SpecError: The sweep's code is in no file, or this one cannot be read or has no such functions.
    """
    stored = code_of(sweep_dir, code)
    if lives_in_no_file(sweep_dir) or stored.module == COMMAND:
        raise SpecError(f"sweep {sweep_dir.id} does not train with a function of a Python file, as --code gives it")
    if not file.is_file():
        raise SpecError(f"there is no file {file} to go on with: nothing was changed")
    there = replace(stored, files={**stored.files, stored.module: (str(file.absolute()), "")})
    try:
        found = program_today(there)
        for name in filter(None, (getattr(stored, role) for role in ROLES)):
            load_function(found, name)
        files = Plan.from_json(sweep_dir.description()["plan"]).files
        return with_project(found, home_of(found), files, packages=packages_in(stored.archive))
    except Exception as error:
        raise SpecError(f"{file} cannot be gone on with: {error}; nothing was changed") from error


def _elsewhere(stored: Program, folder: Path) -> Program:
    """A stored program as if its project lay in another folder."""
    there = moved(replace(stored, root=stored.root or str(home_of(stored))), str(folder.absolute()))
    return there if stored.project else replace(there, root="")


def _present(stored: Program, path: Path, force: bool) -> Program | None:
    """The program as its file is now; None: it cannot be read, and nobody insists on it."""
    names: dict[str, Any] = {role: getattr(stored, role) for role in ROLES}
    try:
        found = program_today(stored)
        if force and found.digest != stored.digest:
            for name in filter(None, names.values()):
                load_function(found, name)
    except Exception as error:
        if force:
            raise SpecError(f"--force takes {path} as it is now, which cannot be run: {error}") from error
        return None
    return found
