"""SHA-256 of what a sweep's `data` function returns, so that one can tell, months later, whether it is the same.

Arrays, tables, torch tensors in main memory, numbers, texts, and lists, tuples, dicts, sets and dataclasses of these.
It never goes through pickle, whose bytes may differ for equal values; what it does not know has no digest, and says so.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from caviar_workers.messages import DataDigest

MOST_BYTES = 2**30
"""Data of more bytes has no digest: the first trial waits for it, some .7 s for so many."""
MOST_VALUES = 500_000
"""Python's own objects, at most: each takes about a microsecond."""
_DEEPEST = 40
_SLAB = 2**24
"""Bytes of an array with gaps that are copied at a time."""


class _NoDigestError(Exception):
    """It has no digest, for the reason given."""


def digest_of(data: Any) -> DataDigest:
    """The digest of some data; it never raises."""
    reading = _Reading()
    try:
        reading.add(data, 0)
    except _NoDigestError as reason:
        return DataDigest(bytes=reading.bytes, why=str(reason))
    except Exception as error:  # whatever a library's objects do when they are read: the trials may like them
        return DataDigest(bytes=reading.bytes, why=f"reading it raised {type(error).__name__}")
    return DataDigest(sha256=reading.sha.hexdigest(), bytes=reading.bytes)


class _Reading:
    """Reads values into one hash. Before each comes what it is, so that no two values give the same bytes."""

    def __init__(self) -> None:
        self.sha = hashlib.sha256()
        self.bytes = 0
        self._values = 0

    def add(self, value: Any, depth: int) -> None:
        """Read a value, `depth` containers deep."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise _NoDigestError(f"it holds more than {MOST_VALUES:,} Python objects")
        if depth > _DEEPEST:
            raise _NoDigestError(f"it is nested more than {_DEEPEST} deep")
        if not (self._plain(value) or self._numpy(value, depth) or self._container(value, depth)):
            self._of_library(value, depth)

    def _plain(self, value: Any) -> bool:
        kind = type(value)
        if value is None or kind in (bool, int, float, complex, str):
            self._tag(kind.__name__, value if kind is str else repr(value))
        elif kind in (bytes, bytearray):
            self.sha.update(f"bytes {len(value)}\0".encode())
            self._update(value)
        else:
            return False
        return True

    def _numpy(self, value: Any, depth: int) -> bool:
        found = isinstance(value, (np.ndarray, np.generic))
        if found:
            self._array(np.asanyarray(value), depth)
        return found

    def _container(self, value: Any, depth: int) -> bool:
        kind = type(value)
        if isinstance(value, (list, tuple)):
            self._tag(kind.__name__, str(len(value)))
            self._all(value, depth)
        elif isinstance(value, dict):
            self._tag(kind.__name__, str(len(value)))
            self._all((one for item in value.items() for one in item), depth)
        elif isinstance(value, (set, frozenset)):
            self._set(value, depth)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [item.name for item in dataclasses.fields(value)]
            self._tag(kind.__qualname__, repr(names))
            self._all((getattr(value, name) for name in names), depth)
        else:
            return False
        return True

    def _tag(self, kind: str, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self.sha.update(f"{kind} {len(data)}\0".encode())
        self._update(data)

    def _update(self, data: Any) -> None:
        self.bytes += memoryview(data).nbytes
        if self.bytes > MOST_BYTES:
            raise _NoDigestError(f"it is larger than {MOST_BYTES // 2**20:,} MiB")
        self.sha.update(data)

    def _all(self, values: Iterable[Any], depth: int) -> None:
        for one in values:
            self.add(one, depth + 1)

    def _set(self, values: Iterable[Any], depth: int) -> None:
        """Read a set by the digests of its members, which have an order."""
        members = []
        for one in values:
            inner = _Reading()
            inner._values = self._values
            inner.add(one, depth + 1)
            self._values = inner._values
            members.append(inner.sha.digest())
        self._tag("set", str(len(members)))
        self._update(b"".join(sorted(members)))

    def _array(self, array: np.ndarray[Any, Any], depth: int) -> None:
        if isinstance(array, np.ma.MaskedArray):
            raise _NoDigestError("it holds a masked array")
        if array.dtype.hasobject:
            if array.dtype != np.dtype(object):
                raise _NoDigestError("it holds an array of records with Python objects")
            self._tag("array", f"object {array.shape}")
            self._all(array.flat, depth)
            return
        if self.bytes + array.nbytes > MOST_BYTES:
            self.bytes += array.nbytes
            raise _NoDigestError(f"it is larger than {MOST_BYTES // 2**20:,} MiB")
        self._tag("array", f"{array.dtype.descr!r} {array.shape}")
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            self._tag("order", "F")  # libraries may compute other last bits from it
            array = array.T
        rows = max(1, _SLAB * len(array) // max(1, array.nbytes)) if array.ndim and not array.flags.c_contiguous else 0
        for slab in [array[at : at + rows] for at in range(0, len(array), rows)] if rows else [array]:
            if slab.size:
                self._update(np.ascontiguousarray(slab).reshape(-1).view(np.uint8))

    def _of_library(self, value: Any, depth: int) -> None:
        """Read a table or a tensor of a library that whoever made it has imported."""
        if isinstance(value, (pa.Table, pa.RecordBatch)):
            self._table(value)
        elif isinstance(value, (pa.Array, pa.ChunkedArray)):
            self._table(pa.table({"": value}))
        elif (pandas := sys.modules.get("pandas")) and isinstance(value, (pandas.DataFrame, pandas.Series)):
            self._frame(value, depth)
        elif pandas and isinstance(value, pandas.Index):
            self._tag("index", repr(value.names))
            self._column(value.to_series(), depth)
        elif (torch := sys.modules.get("torch")) and isinstance(value, torch.Tensor):
            self._tensor(value, torch, depth)
        else:
            raise _NoDigestError(
                f"it holds a value of type {_named(value)}, which is no array, table or plain container"
            )

    def _table(self, table: Any) -> None:
        """Read an Arrow table as its own stream, whose bytes tell types, names and values."""
        self._tag("table", "")
        table = table.replace_schema_metadata(None)
        if self.bytes + table.nbytes > MOST_BYTES:
            raise _NoDigestError(f"it is larger than {MOST_BYTES // 2**20:,} MiB")
        with pa.ipc.new_stream(pa.PythonFile(_Sink(self), "w"), table.schema) as stream:
            stream.write(table.combine_chunks() if isinstance(table, pa.Table) else table)

    def _frame(self, frame: Any, depth: int) -> None:
        """Read a pandas data frame or series: its names, its index, and each column."""
        self._tag("frame", str(frame.ndim))
        columns = list(frame.columns) if frame.ndim == 2 else [frame.name]
        self.add(columns, depth + 1)
        self.add(frame.index, depth + 1)
        for place in range(len(columns)):
            self._column(frame.iloc[:, place] if frame.ndim == 2 else frame, depth)

    def _column(self, column: Any, depth: int) -> None:
        if isinstance(column.dtype, np.dtype):
            self._array(column.to_numpy(), depth + 1)
        else:
            self._tag("column", str(column.dtype))
            self._table(pa.table({"": pa.array(column, from_pandas=True)}))

    def _tensor(self, tensor: Any, torch: Any, depth: int) -> None:
        if tensor.device.type != "cpu" or tensor.layout is not torch.strided:
            raise _NoDigestError(f"it holds a tensor that is on {tensor.device.type}, or sparse")
        self._tag("tensor", f"{tensor.dtype} {tuple(tensor.shape)}")
        plain = tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
        self._array(plain.view(torch.uint8).numpy(), depth)


class _Sink:
    """A file that reads what is written to it into a hash."""

    closed = False

    def __init__(self, reading: _Reading) -> None:
        self._reading = reading

    def write(self, data: Any) -> int:
        """Read it."""
        self._reading._update(memoryview(data))
        return memoryview(data).nbytes

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _named(value: Any) -> str:
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}" if kind.__module__ != "builtins" else kind.__qualname__
    return name[:120]
