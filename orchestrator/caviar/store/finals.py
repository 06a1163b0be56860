"""What the sweep's `final` function found, for each winner that it was run for: small JSON files, numbered."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from caviar.store.layout import FINAL, numbered_name, parse_number
from caviar.store.trouble import store_error

if TYPE_CHECKING:
    from caviar.store.sweep_dir import SweepDir


def finals(sweep: SweepDir) -> list[dict[str, Any]]:
    """All findings, oldest first: `trial`, `value`, `rule`, `metrics`, `when`.

    Raises:
        StoreError: They cannot be read.
    """
    folder = sweep.path / FINAL
    try:
        return [json.loads(sweep.disk.read(folder / name)) for name in _names(sweep, folder)]
    except (OSError, ValueError) as error:
        raise store_error("read", folder, error) from error


def add_final(sweep: SweepDir, finding: dict[str, Any]) -> None:
    """Append a finding.

    Raises:
        StoreError: It cannot be written.
    """
    folder = sweep.path / FINAL
    try:
        sweep.disk.make_folder(folder)
        number = len(_names(sweep, folder))
        sweep.disk.create(folder / numbered_name(number), json.dumps(finding, ensure_ascii=False).encode())
    except OSError as error:
        raise store_error("write to", folder, error) from error


def _names(sweep: SweepDir, folder: PurePath) -> list[str]:
    return sorted(name for name in sweep.disk.list(folder) if parse_number(name) is not None)
