"""What the reading verbs say where there is nothing to read: one sentence, with what to type."""

import pytest

READING = [["status"], ["best"], ["show", "0"], ["curves"]]


@pytest.mark.parametrize("args", [["ls"], *READING, ["query", "select 1"], ["resume"]])
def test_no_store(caviar, tmp_path, args):
    got = caviar(*args, "--store", str(tmp_path / "none"))
    assert (got.code, got.out) == (4, "")
    assert got.err.startswith("caviar: ")
    assert got.err.count("\n") == 1
    assert "caviar run FILE" in got.err
    assert not (tmp_path / "none").exists(), "reading makes no store"


@pytest.mark.parametrize("args", [*READING, ["resume"]])
def test_no_sweeps(caviar, empty, args):
    got = caviar(*args, "--store", empty)
    assert (got.code, got.out) == (4, "")
    assert "caviar run FILE" in got.err


@pytest.mark.parametrize("args", [["ls"], *READING, ["query", "select 1"]])
def test_a_file_is_no_store(caviar, tmp_path, args):
    file = tmp_path / "file"
    file.write_text("x")
    got = caviar(*args, "--store", str(file))
    assert (got.code, got.out) == (5, "")
    assert got.err.count("\n") == 1


def test_a_misspelt_sweep(caviar, filled):
    got = caviar("best", "digist", "--store", filled.path)
    assert got.code == 4
    assert "did you mean 'digits'?" in got.err


@pytest.mark.parametrize("ref", ["digits", "id", "prefix", "hex"])
def test_names_of_a_sweep(caviar, filled, ref):
    names = {"id": filled.digits, "prefix": filled.digits[:-1], "hex": filled.digits[-4:]}
    got = caviar("status", names.get(ref, ref), "--store", filled.path)
    assert got.out.startswith(f"digits ({filled.digits})")


def test_without_a_name_the_latest_is_meant(caviar, filled):
    assert caviar("status", "--store", filled.path).out.startswith(f"later ({filled.later})")
