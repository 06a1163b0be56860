"""The order of operations that makes a publication atomic and durable."""

import errno
from pathlib import Path

import pytest

from caviar.store.disk import Backoff, PosixDisk


class RecordingDisk(PosixDisk):
    """Does what the disk does, and remembers it; may fail at the i-th operation."""

    def __init__(self, fail_at: int = -1) -> None:
        self.log: list[tuple[str, str]] = []
        self.fail_at = fail_at

    def _note(self, operation: str, path: Path) -> None:
        if len(self.log) == self.fail_at:
            self.fail_at = -1
            raise OSError(errno.ENOSPC, "No space left on device")
        name = "aside" if path.name.endswith(".aside") else path.name
        self.log.append((operation, name))

    def _write(self, path, data):
        self._note("write", path)
        super()._write(path, data)

    def _fsync(self, path):
        self._note("fsync", path)
        super()._fsync(path)

    def _rename(self, old, new):
        self._note("rename", new)
        super()._rename(old, new)

    def _link(self, old, new):
        self._note("link", new)
        super()._link(old, new)

    def _sync_dir(self, folder):
        self._note("sync_dir", folder)
        PosixDisk._fsync(self, folder)


def test_publish_writes_aside_syncs_shows_in_order_and_syncs_the_folder(tmp_path):
    disk = RecordingDisk()
    disk.publish([(tmp_path / "b.parquet", b"1"), (tmp_path / "a.parquet", b"2")])
    assert disk.log == [
        ("write", "aside"),
        ("fsync", "aside"),
        ("write", "aside"),
        ("fsync", "aside"),
        ("rename", "b.parquet"),
        ("rename", "a.parquet"),
        ("sync_dir", tmp_path.name),
    ]
    assert disk.list(tmp_path) == ["a.parquet", "b.parquet"]


def test_create_syncs_before_it_links_and_yields_to_the_first(tmp_path):
    disk = RecordingDisk()
    disk.create(tmp_path / "0.json", b"mine")
    expected = [("write", "aside"), ("fsync", "aside"), ("link", "0.json"), ("sync_dir", tmp_path.name)]
    assert disk.log == expected
    with pytest.raises(FileExistsError):
        disk.create(tmp_path / "0.json", b"yours")
    assert disk.read(tmp_path / "0.json") == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["0.json"]


def test_stream_shows_only_a_whole_file(tmp_path):
    disk = RecordingDisk()
    with pytest.raises(RuntimeError), disk.stream(tmp_path / "a.parquet", tmp_path) as file:  # noqa: PT012 - the block is the test
        file.write(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with disk.stream(tmp_path / "a.parquet", tmp_path) as file:
        file.write(b"whole")
        assert disk.list(tmp_path) == []
    assert disk.log == [("fsync", "aside"), ("rename", "a.parquet"), ("sync_dir", tmp_path.name)]
    assert disk.read(tmp_path / "a.parquet") == b"whole"


@pytest.mark.parametrize("step", range(6))
def test_a_failure_at_any_step_leaves_whole_files_only(tmp_path, step):
    disk = RecordingDisk(fail_at=step)
    with pytest.raises(OSError, match="No space"):
        disk.publish([(tmp_path / "a.parquet", b"1"), (tmp_path / "b.parquet", b"2")])
    assert disk.list(tmp_path) == ([] if step < 5 else ["a.parquet"])
    assert all(path.suffix == ".parquet" for path in tmp_path.iterdir())


def test_an_aside_name_is_no_parquet_and_follows_no_link(tmp_path):
    from caviar.store.disk.posix import aside

    name = aside(tmp_path / "x.parquet")
    assert name.parent == tmp_path
    assert name.name.startswith(".")
    assert name.suffix != ".parquet"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"link|exists"):
        PosixDisk()._write(tmp_path / "link", b"")


def test_every_new_folder_is_made_durable_and_so_is_one_that_was_there(tmp_path):
    disk = RecordingDisk()
    disk.make_folder(tmp_path / "a" / "b")
    assert disk.log == [("sync_dir", tmp_path.name) if name == "a" else ("sync_dir", "a") for name in "ba"]
    disk.log.clear()
    disk.make_folder(tmp_path / "a" / "b")  # by a process that may have been killed before it synced
    assert disk.log == [("sync_dir", "a")]
    disk.log.clear()
    disk.make_folder(tmp_path / "a" / "b", tmp_path / "a" / "c", tmp_path / "a" / "c" / "d")
    assert disk.log == [("sync_dir", "c"), ("sync_dir", "a")]


class Forgetful(PosixDisk):
    """NFS: the reply to a rename or link is lost, and the second try meets the work of the first."""

    def _link(self, old, new):
        super()._link(old, new)
        super()._link(old, new)

    def _rename(self, old, new):
        super()._rename(old, new)
        super()._rename(old, new)


def test_a_lost_reply_is_no_failure(tmp_path):
    Forgetful().create(tmp_path / "a.json", b"mine")
    Forgetful().publish([(tmp_path / "b.parquet", b"mine")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.parquet"]
    with pytest.raises(FileExistsError):
        Forgetful().create(tmp_path / "a.json", b"mine")
    with pytest.raises(FileNotFoundError):
        PosixDisk().rename(tmp_path / "none", tmp_path / "new")


class Stale(PosixDisk):
    backoff = Backoff(most_s=0)

    def _stat(self, path):
        raise OSError(errno.ESTALE, "Stale file handle")


def test_a_file_of_which_nothing_can_be_told_is_not_taken_for_absent(tmp_path):
    with pytest.raises(OSError, match="Stale"):
        Stale().exists(tmp_path / "a")


def test_a_moved_file_has_a_durable_name_at_every_moment(tmp_path):
    disk = RecordingDisk()
    (tmp_path / "new").mkdir()
    disk.publish([(tmp_path / "a.parquet", b"1")])
    disk.log.clear()
    disk.move(tmp_path / "a.parquet", tmp_path / "new" / "a.parquet")
    assert disk.log == [("link", "a.parquet"), ("sync_dir", "new"), ("sync_dir", tmp_path.name)]
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
