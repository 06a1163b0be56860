"""One owner at a time."""

import errno
import json
import os
import platform
import subprocess
import sys
import time

import pytest

from caviar.errors import StoreError
from caviar.store import Store, SweepDir, Views, Writer
from caviar.store.disk import PosixDisk
from caviar.store.finalize import finalize
from caviar.store.owner import process_start, runs, this_process


def rewrite(sweep, epoch, **changes):
    path = sweep.path / "_owner" / f"{epoch:06d}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def count(store, sweep):
    with Views(store, [sweep]) as views:
        return views.execute("SELECT count(*) FROM curves").fetchall()[0][0]


@pytest.mark.parametrize("purpose", ["zoomed", "compacted", "removed"])
def test_what_does_not_hear_stop_is_waited_for(sweep, purpose):
    epoch = sweep.claim(purpose=purpose)
    for refused in (sweep.claim, lambda: Store(path=sweep.path.parent).remove(sweep)):
        with pytest.raises(StoreError, match=f"is being {purpose} by .*: wait for it.$"):
            refused()
    sweep.release(epoch)


def test_a_second_claim_is_refused_while_the_owner_lives(sweep):
    assert sweep.state() == "interrupted"
    assert sweep.claim() == 1
    assert sweep.owner_alive()
    assert sweep.state() == "running"
    with pytest.raises(StoreError, match=f"run by process {os.getpid()}") as caught:
        sweep.claim()
    assert "\n" not in str(caught.value)
    assert f"wait for it, or stop it first with caviar stop {sweep.id}" in str(caught.value)
    with pytest.raises(StoreError, match=f"is being run by .*caviar stop {sweep.id}"):
        Store(path=sweep.path.parent).remove(sweep)
    sweep.release(1)
    assert not sweep.owner_alive()
    assert sweep.claim() == 2


def test_a_dead_process_owns_nothing(sweep):
    code = f"""
from pathlib import Path
from caviar.store import SweepDir
print(SweepDir(path=Path({str(sweep.path)!r})).claim())
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "1"
    assert not sweep.owner_alive()
    assert sweep.claim() == 2


def test_a_reused_process_number_is_another_process(sweep):
    sweep.claim()
    rewrite(sweep, 1, pid_started="another time")
    assert not sweep.owner_alive()


def test_an_owner_elsewhere_lives_while_it_gives_signs(sweep):
    sweep.claim()
    rewrite(sweep, 1, host="elsewhere")
    assert sweep.owner_alive()
    os.utime(sweep.path / "_owner" / "000001.json", (time.time() - 1000,) * 2)
    assert not sweep.owner_alive()


def test_start_of_a_process():
    assert process_start(os.getpid()) == this_process(1).pid_started != ""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = process_start(child.pid)
    assert start
    assert runs(child.pid, start) is True
    child.kill()
    while process_start(child.pid) is not None:  # a zombie is dead, though nobody waited for it
        time.sleep(0.01)
    assert runs(child.pid, start) is False
    child.communicate()


def test_a_takeover_seals_what_a_zombie_writes_afterwards(store, sweep, rows):
    zombie = Writer(sweep, sweep.claim(), interval_s=0.01)
    zombie.add("curves", rows.curve(0, [0, 1], loss=[1.0, 2.0]))
    zombie.flush()
    rewrite(sweep, 1, pid_started="long ago")
    epoch = sweep.claim()
    assert epoch == 2
    zombie.add("curves", rows.curve(0, [2], seq=2, loss=[3.0]))
    with pytest.raises(StoreError, match=r"took .* over"):
        zombie.close()
    hot = sweep.path / "_hot"
    (source,) = hot.glob("0001-000000000-curves-*.parquet")
    (hot / "0001-000000001-curves.parquet").write_bytes(source.read_bytes())  # one that was on its way
    assert count(store, sweep) == 2
    with Writer(sweep, epoch) as writer:
        writer.add("curves", rows.curve(0, [2], seq=2, loss=[30.0]))
    assert count(store, sweep) == 3


def test_a_writer_of_the_same_epoch_goes_on_counting(store, sweep, rows):
    epoch = sweep.claim()
    for step in range(3):
        with Writer(sweep, epoch) as writer:
            writer.add("curves", rows.curve(0, [step], seq=step, loss=[1.0]))
        assert count(store, sweep) == step + 1


def test_an_old_owner_knows_it_was_taken_over_even_when_the_new_one_let_go(sweep, rows):
    zombie = Writer(sweep, sweep.claim(), interval_s=60)
    rewrite(sweep, 1, pid_started="long ago")
    sweep.release(sweep.claim())
    zombie.add("curves", rows.curve(0, [0], loss=[1.0]))
    with pytest.raises(StoreError, match=r"took .* over"):
        zombie.close()
    with pytest.raises(StoreError, match=r"took .* over"):
        finalize(sweep, 1)


class NoManifests(PosixDisk):
    def create(self, path, data):
        if path.parent.name == "_manifest":
            raise OSError(errno.ENOSPC, "No space left on device")
        super().create(path, data)


def test_a_claim_that_fails_half_way_lets_go(sweep):
    sweep.release(sweep.claim())
    with pytest.raises(StoreError, match="disk is full"):
        SweepDir(path=sweep.path, disk=NoManifests()).claim()
    assert not sweep.owner_alive()
    assert sweep.claim() == 3


class Overtaken(PosixDisk):
    """Stands still just before it looks for the folders of older owners, and is taken for dead."""

    meanwhile = None

    def list(self, folder, *, hidden=False):
        if folder.name == "_build" and self.meanwhile is not None:
            happen, self.meanwhile = self.meanwhile, None
            happen()
        return super().list(folder, hidden=hidden)


def test_a_claim_that_was_overtaken_says_so_and_leaves_the_new_owner_its_folder(sweep):
    def meanwhile():
        rewrite(sweep, 1, pid_started="long ago")
        assert sweep.claim() == 2

    disk = Overtaken()
    disk.meanwhile = meanwhile
    with pytest.raises(StoreError, match=r"took .* over just now"):
        SweepDir(path=sweep.path, disk=disk).claim()
    assert [path.name for path in (sweep.path / "_build").iterdir()] == ["000002"]
    finalize(sweep, 2)


BEATS = """
import sys
import time
from pathlib import Path

from caviar.store import SweepDir
from caviar.store.ownership import own

with own(SweepDir(path=Path(sys.argv[1]))):
    print("owned", flush=True)
    time.sleep(1000)  # until it is killed: one that ended with its input would let go in good order
"""


@pytest.mark.parametrize("proc", [["--mount-proc"], []], ids=["its own /proc", "the /proc of the host"])
def test_a_driver_in_another_namespace_of_processes_is_alive(store, sweep, proc):
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *user, "--pid", "--fork", "--kill-child", *proc, sys.executable, "-c", BEATS, str(sweep.path)]
    try:
        driver = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if driver.stdout.readline() != "owned\n":
        pytest.skip(f"namespaces are not allowed here: {driver.communicate()[1]}")
    try:
        owner = sweep.owner()
        assert owner.owner.host == platform.node()
        assert owner.age_s is not None  # no process table tells
        assert sweep.state() == "running"
        for do in (sweep.claim, lambda: store.remove(sweep)):
            with pytest.raises(StoreError, match=r"is running|is being run"):
                do()
    finally:
        driver.kill()
        driver.communicate()
    os.utime(sweep.path / "_owner" / "000001.json")
    assert sweep.owner_alive()  # it may be
    os.utime(sweep.path / "_owner" / "000001.json", (time.time() - 61,) * 2)
    assert sweep.owner().standing == "silent"
    assert sweep.claim() == 2


def test_an_epoch_whose_file_is_lost_is_not_used_again(store, sweep, rows):
    """Else what the new owner publishes would be behind the seal of the old one, and count for nothing."""
    for trial in range(2):
        epoch = sweep.claim()
        assert epoch == trial + 1
        with Writer(sweep, epoch, sealing=True) as writer:
            writer.add("curves", rows.curve(trial, [0], loss=[1.0]))
        sweep.release(epoch)
        for path in (sweep.path / "_owner").iterdir():
            path.unlink()
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT count(*) FROM curves").fetchall() == [(2,)]
