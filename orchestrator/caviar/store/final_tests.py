"""What the sweep's `final` function found, for each winner that it was run for: small JSON files, numbered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from caviar.errors import StoreError
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import FINAL_TESTS, numbered_name, parse_number
from caviar.store.untrusted_json import Unreadable, read, record

WINNER = ("sweep", "trial")
"""What tells winners apart."""

if TYPE_CHECKING:
    from caviar.store.sweep_dir import SweepDir


def final_results(sweep: SweepDir) -> list[dict[str, Any]]:
    """All findings, oldest first: `trial`, `value`, `rule`, `metrics`, `when`.

    Raises:
        StoreError: They cannot be read.
    """
    folder = sweep.path / FINAL_TESTS
    try:
        return [_read(sweep, folder / name) for name in _names(sweep, folder)]
    except OSError as error:
        raise store_error("read", folder, error) from error


def _read(sweep: SweepDir, path: PurePath) -> dict[str, Any]:
    try:
        found = read(sweep.disk, path, finite=False)
        record(_Final, found, later=True)
        metrics = found.get("metrics")
        if not isinstance(metrics, dict) or not all(isinstance(one, (int, float)) for one in metrics.values()):
            raise Unreadable("metrics is an object of numbers, but is something else")
    except ValueError as error:
        raise StoreError(f"{path} cannot be understood ({error}): restore it from a copy, or delete it.") from error
    return found


@dataclass(frozen=True, kw_only=True)
class _Final:
    trial: int
    value: float | None = None
    sweep: str = ""
    rule: str = ""
    when: str = ""
    looks: int = 1


def add_final(sweep: SweepDir, finding: dict[str, Any]) -> None:
    """Append a finding, unless there is one of the same winner.

    Two processes that do so at once, of which one does not know yet that it lost the sweep, count to the same number.

    Raises:
        StoreError: It cannot be written.
    """
    folder = sweep.path / FINAL_TESTS
    try:
        sweep.disk.make_folder(folder, within=sweep.path)
        winner = [finding.get(key) for key in WINNER]
        found = final_results(sweep)
        if winner not in [[one.get(key) for key in WINNER] for one in found]:
            path = folder / numbered_name(len(found))
            sweep.disk.create(path, json.dumps(finding, ensure_ascii=False).encode())
    except OSError as error:
        raise store_error("write to", folder, error) from error


def _names(sweep: SweepDir, folder: PurePath) -> list[str]:
    return sorted(name for name in sweep.disk.list(folder) if parse_number(name) is not None)
