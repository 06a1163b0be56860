"""DuckDB, with nothing allowed but reading the files of some sweeps; and which file is damaged."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
import threading
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from caviar.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import PurePath


READING = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}

TABLE_FUNCTIONS = {
    "duckdb_columns",
    "duckdb_functions",
    "duckdb_keywords",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "histogram",
    "histogram_values",
    "json_each",
    "json_tree",
    "pragma_table_info",
    "pragma_version",
    "range",
    "repeat",
    "repeat_row",
    "summary",
    "unnest",
}
"""Table functions a query may call. Others read files, run further SQL or switch on logs, all in a SELECT."""


def text(value: object) -> str:
    """A string as an SQL literal; None as NULL."""
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


def name(column: str) -> str:
    """Return a column's name, quoted."""
    return '"' + column.replace('"', '""') + '"'


def texts(values: Iterable[object]) -> str:
    """Return strings as an SQL list."""
    return f"[{', '.join(text(value) for value in values)}]"


def paths(files: Iterable[object]) -> str:
    """Files as an SQL list for DuckDB's readers, to whom a name is a pattern: here each character is itself."""
    return texts(_literally(str(file)) for file in files)


def _literally(path: str) -> str:
    if not _PATTERN.search(path):
        return path
    return re.sub(r"[*?\[\\]", lambda found: "\\\\" if found[0] == "\\" else f"[{found[0]}]", path)


_PATTERN = re.compile(r"[*?\[]")


def connect(folders: Iterable[PurePath]) -> duckdb.DuckDBPyConnection:
    """A connection in memory that reads files below `folders` and no others, and loads no extension.

    To open a database takes longer than most questions, so the last ones are kept for who asks about the same folders
    again. All of their connections see what is made in one of them, unless it is TEMP: so everything is.
    """
    forms = {form for folder in folders for form in (f"{folder}/", _literally(f"{folder}/"))}  # it compares patterns
    places = sorted(forms)
    key = (os.getpid(), tuple(places))  # the threads of a database do not come along to a child that is forked
    with _keeping:
        database = _kept.pop(key, None)
        if database is None or not _is_well(database):
            database = _open_for(places)
        _kept[key] = database
        for old in [one for one in _kept if one[0] == key[0]][:-MOST_KEPT]:
            del _kept[old]  # not closed: its other connections may be in use, and the last one ends it
        return database.cursor()


MOST_KEPT = 2
"""Databases that are kept when nobody uses them."""
_kept: dict[tuple[int, tuple[str, ...]], duckdb.DuckDBPyConnection] = {}
_keeping = threading.Lock()


def _is_well(database: duckdb.DuckDBPyConnection) -> bool:
    """Whether it answers: after an internal error it never does again."""
    try:
        with database.cursor() as cursor:
            return cursor.execute("SELECT 1").fetchone() == (1,)
    except duckdb.Error:
        return False


def _open_for(places: Sequence[str]) -> duckdb.DuckDBPyConnection:
    connection = open_plain()
    connection.execute(f"SET allowed_directories = {texts(places)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET lock_configuration = true")
    return connection


def open_plain() -> duckdb.DuckDBPyConnection:
    """A connection in memory that downloads nothing, with times in UTC; what memory cannot hold lies in `_spill`."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": _spill(),
        },
    )
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute("SET parquet_metadata_cache = true")
    return connection


def _spill() -> str:
    """A folder within one of this user's alone, among the system's temporary ones; empty: nothing can be put aside.

    DuckDB's own default is the working folder. It makes the folder when it first needs it, and removes it when the
    connection is closed.
    """
    try:
        home = Path(tempfile.gettempdir()) / f"caviar-{os.getuid()}"
        home.mkdir(mode=0o700, exist_ok=True)
        ours = home.lstat().st_uid == os.getuid()
    except OSError:  # a full disk, or one that is only read
        return ""
    return str(home / secrets.token_hex(8)) if ours else ""


def interrupted(error: BaseException) -> bool:
    """Whether the error is DuckDB's word for Ctrl-C while a query ran."""
    return type(error) is RuntimeError and "interrupted" in str(error)


def select_only(sql: str) -> str:
    """Check that a user's SQL is one statement that only reads.

    Returns:
        The same text.

    Raises:
        SpecError: It is no SQL, several statements, another statement than SELECT, or calls a table
            function that
            does more than compute.
    """
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise SpecError(f"The query is no SQL that DuckDB understands: {told(error)}") from error
    if len(statements) != 1:
        raise SpecError(f"A query is one SELECT statement, got {len(statements)}: ask one at a time.")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise SpecError(f"A query only reads, got {kind.name}: write SELECT … FROM trials.")
    for part in _parts(_tree(sql)):
        _check(part)
    return sql


def told(error: duckdb.Error) -> str:
    """All that DuckDB says of a query in one line, but for its excerpt and for the functions that it chose from."""
    said = takewhile(lambda line: not line.startswith(("LINE ", "\t")), str(error).strip().splitlines())
    return " ".join(" ".join(said).split())


def advised(said: str, views: Sequence[str]) -> str:
    """DuckDB's word on a query, and what to look at where a name is wrong; it knows of tables that no user has."""
    if said.startswith("Catalog Error: Table with name"):
        return f"{said.partition(' Did you mean')[0]} (the views are {', '.join(views)})"
    if found := _PERHAPS_TEXT.search(said):
        lists = f"`DESCRIBE {views[1]}` lists the columns of that view"
        return f"{said} ({lists}; a text stands in single quotes: '{found[1]}')"
    if _NO_COLUMN.search(said):
        return f"{said} (`DESCRIBE {views[1]}` lists the columns of that view)"
    return said


_PERHAPS_TEXT = re.compile(r'Referenced column "(\w+)" (?:not|was not) found')
_NO_COLUMN = re.compile(
    r"Referenced column|does not have a column named|in EXCLUDE list|in REPLACE list|in RENAME list"
)


def one_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return str(error).strip().partition("\n")[0]


@cache
def parser() -> duckdb.DuckDBPyConnection:
    """Kept, for to make one takes 15 ms. No threads of its own: a process may be forked from this one."""
    return duckdb.connect(":memory:", config={"threads": 1})


def _tree(sql: str) -> Any:
    with parser().cursor() as cursor:
        row = cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    found = json.loads(row[0]) if row else {"error": True}
    if found["error"]:
        raise SpecError(f"The query cannot be checked ({found.get('error_message')}): write SELECT … FROM trials.")
    return found


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        tree = tree.values()
    elif not isinstance(tree, list):
        return
    for part in tree:
        yield from _parts(part)


def _check(part: dict[str, Any]) -> None:
    kind = part.get("type")
    if not isinstance(kind, str):
        return
    if kind.endswith("_NODE") and kind not in READING:
        verb = kind.partition("_")[0]
        raise SpecError(f"A query only reads, got {verb} within it: write SELECT … FROM trials.")
    if kind == "TABLE_FUNCTION":
        function = str(part["function"].get("function_name")).lower()
        if function not in TABLE_FUNCTIONS:
            raise SpecError(
                "A query reads the views sweeps, trials, curves, attempts, configs, logs, artifacts, decisions and "
                f"schedule, and may not call {function}(): write SELECT … FROM trials."
            )


def may_be_damage(error: duckdb.Error) -> bool:
    """Whether an error can come from the bytes of a file; most wrong SQL is of other types."""
    return type(error) in (duckdb.Error, duckdb.InvalidInputException, duckdb.InternalException)


def first_damaged(files: Iterable[PurePath]) -> tuple[PurePath, str] | None:
    """The first file that cannot be read to its end, and why; None when all can. Reads every page of them."""
    import pyarrow as pa  # noqa: PLC0415 - who reads a sound store does not pay for it
    import pyarrow.parquet as pq  # noqa: PLC0415

    for path in files:
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                for _ in file.iter_batches():
                    pass
        except (pa.ArrowException, OSError) as error:
            return path, one_line(error)
    return None
