"""The folder of one sweep, copied: inside a store every verb reads it; anywhere else it is said where it belongs."""

import json
import shutil
from pathlib import Path

import pytest

from caviar import Result
from caviar.store import Store


@pytest.fixture(params=["digits", "later"])
def copied(request, filled, tmp_path):
    """A store into which one sweep of another was copied, finished or interrupted; and that sweep's id."""
    sweep = getattr(filled, request.param)
    Store.open(tmp_path / "store", create=True)
    shutil.copytree(Path(filled.path) / f"sweep={sweep}", tmp_path / "store" / f"sweep={sweep}")
    return str(tmp_path / "store"), sweep


@pytest.mark.parametrize("verb", ["status", "best", "curves", "show 1", "logs 1", "explain 1", "store info"])
def test_every_verb_reads_it(caviar, filled, copied, verb):
    path, sweep = copied
    *first, last = verb.split() if len(verb.split()) > 1 and verb.split()[1].isdigit() else (*verb.split(), "")
    words = [*first, sweep, *([last] if last else []), "--json", "--store"]
    got, original = caviar(*words, path), caviar(*words, filled.path)
    assert got.code == 0, got.err
    assert {**json.loads(got.out), "store": ""} == {**json.loads(original.out), "store": ""}


def test_lists_and_python_have_it(caviar, copied):
    path, sweep = copied
    assert [row["sweep"] for row in json.loads(caviar("ls", "--json", "--store", path).out)["sweeps"]] == [sweep]
    assert Result(path, sweep).best.trial in {1, 2}
    assert caviar("store", "check", "--store", path).code == 0


@pytest.mark.parametrize("verb", ["ls", "best", "status"])
def test_elsewhere_it_is_said_where_it_belongs(caviar, filled, tmp_path, verb):
    folder = tmp_path / "alone" / f"sweep={filled.digits}"
    shutil.copytree(Path(filled.path) / folder.name, folder)
    itself, alone = caviar(verb, "--store", str(folder)), caviar(verb, "--store", str(folder.parent))
    assert (itself.code, alone.code) == (5, 5)
    assert "is the folder of one sweep, not a store" in itself.err
    assert "holds sweeps, but no FORMAT file" in alone.err
    assert itself.err.count("\n") == alone.err.count("\n") == 1
    assert "type --store" not in itself.err, "there is no store either"
    shutil.copy(Path(filled.path) / "FORMAT", folder.parent)  # as both say
    assert "FORMAT" in itself.err
    assert f"type --store {folder.parent}" in caviar(verb, "--store", str(folder)).err
    assert caviar(verb, "--store", str(folder.parent)).code == 0
