"""Files of tables that other tools wrote, read as data alone: CSV, JSON lines, Parquet, npz.

A file is somebody's bytes. Nothing in it is executed or unpickled, and what its headers announce is added up before
memory is taken for it: a few kilobytes may unpack to a terabyte.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from caviar.errors import NotFoundError, SpecError

MOST_BYTES = 2**30
"""Of a file, and of what an archive or a Parquet file unpacks to."""
MOST_VALUES = 2**27
"""Cells of a table, at most; of a column of lists, what is in these."""
MOST_COLUMNS = 4096
MATRIX = b"caviar.matrix"
"""Note of a column: the array that it was a column of."""
_MOST_LINE = 2**26
_HEADERS: dict[tuple[int, int], Callable[[IO[bytes]], Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_table(path: Path) -> pa.Table:
    """The table in a file, by the ending of its name.

    Returns:
        Columns of numbers, truth values and texts, one row a line; or of lists of numbers, where a row holds whole
        curves. What was an object within an object is a column `outer/inner`. An array [n, k] of an npz file is a
        column of lists of k numbers, or k columns, where another array holds k texts.

    Raises:
        NotFoundError: There is no such file.
        SpecError: It is none of these, is larger than the limits above, or cannot be understood.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        endings = ", ".join(_READERS)
        raise SpecError(f"a table to import is a file ending in {endings}, got {path.name!r}: export it as one")
    if not path.is_file():
        raise _missing(path)
    return read_as(path, path.suffix[1:], reader)


def read_as(path: Path, what: str, reader: Callable[[Path], pa.Table]) -> pa.Table:
    """The table that a reader finds in a file or a folder; errors as of `read_table`.

    Args:
        path: The file or folder.
        what: As which it is read, in words.
        reader: It may raise whatever it likes.
    """
    if not path.exists():
        raise _missing(path)
    if (size := path.stat().st_size) > MOST_BYTES:
        raise too_large(path, f"{size:,} bytes, of at most {MOST_BYTES:,}")
    try:
        found = reader(path)
        found.validate(full=True)  # texts too, which are not looked at when they are read
    except SpecError:
        raise
    except Exception as error:  # what a file that somebody made may raise is in no list
        words = str(error).strip().partition("\n")[0] or type(error).__name__
        raise SpecError(f"{path.name} cannot be read as {what}: {words}; export it again") from error
    if not found.num_rows or not found.num_columns:
        raise SpecError(f"{path.name} holds no rows: there is nothing to import")
    for place, field in enumerate(found.schema):
        if pa.types.is_decimal(field.type):
            found = found.set_column(place, field.name, found.column(place).cast(pa.float64()))
    return found


def _missing(path: Path) -> NotFoundError:
    return NotFoundError(f"there is no file {path}: give the table's name")


def too_large(path: Path, what: str) -> SpecError:
    """The error where a file is too large; `what` of it is."""
    return SpecError(f"{path.name} is too large to import: {what}; import a part of it")


def check_size(path: Path, columns: int, values: int) -> None:
    """Raise SpecError where a table of so many columns and values would be too large."""
    if columns > MOST_COLUMNS:
        raise too_large(path, f"{columns:,} columns, of at most {MOST_COLUMNS:,}")
    if values > MOST_VALUES:
        raise too_large(path, f"{values:,} values, of at most {MOST_VALUES:,}")


def _csv(path: Path) -> pa.Table:
    """Only an empty field is missing: `nan` is a number that was reported. Fields are apart by `,`, `;` or tabs."""
    with path.open("rb") as file:
        head = file.readline(_MOST_LINE)
        delimiter = max(b",;\t", key=head.count)
        count = sum(head.count(mark) for mark in (delimiter, b"\n"))
        while block := file.read(2**24):
            count += block.count(delimiter) + block.count(b"\n")
    check_size(path, head.count(delimiter) + 1, count)
    try:
        found = _fields(path, chr(delimiter), None)
    except pa.ArrowInvalid:  # of a later part than that by which a column's type was guessed, perhaps
        found = _fields(path, chr(delimiter), max(path.stat().st_size, 1))
    if len(set(found.column_names)) < found.num_columns:
        raise SpecError(f"{path.name} has two columns of the same name: rename one")
    return found


def _fields(path: Path, delimiter: str, block: int | None) -> pa.Table:
    """The columns, each of the type that its values in the first block have, which is of so many bytes."""
    how = csv.ConvertOptions(null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True)
    form = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    with path.open("rb") as file:  # a name that ends in .gz would be unpacked; a stream is not
        return csv.read_csv(file, csv.ReadOptions(block_size=block), form, how)


def _json_lines(path: Path) -> pa.Table:
    rows, names = [], dict[str, None]()
    with path.open("rb") as file:
        for number, line in enumerate(lines_of(path, file), 1):
            row = json.loads(line)
            if not isinstance(row, dict):
                raise SpecError(f"{path.name} has no object in line {number}: JSON lines have one object a line")
            rows.append(dict(flat("", row)))
            names.update(dict.fromkeys(rows[-1]))
            check_size(path, len(names), len(rows) * len(names))
    return pa.table({name: column_of([row.get(name) for row in rows]) for name in names})


def lines_of(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file that are not empty; SpecError where one is too long."""
    while line := file.readline(_MOST_LINE):
        if len(line) == _MOST_LINE:
            raise too_large(path, f"a line of more than {_MOST_LINE:,} bytes")
        if line.strip():
            yield line


def flat(outer: str, row: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Name and value of all that is in an object; what is in objects within it is called `outer/inner`."""
    if depth > 8:
        raise ValueError("objects nested more than 8 deep")
    for key, value in row.items():
        if isinstance(value, dict):
            yield from flat(f"{outer}{key}/", value, depth + 1)
        else:
            yield outer + key, value


def column_of(values: list[Any]) -> pa.Array:
    """Numbers, truth values, texts or lists of numbers; what is mixed is JSON text."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds in ({bool}, {str}):
        return pa.array(values)
    if kinds and kinds <= {int, float}:
        return pa.array(values, pa.int64() if kinds == {int} and _fit(values) else pa.float64())
    if kinds == {list} and all(_numbers(one) for one in values if one):
        return pa.array(values, pa.list_(pa.float64()))
    return pa.array(
        [None if one is None else one if isinstance(one, str) else json.dumps(one) for one in values], pa.string()
    )


def _fit(values: list[Any]) -> bool:
    return all(value is None or -(2**63) <= value < 2**63 for value in values)


def _numbers(values: list[Any]) -> bool:
    return all(one is None or (isinstance(one, (int, float)) and not isinstance(one, bool)) for one in values)


def _parquet(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        facts = file.metadata
        check_size(path, facts.num_columns, 0)
        groups = [facts.row_group(one) for one in range(facts.num_row_groups)]
        chunks = [group.column(one) for group in groups for one in range(facts.num_columns)]
        check_size(path, facts.num_columns, sum(max(chunk.num_values, 0) for chunk in chunks))
        if (size := sum(chunk.total_uncompressed_size for chunk in chunks)) > MOST_BYTES:
            raise too_large(path, f"{size:,} bytes unpacked, of at most {MOST_BYTES:,}")
        leaves = [file.schema.column(one) for one in range(facts.num_columns)]
    texts = [one for one in leaves if one.physical_type == "BYTE_ARRAY"]
    lists = {one.path for one in texts if one.max_repetition_level}  # which are written out when they are read
    words = [one.path for one in texts if one.path not in lists]  # a text of a megabyte may stand in each row
    kept = [one.path for one in leaves if one.path not in lists]
    with pq.ParquetFile(path, read_dictionary=words) as file:
        found = file.read(columns=kept)
    while any(pa.types.is_struct(one.type) for one in found.schema):
        found = _unnested(found)
    _check_texts(path, found)
    return found


def _check_texts(path: Path, table: pa.Table) -> None:
    """See that texts, written out, are within the limit: a dictionary has each once."""
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            longest = max((pc.max(pc.binary_length(one.dictionary)).as_py() or 0 for one in column.chunks), default=0)
            if longest * table.num_rows > MOST_BYTES:
                raise too_large(path, f"texts of {longest:,} bytes in {table.num_rows:,} rows")


def _unnested(table: pa.Table) -> pa.Table:
    parts: dict[str, Any] = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        whole = column.combine_chunks()
        inner = zip(field.type, whole.flatten(), strict=True) if pa.types.is_struct(field.type) else ()
        parts |= {f"{field.name}/{one.name}": values for one, values in inner} or {field.name: column}
    return pa.table(parts)


def _npz(path: Path) -> pa.Table:
    """Columns of the arrays that have the most usual first length; the texts of another one name a matrix's columns."""
    with zipfile.ZipFile(path) as archive:
        shapes = {one.filename.removesuffix(".npy"): _shape(path, archive, one) for one in archive.infolist()}
        lengths = [shape[0] for shape in shapes.values() if shape]
        if not lengths:
            raise SpecError(f"{path.name} holds no arrays: there is nothing to import")
        rows = max(lengths, key=lambda one: (lengths.count(one), one))
        values = sum(max(int(np.prod(shape, dtype=object)), *shape) for shape in shapes.values() if shape)
        check_size(path, len(shapes), values)  # of none by a trillion, each list takes memory too
        arrays = {name: _array(archive, name) for name, shape in shapes.items() if shape and len(shape) <= 2}
    named = [one.tolist() for one in arrays.values() if one.dtype.kind == "U" and one.ndim == 1 and len(one) != rows]
    columns: dict[str, Any] = {}
    matrix: dict[str, str] = {}
    for name, array in arrays.items():
        if len(array) != rows:
            continue
        names = next((one for one in named if array.ndim == 2 and len(one) == array.shape[1]), None)
        if names is not None:
            named.remove(names)  # of two matrices of that width it is the first one's
            columns |= {str(inner): pa.array(array[:, place]) for place, inner in enumerate(names)}
            matrix.update(dict.fromkeys(map(str, names), name))
        else:
            columns[name] = pa.array(array) if array.ndim == 1 else _lists(array)
    fields = [pa.field(name, one.type, metadata={MATRIX: matrix.get(name, "")}) for name, one in columns.items()]
    return pa.table(list(columns.values()), schema=pa.schema(fields))


def _shape(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[int, ...]:
    """The shape that an array's header announces, which what the archive holds of it must bear out."""
    if member.file_size > MOST_BYTES or sum(one.file_size for one in archive.infolist()) > MOST_BYTES:
        raise too_large(path, f"more than {MOST_BYTES:,} bytes unpacked")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in _HEADERS:
            raise SpecError(f"{path.name} has an array of an unknown version {version}: save it again with numpy.savez")
        shape, _, kind = _HEADERS[version](file)
        if kind.kind not in "biufU":
            raise SpecError(
                f"the array {member.filename!r} of {path.name} is of the type {kind}, and nothing is unpickled: save "
                "numbers or texts"
            )
        if int(np.prod(shape, dtype=object)) * kind.itemsize != member.file_size - file.tell():
            raise ValueError(f"the array {member.filename!r} is not of the size that it announces")
    return tuple(shape)


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray[Any, Any]:
    with archive.open(name if name in archive.namelist() else f"{name}.npy") as file:
        found: np.ndarray[Any, Any] = np.lib.format.read_array(file, allow_pickle=False)
    return found.astype(np.float64) if found.dtype.kind == "f" else found


def _lists(array: np.ndarray[Any, Any]) -> pa.Array:
    offsets = pa.array(np.arange(len(array) + 1) * array.shape[1], pa.int64())
    return pa.LargeListArray.from_arrays(offsets, pa.array(array.ravel()))


_READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_lines,
    ".parquet": _parquet,
    ".npz": _npz,
}
"""Ending of a file's name → what reads it."""
