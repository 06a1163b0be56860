"""Owning a sweep: signs of life until it is released, and an end when somebody else has it."""

import errno
import json
import os
import re
import time
from pathlib import Path

import pytest

from caviar.errors import CaviarError, NotFoundError, StoreError
from caviar.store import Store, SweepDir, Writer
from caviar.store import ownership as owning
from caviar.store.checkpoints import write_carried
from caviar.store.disk import PosixDisk
from caviar.store.final_tests import add_final, final_results
from caviar.store.finalize import compact, finalize
from caviar.store.owner import owner_path
from caviar.store.ownership import own
from caviar.store.requests import ask_to_stop
from caviar.store.sweep_dir import amend
from caviar_workers.checkpoint import Save
from caviar_workers.checkpoint_folder import CheckpointFolder


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(owning, "BEAT_S", 0.02)
    monkeypatch.setattr(owning, "AGAIN_S", 0.02)


def eventually(true):
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def silence(path):
    os.utime(path, (time.time() - 1000,) * 2)


def take_over(sweep):
    """As another process does that takes this one for dead."""
    path = owner_path(sweep.path, 1)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pid_started": "long ago"}))
    return sweep.again().claim()


def test_an_owner_beats_until_it_lets_go(sweep):
    path = owner_path(sweep.path, 1)
    with own(sweep) as held:
        for _ in range(3):
            silence(path)
            eventually(lambda: time.time() - path.stat().st_mtime < 100)
        held.check()
    assert sweep.owner().standing == "nobody"
    held.release()  # again, for who let go early
    assert sweep.claim() == 2


class Sick(PosixDisk):
    """Cannot touch a file, three times."""

    left = 3

    def touch(self, path):
        if self.left:
            Sick.left -= 1
            raise OSError(errno.EIO, "made up")
        super().touch(path)


def test_a_beat_that_fails_is_tried_again(sweep, monkeypatch):
    monkeypatch.setattr(Sick, "left", 3)
    path = owner_path(sweep.path, 1)
    with own(SweepDir(path=sweep.path, disk=Sick())) as held:
        silence(path)
        eventually(lambda: time.time() - path.stat().st_mtime < 100)
        held.check()
    assert Sick.left == 0


def test_an_error_in_the_block_lets_go_and_is_the_one_that_is_told(sweep, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EIO, "made up")

    def err():
        with own(sweep):
            monkeypatch.setattr(PosixDisk, "rename", fail)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        err()
    assert sweep.owner().standing == "nobody"  # the store does not know, but this process does
    monkeypatch.undo()
    assert sweep.claim() == 2


def test_what_is_read_of_a_sweep_that_is_ours_is_what_there_is(sweep):
    sweep.description()
    amend(sweep.disk, sweep.path, trials=99)
    with own(sweep) as held:
        assert held.sweep.description()["plan"]["trials"] == 99


def test_an_owner_that_was_superseded_hears_of_it_in_one_sentence_and_stops(sweep, rows):
    with own(sweep) as held:
        assert take_over(sweep) == 2
        with pytest.raises(StoreError, match="taken over by another process, or removed: this one stops") as caught:
            held.look()
        assert "\n" not in str(caught.value)
    assert sweep.owner().epoch == 2
    assert sweep.owner_alive()


def test_its_beat_tells_it_too_and_keeps_nobody_elses_file_young(sweep):
    with own(sweep) as held:
        take_over(sweep)
        silence(owner_path(sweep.path, 2))
        eventually(lambda: not held._thread.is_alive())
        with pytest.raises(StoreError, match="this one stops"):
            held.check()
        assert time.time() - owner_path(sweep.path, 2).stat().st_mtime > 500


def test_an_owner_whose_sweep_was_removed_hears_of_it(store, sweep):
    with own(sweep) as held:
        store.disk.remove_folder(sweep.path)
        eventually(lambda: not held._thread.is_alive())
        with pytest.raises(StoreError, match="or removed"):
            held.check()
    assert store.sweeps() == []


def test_nobody_else_writes_to_a_sweep_or_removes_it_while_it_is_owned(store, sweep):
    with own(sweep):
        for do in (lambda: store.remove(sweep), lambda: compact(sweep), lambda: own(sweep)):
            with pytest.raises(StoreError, match=r"is running|is being run by process") as caught:
                do()
            assert "\n" not in str(caught.value)
    store.remove(sweep)
    with pytest.raises(NotFoundError, match="removed"):
        store.remove(sweep)


def test_a_sweep_that_is_being_removed_or_compacted_says_so(sweep):
    for purpose in ("removed", "compacted", "zoomed"):
        with (
            own(sweep, purpose=purpose),
            pytest.raises(StoreError, match=f"is being {purpose} by process {os.getpid()}"),
        ):
            sweep.claim()


class Full(PosixDisk):
    """Has no room for another file."""

    def _open(self, path):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_sweep_is_removed_from_a_full_disk_too(store, sweep):
    Store(path=store.path, disk=Full()).remove(sweep)
    assert store.sweeps() == []


SAVE = Save(trial=0, attempt=0, step=0, rows=0, value=1.0, checksum="", data=b"x")

WRITERS = {
    "claim": lambda sweep: sweep.claim(),
    "own": own,
    "compact": compact,
    "ask": ask_to_stop,
    "amend": lambda sweep: sweep.amend(trials=5),
    "final": lambda sweep: add_final(sweep, {"sweep": sweep.id, "trial": 0}),
    "checkpoint": lambda sweep: write_carried(sweep, 1, SAVE),
    "worker": lambda sweep: CheckpointFolder(sweep.path / "_checkpoints", sweep.path / "_build/000001", 0).write(
        SAVE, b"x"
    ),
    "finalize": lambda sweep: finalize(sweep, 1),
}


@pytest.mark.parametrize("do", WRITERS.values(), ids=WRITERS)
def test_nobody_brings_a_removed_sweep_back_in_part(store, sweep, do):
    again = sweep.again()
    again.description()
    store.remove(sweep)
    with pytest.raises((CaviarError, OSError)) as caught:
        do(again)
    assert "\n" not in str(caught.value)
    assert store.sweeps() == []
    assert [path.name for path in store.path.iterdir()] == ["FORMAT"]


def test_two_that_test_a_winner_store_one_finding(sweep, monkeypatch):
    first = {"sweep": sweep.id, "trial": 3, "metrics": {"test": 1.0}}
    add_final(sweep, first)
    add_final(sweep, first | {"metrics": {"test": 2.0}})
    add_final(sweep, first | {"trial": 4})
    assert [(one["trial"], one["metrics"]["test"]) for one in final_results(sweep)] == [(3, 1.0), (4, 1.0)]


def test_a_writer_lets_an_ended_sweep_run_again_and_a_claim_alone_does_not(store, sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0, 1, 2]))
    finalize(sweep, epoch, "finished")
    sweep.release(sweep.claim())
    assert sweep.state() == "finished"
    with own(sweep) as held:
        assert sweep.state() == "running"
        assert sweep.visible_files().manifest.state == "finished"
        Writer(held.sweep, held.epoch).close()
        assert sweep.visible_files().manifest.state == "running"
    assert sweep.state() == "interrupted"


def test_who_lost_a_sweep_does_not_let_it_run_again(sweep):
    sweep.claim()
    assert take_over(sweep) == 2
    finalize(sweep, 2, "finished")
    with pytest.raises(StoreError, match=r"took .* over"):
        Writer(sweep, 1)
    assert sweep.state() == "finished"


def test_everything_in_the_program_that_owns_a_sweep_beats():
    room = Path(owning.__file__).parents[1]
    claims = {
        str(path.relative_to(room))
        for path in room.rglob("*.py")
        if re.search(r"\.claim\(|claims?\.hold\(", path.read_text())
    }
    # `hold` only removes, which is over at once.
    assert claims == {"store/ownership.py", "store/sweep_dir.py", "store/store.py"}
