"""The bytes of a payload: what a page is given of one sweep.

Gzip of: the length of the head (u32, little endian); the head (UTF-8 JSON); zero bytes up to a multiple of 8; then the
columns one after the other, each from a multiple of 8 on. `head["columns"]` says for each its name, type, count, where
it begins (`at`, in bytes from the first one), and how its bytes are written:

* `delta`: of integers, the differences from value to value, modulo 2^bits;
* `planes`: the lowest byte of every value first, then the next one of every value, and so on.

Both make neighbours alike, so that gzip finds them. Readers undo `planes` first, then `delta`.
"""

import gzip
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

FORMAT = 1
TYPES = {"u8": "<u1", "u16": "<u2", "u32": "<u4", "i32": "<i4", "f32": "<f4", "f64": "<f8"}
_NAMES = {np.dtype(form): name for name, form in TYPES.items()}
_ALIGN = 8
_GZIP = 31
_LEVEL = 4  # higher ones cost seconds at a million points, and gain a hundredth
_SAMPLE = 1 << 16  # values that tell whether differences are smaller than what they are taken of


def encode(head: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> bytes:
    """Write a payload; the same one gives the same bytes.

    Args:
        head: JSON without NaN and infinities; `format` and `columns` are added.
        columns: Name → one-dimensional array of one of TYPES.

    Raises:
        ValueError: If a number of the head is not finite, or a column has another type or shape.
    """
    told, written, at = [], [], 0
    for name, column in columns.items():
        if column.ndim != 1 or column.dtype not in _NAMES:
            raise ValueError(f"the column {name!r} is {column.dtype} of shape {column.shape}")
        form, data = _packed(column)
        told.append({"name": name, "type": _NAMES[column.dtype], "count": len(column), "at": at, **form})
        written.append(_padded(data))
        at += len(written[-1])
    text = json.dumps(
        {"format": FORMAT, **head, "columns": told}, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )
    start = text.encode("utf-8", "replace")  # a name may hold half a surrogate pair, which no UTF-8 can
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP, memLevel=9, strategy=zlib.Z_FILTERED)
    return packer.compress(_padded(struct.pack("<I", len(start)) + start) + b"".join(written)) + packer.flush()


def decode(payload: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a payload back, as a page does: its head and its columns."""
    data = gzip.decompress(payload)
    (length,) = struct.unpack_from("<I", data)
    head = json.loads(data[4 : 4 + length])
    first = _up(4 + length)
    return head, {one["name"]: _unpacked(data, first, one) for one in head["columns"]}


def _packed(column: np.ndarray) -> tuple[dict[str, bool], bytes]:
    delta = column.dtype.kind in "iu" and _deltas_are_smaller(column)
    planes = column.dtype.itemsize > 1
    values = _differences(column) if delta else np.ascontiguousarray(column)
    return {"delta": delta, "planes": planes}, _bytes(values)


def _deltas_are_smaller(column: np.ndarray) -> bool:
    """Tried, for no rule of thumb holds for steps, ranks, random places and curves alike."""
    some = column[:_SAMPLE]
    return len(zlib.compress(_bytes(_differences(some)), 1)) < len(zlib.compress(_bytes(some), 1))


def _differences(column: np.ndarray) -> np.ndarray:
    """Unsigned, for their sum wraps around by definition."""
    plain = column.view(f"<u{column.dtype.itemsize}")
    return np.diff(plain, prepend=plain.dtype.type(0))


def _bytes(values: np.ndarray) -> bytes:
    """The byte planes of some values, lowest first."""
    one_each = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), values.dtype.itemsize)
    return one_each.T.tobytes()


def _unpacked(data: bytes, first: int, told: Mapping[str, Any]) -> np.ndarray:
    form = np.dtype(TYPES[told["type"]])
    raw = np.frombuffer(data, np.uint8, told["count"] * form.itemsize, first + told["at"])
    if told["planes"]:
        raw = raw.reshape(form.itemsize, told["count"]).T
    values = np.frombuffer(raw.tobytes(), form)
    if not told["delta"]:
        return values
    plain = np.dtype(f"<u{form.itemsize}")
    return np.cumsum(values.view(plain), dtype=plain).view(form)


def _padded(data: bytes) -> bytes:
    return data + bytes(_up(len(data)) - len(data))


def _up(length: int) -> int:
    return -(-length // _ALIGN) * _ALIGN
