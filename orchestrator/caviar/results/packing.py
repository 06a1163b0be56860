"""Sweeps that were packed into a file, or unpacked out of one, as documents; this is where it is done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caviar.display.whole_file import to_file
from caviar.errors import SpecError
from caviar.store.packed import write_pack
from caviar.store.store import PACKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.store import Store, SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class PackDocument:
    """Sweeps that are in a file.

    Attributes:
        store: where they were, or are.
        file: the file.
        sweeps: their ids.
        bytes: the file's size.
    """

    store: str
    file: str
    sweeps: tuple[str, ...]
    bytes: int


def pack_document(store: str, sweeps: Sequence[SweepDir], file: str) -> PackDocument:
    """Pack sweeps of a store that the user named so.

    Raises:
        SpecError: The file's name does not end in `.caviar`, or it cannot be written.
        StoreError: As of `write_pack`.
    """
    if Path(file).suffix != PACKED:
        raise SpecError(f"a file of sweeps ends in {PACKED}, but got {file!r}: name it so, that others may read it")
    to_file(file, lambda aside: write_pack(sweeps, aside))
    ids = tuple(sweep.id for sweep in sweeps)
    return PackDocument(store=store, file=file, sweeps=ids, bytes=Path(file).stat().st_size)


def unpack_document(store: Store, place: str, file: str) -> PackDocument:
    """Unpack a file into a store that the user named so; errors as of `Store.add_packed`."""
    sweeps = store.add_packed(Path(file))
    return PackDocument(
        store=place, file=file, sweeps=tuple(sweep.id for sweep in sweeps), bytes=Path(file).stat().st_size
    )
