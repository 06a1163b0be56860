"""Progress is read from the store alone, and what was read once is not read again."""

import json
from pathlib import Path
from typing import Any

import pytest

from caviar.errors import StoreError
from caviar.results.json_form import as_json
from caviar.results.progress import ProgressDocument, ProgressReader, progress_document
from caviar.store import Store, SweepDir, Writer
from caviar.store.finalize import finalize
from caviar.store.merging import merge
from caviar.store.read import following

from ..small_stores import attempt_row, configs, curve, make_plan

TRIALS = 30


class Grown:
    """A sweep that grows while somebody reads it."""

    def __init__(self, store: Path | str, **plan: Any) -> None:
        self.store = Store.open(store, create=True)
        self.sweep: SweepDir = self.store.create_sweep({"plan": make_plan("grown", TRIALS, **plan).to_json()}, b"")
        self.epoch = self.sweep.claim()
        self.writer = Writer(self.sweep, self.epoch)
        self.writer.add("configs", configs(make_plan("grown", TRIALS), TRIALS))
        self.writer.flush()
        self.reader = ProgressReader(self.store, self.sweep)

    def publish(self, *tables: tuple[str, Any]) -> None:
        for table, rows in tables:
            self.writer.add(table, rows)
        self.writer.flush()

    def complete(self, *trials: int, **row: Any) -> None:
        self.publish(*((kind, rows) for one in trials for kind, rows in whole(one, **row)))

    def spoil(self) -> None:
        """Whoever opens one of the files of curves and attempts again that are there now finds no Parquet."""
        for file in self.sweep.path.rglob("*.parquet"):
            if "configs" not in file.name:
                file.write_bytes(b"read before")

    def told(self) -> dict[str, Any]:
        """Whoever followed the sweep knows what a fresh look tells."""
        said, fresh = self.reader.read(), progress_document(self.store, self.sweep)
        assert timeless(said) == timeless(fresh)
        return timeless(said)


def timeless(document: ProgressDocument) -> dict[str, Any]:
    found = as_json(document)
    del found["elapsed_s"]
    return found


def whole(trial: int, state: str = "COMPLETED", **row: Any) -> list[tuple[str, Any]]:
    return [("curves", curve(trial)), ("attempts", attempt_row(trial, state, **row))]


@pytest.fixture(params=["last", "best", "smoothed"])
def grown(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    one = Grown(tmp_path / "store", rule=request.param)
    yield one
    one.reader.close()
    one.writer.close()


def best(said: dict[str, Any]) -> list[int]:
    return [row["trial"] for row in said["best"]]


def test_what_was_read_is_not_read_again(grown):
    grown.complete(9, 8)
    assert best(as_json(grown.reader.read())) == [8, 9]
    grown.spoil()
    grown.complete(2, 20)
    said = as_json(grown.reader.read())
    assert best(said) == [2, 8, 9, 20]
    assert (said["done"], [len(row["curve"]) for row in said["best"]]) == (4, [20] * 4)
    assert merge_of_nothing_new(grown) == said["best"]


def merge_of_nothing_new(grown):
    """The best trials after a merge of what was read: the merged files are not opened."""
    fresh = Grown(grown.store.path.parent / "fresh", rule=grown.sweep.description()["plan"]["rule"])
    fresh.complete(9, 8, 2, 20)
    fresh.reader.read()
    assert merge(fresh.sweep)
    fresh.spoil()
    found = as_json(fresh.reader.read())["best"]
    fresh.publish(*whole(25))
    assert as_json(fresh.reader.read())["done"] == 5
    fresh.writer.close()
    return found


def test_rows_that_were_merged_before_they_were_read_count_once(grown):
    grown.complete(9, 8, 1)
    grown.publish(
        ("curves", curve(4, steps=3)), ("attempts", attempt_row(4, "RUNNING", steps=3, ended=None, busy=None))
    )
    grown.reader.read()
    grown.complete(2)
    grown.publish(
        ("curves", curve(7, steps=9)), ("attempts", attempt_row(7, "RUNNING", steps=9, ended=None, busy=None))
    )
    assert merge(grown.sweep)
    grown.complete(3, state="FAILED", kind="error", error="ValueError: no")
    said = grown.told()
    assert best(said)[:3] == [2, 1, 8]
    assert said["counts"] == {"COMPLETED": 4, "RUNNING": 2, "FAILED": 1}
    assert said["reasons"] == [["ValueError: no", 1]]
    assert said["newest"]["trial"] == 7


def test_a_trial_that_is_tried_again_after_it_was_forgotten(grown):
    grown.publish(*whole(2, "FAILED", kind="error", error="E: no"), *whole(5), *whole(6), *whole(7))
    grown.complete(8, 9, 10)
    said = grown.told()
    assert (best(said), said["failed"]) == ([5, 6, 7, 8, 9], 1)
    later = curve(2, 1).slice(12)  # it goes on from its checkpoint at step 11
    later = later.set_column(3, "_start", [[12] * 8]).set_column(2, "_seq", [list(range(8))]).cast(later.schema)
    grown.publish(("curves", later.slice(0, 3)))
    grown.reader.read()
    grown.publish(("curves", later.slice(3)), ("attempts", attempt_row(2, "COMPLETED", 1, start=12)))
    said = grown.told()
    assert (best(said), said["failed"], said["reasons"]) == ([2, 5, 6, 7, 8], 0, [])
    assert len(said["best"][0]["curve"]) == 20


def test_a_sweep_that_ended_is_told_alike(grown):
    grown.complete(*range(6))
    grown.told()
    grown.complete(*range(6, TRIALS))
    grown.writer.close()
    finalize(grown.sweep, grown.epoch)
    said = grown.told()
    assert (said["state"], said["done"], said["planned"], said["newest"]) == ("finished", TRIALS, TRIALS, None)


@pytest.mark.parametrize("rule", ["last", "smoothed"])
def test_of_a_long_curve_not_all_is_kept_and_the_value_is_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    monkeypatch.setattr(following, "MOST_ROWS", 12)
    monkeypatch.setattr(following, "NEWEST_ROWS", 5)
    grown = Grown(tmp_path / "store", rule=rule)
    grown.publish(("curves", curve(2, steps=15)), ("attempts", attempt_row(2, "RUNNING", ended=None, busy=None)))
    grown.reader.read()
    later = curve(2, 1).slice(8, 2)  # its process died; it goes on from step 8, for two steps
    later = later.set_column(3, "_start", [[8] * 2]).set_column(2, "_seq", [[0, 1]]).cast(later.schema)
    grown.publish(("curves", later.slice(0, 1)), ("attempts", attempt_row(2, "LOST", kind="lost")))
    grown.reader.read()
    ended = attempt_row(2, "COMPLETED", 1, steps=10, rows=2, start=8)
    grown.publish(("curves", later.slice(1)), ("attempts", ended), *whole(3))
    said = as_json(grown.reader.read())
    assert [row["trial"] for row in said["best"]] == [3, 2]
    assert [row["value"] for row in said["best"]] == [row.value for row in exact(grown, rule)]
    assert len(said["best"][1]["curve"]) < 10
    grown.reader.close()
    grown.writer.close()


def exact(grown, rule):
    from caviar.results.selector import select
    from caviar.store import Views

    with Views(grown.store, [grown.sweep]) as views:
        return select(views, grown.sweep.description(), rule=rule).rows


def test_its_form_stays(every):
    said = as_json(progress_document(every.store, every.store.find(every.ids["resumed"])))
    assert {key: type(value).__name__ for key, value in said.items()} == {
        **dict.fromkeys(("sweep", "name"), "str"),
        **dict.fromkeys(("planned", "done", "running"), "int"),
        "no_room": "bool",
        "lack": "str",
        **dict.fromkeys(("failed", "stopped"), "int"),
        **dict.fromkeys(("elapsed_s", "eta_s"), "float"),
        "busy": "NoneType",
        **dict.fromkeys(("metric", "mode"), "str"),
        "best": "list",
        "newest": "dict",
        "last_reports": "list",
        "reasons": "list",
        **dict.fromkeys(("state", "rule"), "str"),
        "counts": "dict",
    }
    assert list(said["best"][0]) == ["trial", "value", "config", "curve"]
    assert said["newest"] == {"trial": 2, "step": 3, "value": pytest.approx(0.59881164)}
    assert said["last_reports"] == [said["newest"]]
    assert said["counts"] == {"COMPLETED": 1, "STOPPED": 1, "RUNNING": 1}
    assert json.loads(json.dumps(said, allow_nan=False)) == said


def test_a_sweep_that_has_recorded_nothing(tmp_path):
    grown = Grown(tmp_path / "store")
    said = grown.told()
    assert (said["done"], said["best"], said["newest"], said["counts"]) == (0, [], None, {})
    grown.writer.close()


def test_a_sweep_in_a_bucket_is_followed(cloud):
    grown = Grown(cloud.uri, rule="smoothed")
    grown.complete(9, 8)
    grown.reader.read()
    grown.complete(2)
    assert merge(grown.sweep)
    grown.complete(1)
    assert best(grown.told()) == [2, 1, 8, 9]
    grown.writer.close()
    grown.reader.close()


def test_a_reading_that_fails_changes_nothing(grown):
    grown.complete(9, 8)
    grown.reader.read()
    grown.complete(2)
    newest = max(grown.sweep.path.rglob("*-curves-*.parquet"))
    whole_file = newest.read_bytes()
    newest.write_bytes(b"half of it")
    with pytest.raises(StoreError):
        grown.reader.read()
    newest.write_bytes(whole_file)
    grown.complete(1)
    assert best(grown.told()) == [2, 1, 8, 9]


def test_a_sweep_that_was_given_more_trials_has_them_planned(grown):
    grown.complete(9)
    grown.reader.read()
    grown.sweep.again().amend(trials=TRIALS + 5)
    grown.complete(8)
    assert grown.reader.read().planned == TRIALS + 5


def test_trials_that_end_while_the_first_reading_begins_have_their_curves(grown, monkeypatch):
    first = ProgressReader._first_leaders

    def meanwhile(self):
        grown.complete(9, 8)
        found = first(self)
        grown.complete(2)
        return found

    monkeypatch.setattr(ProgressReader, "_first_leaders", meanwhile)
    grown.complete(3)
    grown.reader.read()
    monkeypatch.undo()
    said = grown.told()
    assert best(said) == [2, 3, 8, 9]
    assert [len(row["curve"]) for row in said["best"]] == [20] * 4
