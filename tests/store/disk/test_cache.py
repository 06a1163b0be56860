"""Copies of objects: whole or not there, sound, and not too many."""

import errno
import os
import threading
from pathlib import Path

import pytest

from caviar.errors import StoreError
from caviar.store.disk.cache import Cache, cache_folder
from caviar.store.disk.checksum import checksum


class Objects:
    """What a bucket holds; counts what is fetched."""

    uri, fingerprint = "s3://bucket", "0123"

    def __init__(self, **content: bytes) -> None:
        self.content = content
        self.fetched = []

    def download(self, key, file):
        self.fetched.append(key)
        if key not in self.content:
            raise FileNotFoundError(errno.ENOENT, "No such object", key)
        file.write(self.content[key])


def visible(folder):
    return sorted(path.name for path in Path(folder).rglob("*") if path.is_file())


def test_a_file_is_fetched_once_and_anew_when_its_copy_was_changed(tmp_path):
    bucket = Objects(a=b"aaa", b=b"bbb")
    files = [(key, checksum(content)) for key, content in bucket.content.items()]
    paths = Cache(tmp_path, bucket).fetch(files, 100)
    assert [path.read_bytes() for path in paths] == [b"aaa", b"bbb"]
    assert Cache(tmp_path, bucket).fetch(files, 100) == paths
    assert sorted(bucket.fetched) == ["a", "b"]
    paths[0].write_bytes(b"rotten")
    Cache(tmp_path, bucket).fetch(files, 100)
    assert paths[0].read_bytes() == b"aaa"
    assert (paths[0].parent.stat().st_mode & 0o077) == 0


def test_what_was_changed_in_the_bucket_is_never_shown(tmp_path):
    bucket = Objects(a=b"aaa")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"s3://bucket/a is damaged"):
            Cache(tmp_path, bucket).fetch([("a", checksum(b"other"))], 0)
    with pytest.raises(FileNotFoundError):
        Cache(tmp_path, bucket).fetch([("none", "")], 0)
    assert visible(tmp_path) == []


def test_the_least_recently_used_go_first_and_none_that_is_in_use(tmp_path):
    bucket = Objects(**{name: name.encode() * 100 for name in "abcd"})
    cache = Cache(tmp_path, bucket, most=250)
    cache.fetch([(name, "") for name in "abcd"], 0)
    assert visible(tmp_path) == ["a", "b", "c", "d"]  # all are in use
    for age, name in enumerate("abcd"):
        os.utime(cache.place(name), (age, age))
    cache.fetch([("b", "")], 0)
    (tmp_path / ".x.aside").touch()
    os.utime(tmp_path / ".x.aside", (0, 0))
    cache.trim()
    assert visible(tmp_path) == ["b", "d"]
    assert cache.fetch([("a", "")], 0)[0].read_bytes() == b"a" * 100


def test_scratch_folders_of_drivers_that_died_go_after_a_day_and_no_others(tmp_path):
    cache = Cache(tmp_path, Objects())
    for name in (".scratch-dead", ".scratch-used", ".scratched", "scratch-mine"):
        (tmp_path / name / "within").mkdir(parents=True)
        (tmp_path / name / "within" / "file").write_bytes(b"x")
        for path in (tmp_path / name / "within" / "file", tmp_path / name / "within", tmp_path / name):
            os.utime(path, (0, 0))
    (tmp_path / ".scratch-used" / "within" / "new").touch()
    (tmp_path / ".scratch-link").symlink_to(tmp_path / "scratch-mine")
    cache.trim()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".scratch-used", ".scratched", "scratch-mine", ".scratch-link"}
    assert (tmp_path / "scratch-mine" / "within" / "file").exists()


def test_a_full_disk_here_is_named(tmp_path):
    class Full(Objects):
        def download(self, key, file):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreError, match=r"cache .* full disk; .* CAVIAR_CACHE"):
        Cache(tmp_path, Full()).fetch([("a", "")], 0)


def test_readers_at_once_see_whole_files(tmp_path):
    bucket = Objects(a=os.urandom(2**20))
    expected = checksum(bucket.content["a"])
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(Cache(tmp_path, bucket).fetch([("a", expected)], 2**30)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert found[0].read_bytes() == bucket.content["a"]
    assert visible(tmp_path) == ["a"]


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("CAVIAR_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("CAVIAR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "caviar"
