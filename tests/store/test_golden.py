"""Stores of every format that was ever released stay readable, and can be gone on with."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from caviar.errors import StoreError
from caviar.results.family import children
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, Views, Writer
from caviar.store.check import check
from caviar.store.finalize import finalize
from caviar.store.ownership import own
from caviar_workers.tables import FIELDS, FORMAT, TABLES

GOLDEN = Path(__file__).parent / "golden"
FORMATS = sorted(GOLDEN.glob("format-*"))


@pytest.fixture(params=FORMATS, ids=[folder.name for folder in FORMATS])
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a golden store, and of what its views showed when it was made."""
    copied: Path = shutil.copytree(request.param, tmp_path / "golden")
    return copied


def test_there_is_a_golden_store_of_every_format() -> None:
    assert [folder.name for folder in FORMATS] == [f"format-{n}" for n in range(1, FORMAT + 1)]


def test_its_rows_are_what_they_were(golden: Path) -> None:
    store = Store.open(golden / "store")
    with Views(store) as views:
        for view, was in json.loads((golden / "rows.json").read_text("utf-8")).items():
            columns = ", ".join(f'"{column}"' for column in was["columns"])  # later versions may add some
            assert sorted(map(str, views.execute(f"SELECT {columns} FROM {view}").fetchall())) == was["rows"], view


def test_nothing_in_it_is_found_damaged_and_its_plans_are_understood(golden: Path) -> None:
    for sweep in Store.open(golden / "store").sweeps():
        assert check(sweep) == []
        plan = Plan.from_json(sweep.description()["plan"])
        assert (plan.name, plan.trials, [*plan.space]) == ("golden", 3, ["lr", "units", "act"])


def test_its_files_have_the_fields_of_its_format(golden: Path) -> None:
    number = json.loads((golden / "store" / "FORMAT").read_text("utf-8"))["format"]
    for file in golden.rglob("*.parquet"):
        table = file.parent.name if file.parent.name in TABLES else file.stem.rpartition("-")[0].rpartition("-")[2]
        if table in TABLES:
            wanted = {name for name, field in FIELDS[table].items() if field.since <= number}
            assert wanted <= set(pq.read_schema(file).names), file


def test_its_sweeps_can_be_gone_on_with_and_ended(golden: Path, rows) -> None:
    store = Store.open(golden / "store")
    for sweep in store.sweeps():
        epoch = sweep.claim()
        with Writer(sweep, epoch) as writer:
            writer.add("curves", rows.curve(2, [0], attempt=7, loss=[3.0]))
            writer.add("attempts", rows.attempt(2, attempt=7, rows=1, step=0, last_loss=3.0))
        finalize(sweep, epoch)
        assert check(sweep) == []
        with Views(store, [sweep]) as views:
            assert views.execute("SELECT loss FROM curves WHERE trial = 2").fetchall() == [(3.0,)]


def test_reading_leaves_its_format_and_the_first_write_raises_it(golden: Path) -> None:
    written = golden / "store" / "FORMAT"
    before = written.read_bytes()
    store = Store.open(golden / "store")
    sweep = store.sweeps()[0]
    with Views(store) as views:
        views.execute("SELECT * FROM sweeps").fetchall()
    assert [one.state() for one in store.sweeps()] == ["finished", "interrupted", "interrupted", "interrupted"]
    assert check(sweep) == []
    assert written.read_bytes() == before
    sweep.release(sweep.claim())
    assert json.loads(written.read_bytes()) == {"format": FORMAT}  # what is older refuses it, see below


def test_its_sweeps_can_be_extended_zoomed_and_removed(golden: Path) -> None:
    store = Store.open(golden / "store")
    sweep = store.sweeps()[0]
    with own(sweep) as held:
        held.sweep.amend(trials=5)
    assert sweep.again().description()["plan"]["trials"] == 5
    said = sweep.description()
    child = store.create_sweep({**said, "plan": {**said["plan"], "parent": sweep.id}}, b"")
    assert children(store, sweep) == [child]
    for one in store.sweeps():
        store.remove(one)
    assert store.sweeps() == []


def test_an_owner_of_format_1_is_judged_by_its_signs_of_life(store: Store, sweep: SweepDir) -> None:
    path = sweep.path / "_owner" / f"{sweep.claim():06d}.json"
    said = json.loads(path.read_text())
    path.write_text(json.dumps({key: said[key] for key in ("epoch", "host", "pid", "pid_started", "claimed")}))
    assert sweep.state() == "running"
    os.utime(path, (time.time() - 100,) * 2)
    assert sweep.state() == "interrupted"
    assert sweep.claim() == 2


def test_a_newer_format_is_refused_in_a_sentence(golden: Path) -> None:
    (golden / "store" / "FORMAT").write_text(json.dumps({"format": FORMAT + 1}))

    with pytest.raises(StoreError, match=re.escape(f"newer caviar (format {FORMAT + 1}, this one knows {FORMAT})")):
        Store.open(golden / "store")
