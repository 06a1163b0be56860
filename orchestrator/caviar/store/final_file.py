"""Final files while they are written: in the owner's own folder, shown when they are whole."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caviar.disk.checksum import Summed
from caviar.store.segment import GroupWriter
from caviar.store.span import Span

if TYPE_CHECKING:
    from pathlib import PurePath
    from types import TracebackType

    import pyarrow as pa

    from caviar.store.manifest import DataFile
    from caviar.store.sweep_dir import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalFolder:
    """Where one end of a sweep puts its files."""

    sweep: SweepDir
    number: str
    """Beginning of the files' names, like that of no other end."""
    build: PurePath
    """The owner's folder; it vanishes when another process takes the sweep over."""
    files: list[DataFile]
    """Those that were shown."""

    def prepare(self, *tables: str) -> None:
        """Make the folders of these tables."""
        self.sweep.disk.make_folder(*(self.sweep.path / table for table in tables), within=self.sweep.path)

    def file(self, table: str, layout: pa.Schema, part: int = 0) -> FinalFile:
        """A new file of a table, by its place among them."""
        name = f"{table}/{self.number}-{part:04d}.parquet"
        return FinalFile(self, table, name, layout)


class FinalFile:
    """One file being written; shown and entered into the folder's list when its block ends without an error."""

    def __init__(self, folder: FinalFolder, table: str, name: str, layout: pa.Schema) -> None:
        self._folder = folder
        self._table = table
        self._name = name
        self._layout = layout
        self._stack = ExitStack()
        self.span = Span()
        """What was written so far."""

    def write(self, rows: pa.Table) -> None:
        """Add rows, which follow the last ones in order."""
        self._writer.write(self.span.take(rows))

    def __enter__(self) -> Self:
        folder = self._folder
        file = folder.sweep.disk.stream(folder.sweep.path / self._name, folder.build)
        self._summed = Summed(self._stack.enter_context(file))
        self._writer = self._stack.enter_context(GroupWriter(self._summed, self._layout, live=False))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if error is None:
            self._folder.files.append(self.span.as_file(self._table, self._name, self._summed.checksum))
