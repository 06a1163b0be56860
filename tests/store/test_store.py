"""Opening stores, creating and finding sweeps."""

import errno
import json
import os
import stat

import pytest

from caviar.errors import NotFoundError, StoreError
from caviar.store import Store
from caviar.store.disk import PosixDisk


def one_sentence(error):
    text = str(error.value)
    assert "\n" not in text
    return text


def test_open_refuses_what_is_no_store(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StoreError, match="is a file") as caught:
        Store.open(file, create=True)
    one_sentence(caught)
    with pytest.raises(NotFoundError, match="no store at"):
        Store.open(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with pytest.raises(StoreError, match="holds other files"):
        Store.open(tmp_path, create=True)
    with pytest.raises(StoreError, match="no FORMAT file"):
        Store.open(tmp_path)
    with pytest.raises(StoreError, match="Cannot create"):
        Store.open(file / "below", create=True)


def test_open_refuses_a_newer_format_and_a_torn_one(store):
    (store.path / "FORMAT").write_text('{"format": 3}')
    with pytest.raises(StoreError, match=r"newer caviar .format 3, this one knows 2") as caught:
        Store.open(store.path)
    one_sentence(caught)
    (store.path / "FORMAT").write_text("")
    with pytest.raises(StoreError, match="cannot be understood"):
        Store.open(store.path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_open_refuses_where_it_may_not_write(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StoreError, match="permissions"):
        Store.open(tmp_path / "s", create=True)


def test_opening_twice_with_create_is_harmless(store):
    assert Store.open(str(store.path), create=True) == store


def test_create_then_find(store, describe):
    made = [store.create_sweep(describe(name=name), name.encode()) for name in ("a", "b", "twice", "twice")]
    assert [sweep.id for sweep in store.sweeps()] == [sweep.id for sweep in made]  # newest last, within one second
    first, _, _, last = made
    assert store.find(None) == store.find("@last") == last
    assert store.find(first.id) == store.find("a") == store.find(first.id[:15]) == first
    assert store.find(first.id[-4:]) == first
    assert first.code() == b"a"
    description = first.description()
    assert description["id"] == first.id
    assert description["plan"]["name"] == "a"
    assert description["created"].endswith("+00:00")


def test_find_says_what_there_is(store, describe):
    with pytest.raises(NotFoundError, match="holds no sweeps yet"):
        store.find()
    made = [store.create_sweep(describe(name="digits"), b"") for _ in range(2)]
    for ref in ("digits", made[0].id[:8]):
        with pytest.raises(NotFoundError, match="names 2 sweeps") as caught:
            store.find(ref)
        assert all(sweep.id in str(caught.value) for sweep in made)
    with pytest.raises(NotFoundError, match="did you mean 'digits'"):
        store.find("digit")
    with pytest.raises(NotFoundError, match="caviar ls"):
        store.find("")


def test_no_user_text_becomes_a_path(store, describe):
    sweep = store.create_sweep(describe(name="../../x"), b"")
    assert sweep.path.parent == store.path
    assert store.find("../../x") == sweep


class Interrupted(PosixDisk):
    """Dies at the i-th write or rename."""

    def __init__(self, at):
        self.left = at

    def _step(self):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1

    def _write(self, path, data):
        self._step()
        super()._write(path, data)

    def _fsync(self, path):
        self._step()
        super()._fsync(path)

    def _rename(self, old, new):
        self._step()
        super()._rename(old, new)


def test_a_sweep_appears_whole_or_not_at_all(store, describe):
    for at in range(100):
        dying = Store(path=store.path, disk=Interrupted(at))
        try:
            dying.create_sweep(describe(), b"code")
        except KeyboardInterrupt:
            pass
        else:
            break
        for sweep in store.sweeps():  # shown by the rename; only its fsync is missing
            assert sweep.description()["plan"]["metric"] == "loss"
            assert sweep.code() == b"code"
            assert sweep.state() == "interrupted"
    assert at > 10


def test_leftovers_of_a_crash_go_after_a_day(store, describe):
    old, young, hers, other = (store.path / f"_new-{name}" for name in ("a" * 32, "b" * 32, "c" * 32, "notes"))
    for folder in (old, young, hers, other):
        (folder / "_hot").mkdir(parents=True)
        (folder / "sweep.json").write_text("{}")
    (hers / "thesis.txt").write_text("all of it")
    for folder in (old, hers, other):
        os.utime(folder, (0, 0))
    store.create_sweep(describe(), b"")
    assert not old.exists()
    assert young.exists()
    assert (hers / "thesis.txt").read_text() == "all of it", "not all in it is ours"
    assert other.exists(), "it has no name of ours"


def test_a_torn_description_is_one_sentence(sweep):
    (sweep.path / "sweep.json").write_text("{")
    with pytest.raises(StoreError, match="no JSON") as caught:
        sweep.description()
    one_sentence(caught)


def test_a_manifest_that_leads_elsewhere_is_refused(sweep):
    path = sweep.path / "_manifest" / "000000.json"
    manifest = json.loads(path.read_text())
    del manifest["checksum"]  # as written before there was one
    for name in ("/etc/passwd", "curves/../../../x.parquet", "curves/..parquet", 3):
        file = {"table": "curves", "name": name, "rows": 1, "min_trial": 0, "max_trial": 0}
        path.write_text(json.dumps(manifest | {"files": [file]}))
        with pytest.raises(StoreError, match="do not trust"):
            sweep.visible_files()


def test_a_manifest_that_was_changed_is_refused(sweep):
    path = sweep.path / "_manifest" / "000000.json"
    path.write_text(path.read_text().replace('"sealed": {}', '"sealed": {"1": 5}'))
    with pytest.raises(StoreError, match="changed after it was written"):
        sweep.visible_files()


class Unsure(PosixDisk):
    """Shows a folder, and then fails."""

    def _sync_dir(self, folder):
        if folder.name == "store" and any(path.name.startswith("sweep=") for path in folder.iterdir()):
            raise OSError(errno.EIO, "Input/output error")
        super()._sync_dir(folder)


def test_a_sweep_whose_creation_failed_at_the_last_step_is_not_made_twice(store, describe):
    with pytest.raises(StoreError, match="Input/output error"):
        Store(path=store.path, disk=Unsure()).create_sweep(describe(), b"")
    assert len(store.sweeps()) <= 1
