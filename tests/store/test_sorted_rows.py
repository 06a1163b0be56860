"""The rows of many files in one order, whatever the files are like."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.store.segment import encode, unify
from caviar.store.sorted_rows import NEVER, SortedRows, in_order, keys_of, place

KEYS = st.tuples(st.integers(0, 2**40), st.integers(0, 2**15 - 1), st.integers(0, 2**31 - 1))
NEAR = st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 100))


def table(names):
    trials, attempts, seqs = zip(*names, strict=True) if names else ((), (), ())
    columns = {"trial": pa.array(trials, pa.int64()), "attempt": pa.array(attempts, pa.int16())}
    return pa.table(columns | {"_seq": pa.array(seqs, pa.int32())})


def names_of(rows):
    return list(zip(*(rows[name].to_pylist() for name in ("trial", "attempt", "_seq")), strict=True))


@settings(deadline=None)
@given(st.lists(st.one_of(KEYS, NEAR), max_size=50))
def test_rows_are_put_in_order(names):
    assert names_of(in_order(table(names))) == sorted(names)


@settings(deadline=None)
@given(st.lists(NEAR, min_size=1, max_size=50), NEAR)
def test_place_counts_what_comes_before(names, bound):
    assert place(keys_of(table(sorted(names))), bound) == sum(name < bound for name in names)


def numbers(names):
    return {"loss": [float(hash(name) % 1000) for name in names]}


@pytest.fixture
def written(tmp_path, monkeypatch, rows):
    """Writes names as files of row groups of a few rows; returns the files."""
    monkeypatch.setattr("caviar.store.segment.group_rows", lambda layout, live: 7)

    def write(files):
        paths = []
        for number, names in enumerate(files):
            pieces = [rows.curve(t, [s], attempt=a, seq=s, **numbers([(t, a, s)])) for t, a, s in names]
            path = tmp_path / f"{number}.parquet"
            path.write_bytes(encode(unify("curves", pieces)))
            paths.append(path)
        return paths

    return write


def random_files(rng, kind):
    names = [(t, a, s) for t in range(12) for a in range(1 + t % 3) for s in range(rng.integers(1, 30))]
    if kind == "one long trial":
        names = [(3, a, s) for a in range(2) for s in range(200)]
    order = rng.permutation(len(names)) if kind == "shuffled" else np.arange(len(names))
    holder = rng.integers(0, 5, len(names)) if kind != "one after the other" else np.arange(len(names)) // 40
    files = [[names[i] for i in order if holder[i] == file] for file in range(holder.max() + 1)]
    return [file for file in files if file], names


@pytest.mark.parametrize("kind", ["shuffled", "interleaved", "one after the other", "one long trial"])
@pytest.mark.parametrize("piece", [1, 2000, 2**25])
def test_all_rows_come_in_order_once(written, monkeypatch, kind, piece):
    monkeypatch.setattr("caviar.store.sorted_rows.PIECE", piece)
    files, names = random_files(np.random.default_rng(0), kind)
    ordered = SortedRows("curves", written(files))
    assert ordered.rows == len(names)
    pieces = list(ordered.read())
    assert [name for rows in pieces for name in names_of(rows)] == sorted(names)
    assert pa.concat_tables(pieces)["loss"].to_pylist() == numbers(sorted(names))["loss"]
    spans = ordered.spans(60)
    assert (spans[0][0], spans[-1][1]) == (-1, NEVER)
    assert [low for low, _ in spans[1:]] == [high for _, high in spans[:-1]]
    parts = [[name for rows in ordered.read(*span) for name in names_of(rows)] for span in spans]
    assert [name for part in parts for name in part] == sorted(names)
    if kind == "one after the other":
        assert len(spans) > 2
        assert all(parts)


@pytest.mark.parametrize("kind", ["one after the other", "one long trial"])
def test_only_what_overlaps_is_in_memory(written, monkeypatch, kind):
    monkeypatch.setattr("caviar.store.sorted_rows.PIECE", 1)
    files, names = random_files(np.random.default_rng(0), kind)
    ordered = SortedRows("curves", written(files))
    most = max(piece.num_rows for piece in ordered.read())
    assert most <= 7 * len(files)
    assert most < len(names) / 4


def test_rows_of_one_name_keep_their_order(rows):
    states = ["RUNNING", "COMPLETED", "LOST"]
    found = in_order(unify("attempts", [rows.attempt(0, state) for state in states]))
    assert found["state"].to_pylist() == states
