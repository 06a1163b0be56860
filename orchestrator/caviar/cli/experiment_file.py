"""A sweep out of its file: `caviar run FILE[:NAME]`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from caviar.cli.wandb_sweep import ENDINGS, wandb_sweep
from caviar.errors import SpecError
from caviar.spec.code_snapshot import ROLES
from caviar.spec.code_source import load_file, program_of
from caviar.sweep import Sweep


def split(reference: str) -> tuple[Path, str]:
    """Return the file that is meant, and the name in it; empty: none is given."""
    file, colon, name = reference.rpartition(":")
    return (Path(reference), "") if not colon or "/" in name or name.endswith(".py") else (Path(file), name)


def load(reference: str, metric: str | None = None) -> Sweep:
    """The Sweep that a file holds.

    Args:
        reference: `FILE`, or `FILE:NAME` where the file holds several; or a sweep of W&B in YAML.
        metric: For that one, the metric that decides.

    Raises:
        SpecError: There is no such file or sweep, or the file raises at import.
    """
    file, name = split(reference)
    if file.suffix.lower() in ENDINGS:
        return wandb_sweep(file, metric)
    module, program = load_file(file)
    sweeps = {key: value for key, value in vars(module).items() if isinstance(value, Sweep)}
    if not name and len({id(sweep) for sweep in sweeps.values()}) > 1:
        sweeps = _made_here(module, sweeps)
    distinct = {id(sweep): key for key, sweep in sweeps.items()}
    if name and name not in sweeps:
        raise SpecError(f"{file} holds no Sweep called {name!r}: it has {', '.join(sweeps) or 'none'}")
    if not sweeps:
        raise SpecError(f"{file} holds no Sweep: write sweep = Sweep(train, space={{…}}, metric=…) at its top level")
    if not name and len(distinct) > 1:
        raise SpecError(
            f"{file} holds {len(distinct)} sweeps ({', '.join(sweeps)}): say which, as {file}:{next(iter(sweeps))}"
        )
    found = sweeps[name or next(iter(sweeps))]
    # Now: another file's modules may take the place of these.
    named = program_of({role: getattr(found, role) for role in ROLES}, program)
    return replace(found, snapshot=named if named.module in program.files else program)


def _made_here(module: ModuleType, sweeps: dict[str, Sweep]) -> dict[str, Sweep]:
    """Return the sweeps of a file that no other module holds: those that it made itself; all, if it imported them
    all.
    """
    others = [other for other in list(sys.modules.values()) if other is not module and isinstance(other, ModuleType)]
    elsewhere = {id(value) for other in others for value in list(vars(other).values()) if isinstance(value, Sweep)}
    return {key: sweep for key, sweep in sweeps.items() if id(sweep) not in elsewhere} or sweeps
