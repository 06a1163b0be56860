"""What checks for drift found of a sweep's winner: small JSON files, numbered."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from caviar.errors import StoreError
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import DRIFT, numbered_name, parse_number
from caviar.store.untrusted_json import Unreadable, read

if TYPE_CHECKING:
    from pathlib import PurePath

    from _typeshed import DataclassInstance

    from caviar.store.sweep_dir import SweepDir

MOST_READ = 1000
"""Checks of one sweep that are looked at: the newest."""


def drift_checks(sweep: SweepDir) -> list[dict[str, Any]]:
    """All findings, oldest first, as they were written; each has `when`, an ISO time with its zone, and a `verdict`.

    Raises:
        StoreError: They cannot be read.
    """
    folder = sweep.path / DRIFT
    try:
        numbers = sorted(number for name in sweep.disk.list(folder) if (number := parse_number(name)) is not None)
        return [_read(sweep, folder / numbered_name(number)) for number in numbers[-MOST_READ:]]
    except OSError as error:
        raise store_error("read", folder, error) from error


def _read(sweep: SweepDir, path: PurePath) -> dict[str, Any]:
    try:
        return _checked(read(sweep.disk, path))
    except ValueError as error:
        raise StoreError(f"{path} cannot be understood ({error}): restore it from a copy, or delete it.") from error


def _checked(found: dict[str, Any]) -> dict[str, Any]:
    when, verdict = found.get("when"), found.get("verdict")
    if not isinstance(when, str) or datetime.fromisoformat(when).tzinfo is None:
        raise Unreadable("when is a time with its zone, but is something else")
    if not isinstance(verdict, str):
        raise Unreadable("verdict is text, but is something else")
    return found


def seeds_of(check: dict[str, Any]) -> list[int]:
    """The seeds that a check trained with, as far as its file tells."""
    found = [seed for name in ("seeds", "fresh") if isinstance(check.get(name), list) for seed in check[name]]
    return [seed for seed in found if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**32]


def add_drift_check(sweep: SweepDir, document: DataclassInstance) -> None:
    """Append a finding.

    Raises:
        StoreError: It cannot be written.
    """
    folder = sweep.path / DRIFT
    try:
        sweep.disk.make_folder(folder, within=sweep.path)
        names = sweep.disk.list(folder)
        number = 1 + max((one for name in names if (one := parse_number(name)) is not None), default=-1)
        sweep.disk.create(folder / numbered_name(number), json.dumps(asdict(document)).encode())
    except OSError as error:
        raise store_error("write to", folder, error) from error
