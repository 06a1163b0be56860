"""What the processes of a sweep trained with: one small JSON file for each host and each different fingerprint."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from caviar.errors import StoreError
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import FINGERPRINTS, numbered_name, parse_number
from caviar.store.untrusted_json import Unreadable, read, record
from caviar_workers.messages import DataDigest, Fingerprint, Machine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

    from caviar.store.sweep_dir import SweepDir

T = TypeVar("T")

MOST_KEPT = 100
"""Of one sweep; a cluster with more different machines tells of the first ones."""


def fingerprints(sweep: SweepDir) -> list[Fingerprint]:
    """All that were kept, oldest first.

    Raises:
        StoreError: They cannot be read.
    """
    folder = sweep.path / FINGERPRINTS
    try:
        numbers = [number for name in sweep.disk.list(folder) if (number := parse_number(name)) is not None]
        return [_read(sweep, folder / numbered_name(number)) for number in sorted(numbers)[:MOST_KEPT]]
    except OSError as error:
        raise store_error("read", folder, error) from error


def add_fingerprint(sweep: SweepDir, found: Fingerprint) -> None:
    """Keep a fingerprint, unless it is known, or enough are kept. By the sweep's owner only.

    Raises:
        StoreError: It cannot be written.
    """
    folder = sweep.path / FINGERPRINTS
    known = fingerprints(sweep)
    if found in known or len(known) >= MOST_KEPT:
        return
    try:
        sweep.disk.make_folder(folder, within=sweep.path)
        sweep.disk.create(folder / numbered_name(len(known)), json.dumps(asdict(found), ensure_ascii=False).encode())
    except OSError as error:
        raise store_error("write to", folder, error) from error


def _read(sweep: SweepDir, path: PurePath) -> Fingerprint:
    try:
        found = read(sweep.disk, path)
        host = found.get("host", "")
        if not isinstance(host, str):
            raise Unreadable("host is text, but is something else")
        return Fingerprint(
            host=host,
            machine=_flat(Machine, _object(found, "machine")),
            distributions=_texts(_object(found, "distributions")),
            data=_flat(DataDigest, _object(found, "data")),
        )
    except ValueError as error:
        raise StoreError(f"{path} cannot be understood ({error}): restore it from a copy, or delete it.") from error


def _object(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name, {})
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is an object, but is something else")
    return value


def _texts(found: dict[str, Any]) -> dict[str, str]:
    if not all(isinstance(value, str) for value in found.values()):
        raise Unreadable("distributions is an object of texts, but is something else")
    return found


def _flat(cls: type[T], found: Mapping[str, Any]) -> T:
    """A dataclass of texts, numbers and lists of texts; what a later version has added is left out."""
    lists = [item.name for item in fields(cls) if item.default == ()]  # type: ignore[arg-type]  # a dataclass
    for name in lists:
        value = found.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise Unreadable(f"{name} is a list of texts, but is something else")
    flat = record(cls, {key: value for key, value in found.items() if key not in lists}, later=True)
    return replace(flat, **{name: tuple(found.get(name, ())) for name in lists})  # type: ignore[type-var]  # likewise
