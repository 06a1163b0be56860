"""Checkpoints in the store: which may be restored, which stay, and what becomes of damage."""

import errno
import math
from dataclasses import replace

import pytest

from caviar.errors import StoreError
from caviar.run.resume import unfinished
from caviar.store import SweepDir, Views, Writer
from caviar.store.check import check
from caviar.store.checkpoints import (
    Cut,
    all_saves,
    discard_unrecorded,
    folders_for_workers,
    path_of,
    read_checkpoint,
    restorable,
    saves_of,
    thinned,
    write_carried,
)
from caviar.store.disk import Backoff, PosixDisk
from caviar.store.quarantine import quarantine
from caviar.store.sizes import sizes
from caviar_workers.checkpoint import Save, carried


def save(step, attempt=0, rows=None, value=1.0):
    return Save(
        trial=3, attempt=attempt, step=step, rows=step + 1 if rows is None else rows, value=value, checksum="0" * 8
    )


def steps(saves):
    return [(one.attempt, one.step) for one in saves]


def test_only_what_was_published_in_full_is_restorable_newest_first():
    saves = [save(0), save(5), save(9)]
    assert steps(restorable(saves, {0: (9, 0)})) == [(0, 5), (0, 0)]
    assert steps(restorable(saves, {0: (10, 0)})) == [(0, 9), (0, 5), (0, 0)]
    assert restorable(saves, {}) == []
    assert steps(restorable([save(0, rows=0)], {})) == [(0, 0)]  # before anything was reported


def test_checkpoints_behind_the_start_of_a_later_attempt_belong_to_another_history():
    saves = [save(5), save(9), save(12, attempt=1, rows=7)]
    published = {0: (10, 0), 1: (7, 6)}  # the second attempt went on from step 5
    assert steps(restorable(saves, published)) == [(1, 12), (0, 5)]
    assert steps(restorable(saves, published | {2: (1, 0)})) == []  # a third one began from scratch


def test_the_last_ones_and_the_best_stay():
    saves = [save(0, value=3.0), save(1, value=1.0), save(2, value=2.0), save(3, value=math.nan), save(4, value=5.0)]
    stay, go = thinned(saves, 2, "min")
    assert (steps(stay), steps(go)) == ([(0, 1), (0, 3), (0, 4)], [(0, 0), (0, 2)])
    assert steps(thinned(saves, 1, "max")[0]) == [(0, 4)]
    assert thinned([], 1, "min") == ([], [])


def test_the_best_one_is_of_the_history_that_lives():
    saves = [save(2, value=1.0), save(8, value=0.0), save(4, attempt=1, value=3.0), save(5, attempt=1, value=4.0)]
    assert steps(thinned([*saves, save(6, attempt=1, value=5.0)], 1, "min")[0]) == [(0, 2), (1, 6)]
    assert steps(thinned([*saves, save(1, attempt=2, value=6.0)], 1, "min")[0]) == [(2, 1)]


def test_behind_a_cut_nothing_is_restorable_and_thinning_counts_the_living_ones():
    old = [save(step, value=value) for step, value in ((9, 3.0), (19, 1.0), (29, 2.0))]
    cuts = [Cut(0, 9)]
    published = {0: (30, 0)}
    assert steps(restorable(old, published, cuts)) == [(0, 9)]
    assert steps(restorable(old, published)) == [(0, 29), (0, 19), (0, 9)]
    new = [save(step, attempt=1, rows=step - 9, value=value) for step, value in ((14, 5.0), (16, 4.0), (18, 6.0))]
    stay, go = thinned([*old, *new], 1, "min", cuts)
    assert (steps(stay), steps(go)) == ([(0, 9), (0, 19), (0, 29), (1, 16), (1, 18)], [(1, 14)])
    assert steps(restorable([*old, *new], {0: (30, 0), 1: (9, 10)}, cuts)) == [(1, 18), (1, 16), (1, 14), (0, 9)]
    again = [*cuts, Cut(1, 14)]
    assert steps(restorable([*old, *new], {0: (30, 0), 1: (9, 10)}, again)) == [(1, 14), (0, 9)]


def test_what_is_referred_to_stays_and_one_of_each_so_many_steps():
    some = [save(step, value=float(step)) for step in (3, 9, 12, 19, 21, 29, 34)]
    assert steps(thinned(some, 1, "min", every=10)[0]) == [(0, 3), (0, 12), (0, 21), (0, 34)]
    assert steps(thinned(some, 1, "min", pins={(0, 19)})[0]) == [(0, 3), (0, 19), (0, 34)]
    later = [*some, save(11, attempt=1, value=50.0), save(17, attempt=1, value=60.0)]
    assert steps(thinned(later, 1, "min", every=10)[0]) == [(0, 3), (1, 11), (1, 17)], "of those that live"


def test_what_travelled_is_written_and_damage_is_not_read(sweep):
    good = carried(save(4, value=0.25), b"state")
    epoch = sweep.claim()
    write_carried(sweep, epoch, good)
    write_carried(sweep, epoch, carried(save(2), b"older"))
    (sweep.path / "_checkpoints" / "3" / ".x.aside").write_bytes(b"half")
    (sweep.path / "_checkpoints" / "3" / "notes.txt").write_bytes(b"mine")

    assert steps(saves_of(sweep, 3)) == [(0, 2), (0, 4)]
    assert saves_of(sweep, 3)[1] == replace(good, data=None)
    assert saves_of(sweep, 99) == []
    assert read_checkpoint(sweep, good) == b"state"
    path_of(sweep, good).write_bytes(b"stats")
    assert read_checkpoint(sweep, good) is None
    assert read_checkpoint(sweep, save(77)) is None
    assert folders_for_workers(sweep, epoch) == (str(sweep.path / "_checkpoints"), str(sweep.path / "_build/000001"))
    sweep.release(epoch)


def test_rows_count_for_all_attempts_and_one_that_has_none_hides_nothing(store, sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0]))
        writer.add("curves", rows.curve(0, range(8), loss=[1.0] * 8))
        writer.add("attempts", rows.attempt(0, "LOST", start=None))
        writer.add("attempts", rows.attempt(0, "RUNNING", attempt=1))  # it has not said where it begins
        writer.flush()
        with Views(store, [sweep]) as views:
            assert views.published([0]) == {0: {0: (8, 0)}}
            assert views.execute("SELECT count(*) FROM curves").fetchall() == [(8,)]
        writer.add("curves", rows.curve(0, [6, 7], attempt=1, start=6, loss=[2.0] * 2))
        writer.flush()
        with Views(store, [sweep]) as views:
            assert views.published([0, 5]) == {0: {0: (8, 0), 1: (2, 6)}, 5: {}}
            assert views.execute("SELECT step, loss FROM curves ORDER BY step").fetchall() == [
                *((step, 1.0) for step in range(6)),
                (6, 2.0),
                (7, 2.0),
            ]
    sweep.release(epoch)


def test_a_damaged_checkpoint_is_named_and_set_aside(sweep):
    epoch = sweep.claim()
    for step in (3, 5):
        write_carried(sweep, epoch, carried(save(step), b"weights"))
    assert check(sweep) == []
    assert [(one.files, one.size) for one in sizes(sweep) if one.table == "checkpoints"] == [(2, 14)]
    good, bad = saves_of(sweep, 3)
    path_of(sweep, bad).write_bytes(b"weighty")
    (finding,) = check(sweep)
    assert finding.name == f"_checkpoints/{bad.name}"
    assert finding.what.startswith("its checksum is")
    (gone,) = quarantine(sweep, [finding])
    assert gone.name == finding.name
    assert check(sweep) == []
    assert saves_of(sweep, 3) == [good]
    assert [kept.name for kept in (sweep.path / "_quarantine").iterdir()] == [finding.name.replace("/", "-")]


def test_of_an_attempt_without_rows_nobody_knows_whose_rows_it_goes_on_from():
    saves = [save(2, rows=1), save(4, attempt=1, rows=0)]
    assert steps(restorable(saves, {0: (1, 0)})) == [(0, 2)]  # the second one may have begun at 0
    assert steps(restorable(saves, {0: (1, 0), 1: (1, 3)})) == [(1, 4), (0, 2)]  # it went on from step 2
    assert steps(restorable(saves, {0: (1, 0), 1: (1, 0)})) == [(1, 4)]
    assert steps(thinned(saves, 1, "max")[0]) == [(0, 2), (1, 4)]  # so the older one stays until it has some


def test_an_execution_that_ended_before_it_reported_hides_nothing(store, sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0]))
        writer.add("curves", rows.curve(0, range(3), loss=[1.0] * 3))
        writer.add("attempts", rows.attempt(0, "LOST", start=None, rows=3))
        writer.add("attempts", rows.attempt(0, "FAILED", attempt=1, start=0, rows=0, kind="error"))
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT count(*) FROM curves").fetchall() == [(3,)]
        assert steps(restorable([save(2)], views.published([0])[0])) == [(0, 2)]
    sweep.release(epoch)


def test_rows_behind_a_missing_one_make_nothing_restorable(store, sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("curves", rows.curve(0, range(2), loss=[1.0] * 2))
        writer.add("curves", rows.curve(0, range(4, 7), seq=4, loss=[1.0] * 3))
    with Views(store, [sweep]) as views:
        assert views.published([0]) == {0: {0: (2, 0)}}
    sweep.release(epoch)


def test_a_trial_goes_on_at_a_number_of_which_there_is_no_trace(store, sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs(range(6)))
        writer.add("curves", rows.curve(1, range(2), loss=[1.0] * 2))
        writer.add("logs", rows.logs(2, ["hello"]))
        writer.add("decisions", rows.decisions([0], trial=3, attempt=1))
    for attempt in (0, 2):
        write_carried(sweep, epoch, replace(carried(save(4, attempt=attempt), b"state"), trial=4))
    write_carried(sweep, epoch, replace(carried(save(1), b"state"), trial=6))  # of a configuration that nobody knows
    discard_unrecorded(store, sweep)
    assert unfinished(store, sweep).attempts == {0: 0, 1: 1, 2: 1, 3: 2, 4: 3, 5: 0}
    assert [one.trial for one in all_saves(sweep)] == [4, 4]
    sweep.release(epoch)


class Moody(PosixDisk):
    """One kind of call fails some times, before or after it did its work."""

    def __init__(self, call, after, left, number):
        super().__init__()
        self.backoff = Backoff(clock=lambda: 0.0, sleep=lambda _: None)
        self.strikes = [(call, after, number)] * left

    def _struck(self, name, work, *args):
        strike = self.strikes.pop() if self.strikes and self.strikes[-1][0] == name else None
        if strike is None or strike[1]:
            done = work(*args)
            if strike is None:
                return done
            if name == "_open":
                done.close()
        raise OSError(strike[2], "made up")


def _moody(name):
    def method(self, *args):
        return self._struck(name, lambda *given: getattr(PosixDisk, name)(self, *given), *args)

    return method


DONE_BY_A_CHECKPOINT = ("_open", "_fsync", "_rename", "_sync_dir", "_mkdir", "_stat")
for _name in DONE_BY_A_CHECKPOINT:
    setattr(Moody, _name, _moody(_name))


@pytest.mark.parametrize("left", [1, 3])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", DONE_BY_A_CHECKPOINT)
def test_a_carried_checkpoint_bears_what_fails_for_a_moment(sweep, call, after, left):
    epoch, made = sweep.claim(), carried(save(4), b"state")
    moody = Moody(call, after, left, errno.ESTALE)
    write_carried(SweepDir(path=sweep.path, disk=moody), epoch, made)
    assert len(moody.strikes) < left
    assert (saves_of(sweep, 3), read_checkpoint(sweep, made)) == ([replace(made, data=None)], b"state")
    assert sweep.disk.list(sweep.path / "_build" / "000001", hidden=True) == []


@pytest.mark.parametrize("call", ["_open", "_fsync"])
def test_a_carried_checkpoint_does_not_hide_a_disk_that_loses_bytes(sweep, call):
    epoch = sweep.claim()
    with pytest.raises(StoreError):
        write_carried(SweepDir(path=sweep.path, disk=Moody(call, False, 1, errno.EIO)), epoch, carried(save(4), b"x"))
    assert saves_of(sweep, 3) == []
