"""A sweep's folder under another name than its own: it is left out, told of once, and never touched."""

import json
import logging
import shutil
from pathlib import Path

import pytest

from caviar import Result
from caviar.cli.main import main

NAMES = (
    *("sweep=net-of-anna", "sweep={id} (copy)", "sweep={id} 2", "sweep={id}.bak", "sweep={id}-old", "{id}"),
    *("sweep={ID}", "Sweep={id}", "sweep=", "old sweep={id}", "sweep={id}\x1b[31m", "net of anna", "sweep=ß🐟"),
)


def told(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.fixture(autouse=True)
def heard(caplog):
    caplog.set_level(logging.WARNING, logger="caviar")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
def test_it_is_told_what_to_do_and_that_helps(store, sweep, caplog, name, how):
    name = name.format(id=sweep.id, ID=sweep.id.replace("-", "_"))
    how(str(sweep.path), str(store.path / name))
    left = [sweep.id] if how is shutil.copytree else []
    assert [one.id for one in store.sweeps()] == left
    (sentence,) = told(caplog)
    assert sentence.startswith(f"{name} is left out: ")
    if left:
        assert f"it is a copy of {sweep.id}" in sentence
        shutil.rmtree(store.path / name)
    else:
        (store.path / name).rename(store.path / sentence.removesuffix(".").rpartition("rename it back to ")[2])
    caplog.clear()
    assert [one.id for one in store.sweeps()] == [sweep.id]
    assert told(caplog) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": 3}', '{"id": "../x"}', '{"id": "20260101-000000-00zz"}'])
def test_one_that_does_not_say_its_id_is_told_too(store, sweep, caplog, text):
    moved = sweep.path.rename(store.path / "sweep=mine")
    (moved / "sweep.json").write_text(text)
    assert store.sweeps() == []
    assert told(caplog) == [
        "sweep=mine is left out: a sweep's folder is called sweep= and its id; rename it back to what it was."
    ]


@pytest.mark.parametrize("name", ["notes", "sweep=x", ".hidden", "_new-1", "_gone-2", "link"])
def test_what_holds_no_sweep_is_not_told(store, sweep, caplog, name):
    if name == "link":
        (store.path / name).symlink_to(sweep.path)
    else:
        (store.path / name / "trials").mkdir(parents=True)
    if name.startswith("_"):
        (store.path / name / "sweep.json").write_text("{}")
    assert [one.id for one in store.sweeps()] == [sweep.id]
    assert told(caplog) == []


def test_python_says_it_once(store, sweep, caplog):
    shutil.copytree(sweep.path, store.path / "sweep=mine")
    for ref in (None, sweep.id, sweep.name, sweep.id[:8]):
        caplog.clear()
        assert Result(store.path, ref).id == sweep.id
        assert len(told(caplog)) == 1


@pytest.mark.parametrize("verb", ["ls", "status", "query", "store check", "store info", "rm", "store compact"])
def test_every_verb_says_it_once_and_leaves_it_alone(store, sweep, capsys, monkeypatch, verb):
    monkeypatch.delenv("CAVIAR_STORE", raising=False)
    other = store.create_sweep(sweep.description(), b"")
    moved = sweep.path.rename(store.path / "sweep=net-of-anna")
    before = {path: path.stat().st_mtime_ns for path in moved.rglob("*")}
    more = {"query": ["select count(*) from sweeps"], "rm": [other.id, "--yes"]}.get(verb, [])
    with pytest.raises(SystemExit) as end:
        main([*verb.split(), *more, "--store", str(store.path)])
    out, err = capsys.readouterr()
    assert end.value.code == 0, err
    assert sweep.id not in out
    assert err.count("caviar: sweep=net-of-anna is left out: ") == 1
    assert err.count(f"rename it back to sweep={sweep.id}.") == 1
    assert {path: path.stat().st_mtime_ns for path in moved.rglob("*")} == before
    assert json.loads((Path(moved) / "sweep.json").read_text())["id"] == sweep.id
