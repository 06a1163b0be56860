"""What save and load do in a worker, and which rows and messages come of them."""

import errno
import math
import os
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from caviar_workers.checkpoint import Save, parse_save
from caviar_workers.lease import run_lease
from caviar_workers.messages import Batch, Lease, Living, Message, Program, Summary
from caviar_workers.trial import Trial

from ..leases import origin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of checkpoints of a sweep that this machine sees."""
    (tmp_path / "sweep.json").write_text("{}")
    (tmp_path / "build").mkdir()
    return tmp_path / "_checkpoints"


def where(folder: Path) -> dict[str, str]:
    return {"checkpoints": str(folder), "build": str(folder.with_name("build"))}


def batches(train: Callable[..., Any], mail: Any = lambda: (), **given: Any) -> list[Batch]:
    program = Program(digest="d", train="train", functions={"train": train})
    lease = Lease(
        **{
            "id": 0,
            "sweep": "s",
            "metric": "loss",
            "trials": (7,),
            "attempts": (1,),
            "seeds": (0,),
            "configs": {"lr": (0.5,)},
            "flush_s": 0.01,
            **given,
        }
    )
    return list(run_lease(program, lease, own_process=False, mail=mail))


def rows(found: list[Batch], table: str) -> list[dict[str, Any]]:
    data = [getattr(batch, table) for batch in found]
    return [row for part in data if part for row in pa.ipc.open_stream(part).read_all().to_pylist()]


def saves(found: list[Batch]) -> list[Save]:
    return [save for batch in found for save in batch.saves]


def saving(config: dict[str, Any], trial: Trial) -> None:
    for step in range(3):
        trial.report(step, loss=3.0 - step)
        trial.save(step, b"state %d" % step)


def test_a_worker_that_sees_the_store_writes_there_and_says_so(folder: Path) -> None:
    found = saves(batches(saving, **where(folder)))

    assert [(s.trial, s.attempt, s.step, s.rows, s.value, s.data) for s in found] == [
        (7, 1, step, step + 1, 3.0 - step, None) for step in range(3)
    ]
    files = sorted((folder / "7").iterdir())
    assert [file.read_bytes() for file in files] == [b"state 0", b"state 1", b"state 2"]
    assert [parse_save(7, file.name) for file in files] == found
    assert found[0].checksum == f"{zlib.crc32(b'state 0'):08x}"


@pytest.mark.parametrize("unseen", ["", "/nowhere/sweep=x/_checkpoints"])
def test_one_that_does_not_see_it_sends_the_bytes(unseen: str) -> None:
    found = saves(batches(saving, checkpoints=unseen))

    assert [s.data for s in found] == [b"state 0", b"state 1", b"state 2"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", ["stat", "open", "mkdir", "fsync", "rename"])
def test_a_call_that_fails_once_in_a_save_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, after: bool
) -> None:
    made = getattr(os, call)
    struck: list[object] = []

    def once(path: Any, *args: Any, **settings: Any) -> Any:
        ours = path if isinstance(path, int) else str(folder.parent) in str(path)
        if not ours or struck:
            return made(path, *args, **settings)
        struck.append(path)
        if after and call != "open":  # which would leave a file open
            made(path, *args, **settings)
        raise OSError(errno.ESTALE, "made up")

    monkeypatch.setattr("caviar_workers.backoff.FIRST_S", 0.001)
    monkeypatch.setattr(os, call, once)
    found = saves(batches(saving, **where(folder)))
    monkeypatch.undo()

    assert struck
    assert [(s.step, s.data) for s in found] == [(0, None), (1, None), (2, None)]
    files = sorted((folder / "7").iterdir())
    assert [file.read_bytes() for file in files] == [b"state 0", b"state 1", b"state 2"]


def test_the_rows_before_a_checkpoint_never_come_after_it(folder: Path) -> None:
    told = 0
    for batch in batches(saving, **where(folder)):
        told += len(rows([batch], "curves"))
        assert all(save.rows <= told for save in batch.saves)


def test_a_file_is_copied_and_what_is_no_path_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(os.urandom(3_000_000))

    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.save(0, file)
        trial.report(0, loss=1.0)
        for wrong in (3, {"state": 1}):
            with pytest.raises(TypeError, match="a checkpoint is bytes or the path of a file or a folder"):
                trial.save(1, wrong)  # type: ignore[arg-type]
        for text in ('{"step": 3}', "x" * 5000, "a\0b"):
            with pytest.raises(FileNotFoundError, match="text itself is kept as"):
                trial.save(1, text)
        with pytest.raises(TypeError, match="a step is a whole number"):
            trial.save(0.5, b"")  # type: ignore[arg-type]

    found = batches(train, **where(folder))

    assert rows(found, "attempts")[-1]["state"] == "COMPLETED", rows(found, "attempts")[-1]["error"]
    (copy,) = (folder / "7").iterdir()  # nothing is left of what was refused
    assert copy.read_bytes() == file.read_bytes()


def test_an_execution_that_was_restored_says_where_it_began() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        saved = trial.load()
        assert saved is not None
        step, data = saved
        assert data == b"ten"
        trial.report(step + 1, loss=1.0)

    found = batches(train, restore={7: origin(10, b"ten")})

    assert [(row["_start"], row["step"]) for row in rows(found, "curves")] == [(11, 11)]
    assert rows(found, "attempts")[-1]["start"] == 11


def test_whoever_does_not_load_begins_at_0_and_who_has_nothing_loads_none() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=1.0)

    def loading(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=1.0 if trial.load() is None else 2.0)

    assert rows(batches(train, restore={7: origin(10, b"")}), "attempts")[-1]["start"] == 0
    assert rows(batches(loading, restore={8: origin(10, b"")}), "curves")[0]["loss"] == 1.0


@pytest.mark.parametrize(
    ("late", "step", "words"),
    [
        (True, 12, "comes before the first trial.report"),
        (False, 10, "loaded is of step 10, but report() got step 10 again"),
    ],
)
def test_neither_a_late_load_nor_a_report_of_the_past_is_possible(late: bool, step: int, words: str) -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        if late:
            trial.report(step, loss=1.0)
        trial.load()
        trial.report(step, loss=1.0)

    ended = rows(batches(train, restore={7: origin(10, b"")}), "attempts")[-1]
    assert ended["state"] == "FAILED"
    assert words in ended["error"]


def test_a_trial_that_saves_pauses_at_its_next_checkpoint(folder: Path) -> None:
    begun, told = threading.Event(), threading.Event()

    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.save(0, b"0")
        begun.set()
        told.wait(20)
        for step in range(1, 6):
            trial.report(step, loss=1.0)
            if step % 3 == 0:
                trial.save(step, b"%d" % step)

    calls = 0

    def mail() -> tuple[Message, ...]:
        nonlocal calls
        if not begun.is_set():
            return ()
        calls += 1
        if calls == 2:
            told.set()
        return (Message(trial=7, attempt=1, action="pause", decision=0),)

    found = batches(train, mail, **where(folder))

    ended = rows(found, "attempts")[-1]
    assert (ended["state"], ended["step"], ended["rows"]) == ("PAUSED", 3, 3)
    assert [save.step for save in saves(found)] == [0, 3]


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_the_value_of_a_checkpoint_is_the_newest_of_the_metric_however_it_was_reported(pause: float) -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.save(0, b"")
        for step, reports in enumerate(
            [({"loss": 1.0}, {"acc": 0.5}), ({"acc": 0.5},), ({"loss": math.inf},), ({"loss": 3.0},)]
        ):
            for metrics in reports:
                trial.report(step, **metrics)
            time.sleep(pause)  # the rows may have been taken away since
            trial.save(step, b"")

    saves = [save for batch in batches(train) for save in batch.saves]

    assert [repr(save.value) for save in saves] == ["nan", "1.0", "1.0", "nan", "3.0"]


def test_an_attempt_that_goes_on_carries_the_curve_on() -> None:
    before = Living(
        diverged=False,
        metrics={"loss": Summary(last=2.0, low=1.0, high=5.0), "acc": Summary(last=math.nan, low=None, high=None)},
    )

    def train(config: dict[str, Any], trial: Trial) -> None:
        saved = trial.load()
        assert saved is not None
        trial.save(10, b"")
        trial.report(11, train_loss=math.nan, acc=0.5)

    def leaving_it(config: dict[str, Any], trial: Trial) -> None:
        trial.report(11, train_loss=1.0)

    given = {"restore": {7: origin(10, living=before)}}
    found = batches(train, **given)
    ended = rows(found, "attempts")[-1]
    assert [save.value for batch in found for save in batch.saves] == [2.0]
    assert (ended["state"], ended["diverged"], ended["rows"]) == ("COMPLETED", False, 1)
    assert [ended[f"{form}_{metric}"] for metric in ("loss", "acc") for form in ("last", "min", "max")] == [
        *(2.0, 1.0, 5.0),
        *(0.5, 0.5, 0.5),
    ]
    ended = rows(batches(leaving_it, **given), "attempts")[-1]
    assert (ended["state"], ended["kind"]) == ("FAILED", "metric")
    assert "last_loss" not in ended


def test_whoever_carries_a_curve_without_the_metric_on_to_its_end_has_none() -> None:
    given = {"restore": {7: origin(10, living=Living())}}

    assert rows(batches(lambda config, trial: trial.load() and None, **given), "attempts")[-1]["kind"] == "metric"


@pytest.mark.parametrize(
    ("attempt", "step", "rows"), [(2**15, 0, 0), (2**15 - 1, 0, 0), (10**20, 0, 0), (0, 2**63, 0), (0, 0, 2**63)]
)
def test_a_name_that_nobody_can_have_written_is_no_checkpoint(attempt: int, step: int, rows: int) -> None:
    name = f"{attempt:04d}-{step:019d}-{rows:010d}-3ff0000000000000-00000000.checkpoint"
    assert parse_save(0, name) is None
    assert parse_save(0, "0001-0000000000000000001-0000000001-3ff0000000000000-00000000.checkpoint") is not None
