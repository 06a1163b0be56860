"""What a query found."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from caviar.store import Views


class Answer:
    """The rows that a query found: DuckDB's own result, with all its methods, which shows itself as a table too."""

    def __init__(self, views: Views, query: str) -> None:
        self._views = views  # kept: the connection is theirs
        self._query = query
        self._found = views.ask(query)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that were not fetched yet."""
        return self._found.fetchall()

    def df(self) -> pd.DataFrame:
        """All rows that were not fetched yet, as a pandas data frame."""
        return self._found.df()

    def to_arrow_table(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # DuckDB 2 advises against what costs a copy of the rows
            return self._found.to_arrow_table()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_found" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._found, name)

    def __repr__(self) -> str:
        with self._views.beside() as beside:  # what is fetched here is not fetched there
            return str(beside.sql(self._query))
