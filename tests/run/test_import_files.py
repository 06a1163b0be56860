"""Tables of other tools are read as data, within limits, and what they are not is a sentence."""

import decimal
import io
import json
import math
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from caviar.errors import NotFoundError, SpecError
from caviar.run import import_files
from caviar.run.import_files import read_table


def npy(array, *, shape=None):
    """An array as bytes; `shape` is what its header says, rather than its own."""
    file = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(file, header if shape is None else {**header, "shape": shape})
    return file.getvalue() + array.tobytes()


def write_npz(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data if isinstance(data, bytes) else npy(np.asarray(data)))
    return path


def test_a_csv_tells_missing_from_nan(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('lr,opt,loss\n0.1,"a, b",nan\n0.2,,\n1e-3,c,inf\n')
    found = read_table(path).to_pydict()
    assert found["lr"] == [0.1, 0.2, 1e-3]
    assert found["opt"] == ["a, b", None, "c"]
    assert math.isnan(found["loss"][0])
    assert found["loss"][1:] == [None, math.inf]


def test_a_csv_whose_numbers_change_late(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n" + "0,,x\n" * 300_000 + "0.5,1,x\n")
    found = read_table(path)
    assert found["a"].to_pylist()[-2:] == [0.0, 0.5]
    assert found["b"].to_pylist()[-2:] == [None, 1]


@pytest.mark.parametrize("text", ["a;b\n1;2\n", "a\tb\n1\t2\n", "\ufeffa,b\n1,2\n", "a,b\r\n1,2\r\n"])
def test_a_csv_as_others_write_it(tmp_path, text):
    (tmp_path / "a.csv").write_bytes(text.encode())
    assert read_table(tmp_path / "a.csv").to_pydict() == {"a": [1], "b": [2]}


def test_json_lines_are_flattened_and_may_hold_curves(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"config": {"lr": 0.1, "net": {"units": 8}}, "loss": [3, 2.5]}, {"loss": [1], "mixed": 3}, {"mixed": "a"}]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    assert read_table(path).to_pydict() == {
        "config/lr": [0.1, None, None],
        "config/net/units": [8, None, None],
        "loss": [[3.0, 2.5], [1.0], None],
        "mixed": [None, "3", "a"],
    }


def test_a_parquet_table_is_flattened_too(tmp_path):
    path = tmp_path / "a.parquet"
    config = [{"lr": 0.1, "net": {"act": "relu"}}, {"lr": 0.2, "net": {"act": "tanh"}}]
    pq.write_table(pa.table({"config": config, "name": ["x", "y"], "a.b": [1, 2], "loss": [[1.0], [2.0, 3.0]]}), path)
    assert read_table(path)["config/lr"].to_pylist() == [0.1, 0.2]
    assert read_table(path)["config/net/act"].to_pylist() == ["relu", "tanh"]
    assert read_table(path)["a.b"].to_pylist() == [1, 2]
    assert read_table(path)["loss"].to_pylist() == [[1.0], [2.0, 3.0]]
    assert read_table(path)["name"].to_pylist() == ["x", "y"]


def test_arrays_are_columns_and_a_matrix_with_names_is_several(tmp_path):
    curves = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]], np.float32)
    matrix = np.arange(6.0).reshape(3, 2)
    path = write_npz(
        tmp_path / "a.npz", X=matrix, hp_names=np.array(["lr", "units"]), Y=curves, done=[True, False, True]
    )
    found = read_table(path)
    assert found.column_names == ["lr", "units", "Y", "done"]
    assert found["units"].to_pylist() == [1.0, 3.0, 5.0]
    assert found["Y"].to_pylist()[0] == [1.0, 2.0]


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    path = tmp_path / "a.npz"
    np.savez(path, a=np.array([Trap()], dtype=object), b=np.zeros(1))
    with pytest.raises(SpecError, match="nothing is unpickled"):
        read_table(path)
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"a": npy(np.zeros(3), shape=(10**12,))}, "not of the size that it announces"),
        ({"a": npy(np.zeros(0), shape=(10**12, 0))}, "1,000,000,000,000 values"),
        ({"a": npy(np.zeros(3))[:-4]}, "not of the size"),
        ({"a": b"\x93NUMPY\x09\x00"}, "unknown version"),
        ({"a": b"no array"}, "cannot be read as npz"),
        ({"a": npy(np.zeros(2, [("x", "f8")]))}, "nothing is unpickled"),
        ({"a": npy(np.zeros(2, np.complex128))}, "nothing is unpickled"),
        ({}, "holds no arrays"),
    ],
)
def test_arrays_that_lie_are_refused(tmp_path, members, words):
    with pytest.raises(SpecError, match=words):
        read_table(write_npz(tmp_path / "a.npz", **members))


def test_what_would_unpack_to_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(import_files, "MOST_BYTES", 2**20)
    path = write_npz(tmp_path / "a.npz", a=np.zeros(2**18))
    assert path.stat().st_size < 2**14
    monkeypatch.setattr(np.lib.format, "read_array", None)
    with pytest.raises(SpecError, match=r"too large to import: more than 1,048,576 bytes unpacked"):
        read_table(path)


def test_a_parquet_file_of_too_many_values_is_refused_by_its_footer(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": np.zeros(10**6, np.int8)}), path)
    assert path.stat().st_size < 2**14
    monkeypatch.setattr(import_files, "MOST_VALUES", 10**6 - 1)
    monkeypatch.setattr(pq.ParquetFile, "read", None)
    with pytest.raises(SpecError, match=r"1,000,000 values, of at most 999,999"):
        read_table(path)


def test_texts_that_a_dictionary_holds_once_are_not_written_out(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    monkeypatch.setattr(import_files, "MOST_BYTES", 2**24)
    many = ["x" * 2**14] * 4000
    pq.write_table(pa.table({"a": pa.array(many).dictionary_encode(), "b": range(4000)}), path, store_schema=False)
    assert path.stat().st_size < 2**20
    with pytest.raises(SpecError, match=r"texts of 16,384 bytes in 4,000 rows"):
        read_table(path)
    lists = pa.ListArray.from_arrays(list(range(4001)), pa.array(many).dictionary_encode())
    pq.write_table(pa.table({"a": lists, "b": range(4000)}), path, store_schema=False)
    assert read_table(path).column_names == ["b"]


def test_texts_that_are_none_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    texts = pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xfe"))
    pq.write_table(pa.table({"a": texts}), path)
    with pytest.raises(SpecError, match="cannot be read as parquet"):
        read_table(path)


def test_decimals_are_numbers(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": pa.array([decimal.Decimal("0.25"), None])}), path)
    assert read_table(path).to_pydict() == {"a": [0.25, None]}


def test_a_csv_of_too_many_values_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "1,2\n" * 100)
    monkeypatch.setattr(import_files, "MOST_VALUES", 200)
    monkeypatch.setattr(csv, "read_csv", None)
    with pytest.raises(SpecError, match="202 values, of at most 200"):
        read_table(path)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.xlsx", b"", r"ending in \.csv, \.jsonl"),
        ("a.csv", b"", "cannot be read as csv"),
        ("a.csv", b"a,b\n", "holds no rows"),
        ("a.csv", b"a,a\n1,2\n", "two columns of the same name"),
        ("a.csv", b"a,b\n1,2,3\n", "cannot be read as csv"),
        ("a.csv", b"a\xff\xfe,b\n\xff,2\n", "cannot be read as csv"),
        ("a.jsonl", b"[1]\n", "no object in line 1"),
        ("a.jsonl", b"{}\n", "holds no rows"),
        ("a.jsonl", b'{"a": ' * 5000 + b"1" + b"}" * 5000, "cannot be read as jsonl"),
        ("a.jsonl", b'{"a": ' * 20 + b"1" + b"}" * 20, "more than 8 deep"),
        ("a.parquet", b"PAR1nonsensePAR1", "cannot be read as parquet"),
        ("a.npz", b"PK\x03\x04nonsense", "cannot be read as npz"),
    ],
)
def test_what_is_no_table_is_a_sentence(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SpecError, match=words) as raised:
        read_table(tmp_path / name)
    assert "\n" not in str(raised.value)


def test_no_file_is_told_so(tmp_path):
    with pytest.raises(NotFoundError, match="there is no file"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(NotFoundError, match="there is no file"):
        read_table(tmp_path / "folder.csv")
