"""All sweeps of a store in Python."""

from __future__ import annotations

import warnings
from pathlib import PurePath
from typing import TYPE_CHECKING

from caviar import store as stored
from caviar.display.typed_commands import told_for
from caviar.results.open_sweep import newest, say_not_shown, store_path
from caviar.space.call_hints import called_as
from caviar.store import Views
from caviar.sweep.answer import Answer
from caviar.sweep.result import Result

if TYPE_CHECKING:
    import pandas as pd


@called_as("Store(path)")
class Store:
    """A results store, with all its sweeps. One that cannot be read is left out, and why is logged.

    Args:
        path: Folder of the store, its URI, or a file of `caviar pack`; None: $CAVIAR_STORE, else `caviar-store`.

    Raises:
        NotFoundError: There is none.
        StoreError: It cannot be read.
    """

    def __init__(self, path: str | PurePath | None = None) -> None:
        self.path = store_path(path)
        with told_for(self.path):
            self._store = stored.Store.open(self.path)

    def sweeps(self) -> pd.DataFrame:
        """One row a sweep, oldest first: name, state, metric, counts of trials, who ran it, where, when."""
        return self.sql("SELECT * FROM sweeps ORDER BY sweep").df()

    def trials(self) -> pd.DataFrame:
        """One row a trial of any sweep; a parameter or metric that its sweep has not is missing."""
        return self.sql("SELECT * FROM trials ORDER BY sweep, trial").df()

    def curves(self) -> pd.DataFrame:
        """One row a report of any trial of any sweep."""
        return self.sql("SELECT * EXCLUDE (_row) FROM _curves ORDER BY sweep, trial, _row").df()

    def sql(self, query: str) -> Answer:
        """Ask the views sweeps, trials, curves, attempts, configs, logs, decisions, schedule of all sweeps: one SELECT.

        Returns:
            As of `Result.sql`.

        Raises:
            SpecError: The query is not one SELECT, or wrong.
        """
        with told_for(self.path):
            views = Views(self._store, leave_out=True)
            say_not_shown(views, warnings.warn)
            return Answer(views, query)

    def result(self, sweep: str | None = None) -> Result:
        """One sweep, by its id or its name; None: the latest.

        Raises:
            NotFoundError: There is none.
        """
        return Result(self.path, sweep)

    def pack(self, file: str | PurePath, *sweeps: str) -> str:
        """Write sweeps into one file, as `caviar pack`; without any, all of them.

        Args:
            file: Which ends in `.caviar`.
            sweeps: Ids or names.

        Returns:
            The file.

        Raises:
            NotFoundError: There is no such sweep.
            StoreError: One runs.
        """
        from caviar.results.packing import pack_document  # noqa: PLC0415 — few ask for it

        with told_for(self.path):
            found = [newest(self._store, one, warnings.warn) for one in sweeps] or self._store.sweeps()
            return pack_document(str(self.path), found, str(file)).file

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"
