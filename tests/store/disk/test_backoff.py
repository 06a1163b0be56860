"""Trying again: what, how long, and that a lost reply is no failure and no second success."""

import errno

import pytest

from caviar.store.disk import Backoff, PosixDisk
from caviar_workers.backoff import FULL, TRANSIENT


class Time:
    """A clock that runs while one sleeps."""

    def __init__(self):
        self.now, self.pauses, self.said = 0.0, [], []

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    def backoff(self, **settings):
        chance = settings.pop("chance", lambda: 1.0)
        return Backoff(clock=lambda: self.now, sleep=self.sleep, chance=chance, say=self.said.append, **settings)


def failing(times, number=errno.ESTALE):
    left = iter(range(times))

    def do(again):
        if next(left, None) is not None:
            raise OSError(number, "made up")
        return again

    return do


def test_what_may_pass_is_tried_again_with_growing_varied_pauses():
    time = Time()
    assert time.backoff(most_s=60).call(failing(0)) is False
    assert time.pauses == []
    assert time.backoff(most_s=60).call(failing(9)) is True
    assert time.pauses == [0.05 * 2**n for n in range(6)] + [3.0, 3.0, 3.0]
    varied = Time()
    varied.backoff(most_s=60, chance=lambda: 0.0).call(failing(2))
    assert varied.pauses == [0.025, 0.05]


@pytest.mark.parametrize("number", sorted(TRANSIENT))
def test_it_gives_up_in_time(number):
    time = Time()
    with pytest.raises(OSError, match="made up"):
        time.backoff(most_s=10).call(failing(1000, number))
    assert 5 < time.now < 10
    assert time.said == ["made up: trying again for up to 7 s"]


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ENOENT, errno.EEXIST, *FULL])
def test_what_does_not_pass_fails_at_once(number):
    time = Time()
    with pytest.raises(OSError, match="made up"):
        time.backoff(most_s=10).call(failing(1, number))
    assert time.pauses == time.said == []


def test_one_who_gets_into_a_hurry_gives_up_soon():
    time = Time()
    with pytest.raises(OSError, match="made up"):
        time.backoff(most_s=100, hurried=lambda: time.now > 10).call(failing(1000))
    assert 10 < time.now < 14


def test_room_may_be_waited_for():
    assert Time().backoff(full_s=10).call(failing(5, errno.ENOSPC)) is True


class Stuttering(PosixDisk):
    """One call fails once, before or after it did its work."""

    def __init__(self, call, after):
        self.call, self.after, self.calls = call, after, []
        self.backoff = Time().backoff()


def _stutter(name):
    work = getattr(PosixDisk, name)

    def method(self, *args):
        strike = name == self.call and name not in self.calls
        self.calls.append(name)
        if strike and not self.after:
            raise OSError(errno.ESTALE, "Stale file handle")
        done = work(self, *args)
        if strike:
            if name == "_open":
                done.close()
            raise OSError(errno.ESTALE, "Stale file handle")
        return done

    return method


CALLS = ("_open", "_fsync", "_sync_dir", "_rename", "_link", "_unlink", "_mkdir", "_names", "_read", "_stat", "_touch")
for _name in CALLS:
    setattr(Stuttering, _name, _stutter(_name))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_fails_once_changes_nothing(tmp_path, call, after):
    def disk():
        return Stuttering(call, after)

    disk().make_folder(tmp_path / "new" / "deep")
    disk().publish([(tmp_path / "b", b"1"), (tmp_path / "a", b"2")])
    disk().create(tmp_path / "c", b"3")
    with pytest.raises(FileExistsError):
        disk().create(tmp_path / "c", b"4")
    disk().publish_folder(tmp_path / "sweep", [("sub/x", b"5"), ("y", b"6")], ["sub", "empty"])
    with pytest.raises(FileExistsError):
        disk().publish_folder(tmp_path / "sweep", [("y", b"7")], [])
    disk().rename(tmp_path / "a", tmp_path / "z")
    disk().move(tmp_path / "z", tmp_path / "new" / "z")
    disk().touch(tmp_path / "b")
    disk().delete([tmp_path / "b"], durable=True)
    assert disk().list(tmp_path) == ["c", "new", "sweep"]
    assert disk().read(tmp_path / "c") == b"3"
    assert disk().read(tmp_path / "new" / "z") == b"2"
    assert disk().sizes(tmp_path / "sweep" / "sub") == {"x": 1}
    assert disk().read(tmp_path / "sweep" / "y") == b"6"
    assert not disk().exists(tmp_path / "a")
    disk().remove_folder(tmp_path / "sweep")
    assert disk().folders(tmp_path) == ["c", "new"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["c", "deep", "new", "z"]
