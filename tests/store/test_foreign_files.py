"""We delete only what we wrote: links and foreign things, at every place of a sweep, under every verb that acts."""

import os
import re
import shutil
from contextlib import suppress

import pytest

from caviar.errors import CaviarError, StoreError
from caviar.store import Store, SweepDir, Writer
from caviar.store.check import check
from caviar.store.checkpoints import write_carried
from caviar.store.disk import PosixDisk
from caviar.store.final_tests import add_final
from caviar.store.finalize import compact, finalize
from caviar.store.foreign_files import foreign, is_ours
from caviar.store.layout import CHECKPOINTS, FINAL_TABLES, HOT, MERGED, SUPERSEDED
from caviar.store.merging import merge
from caviar.store.quarantine import quarantine, skip_lost
from caviar.store.requests import ask_to_stop, pop_requests
from caviar_workers.checkpoint import Save, carried
from caviar_workers.checkpoint_folder import CheckpointFolder

SAVE = Save(trial=0, attempt=0, step=3, rows=0, value=1.0, checksum="0" * 8)


def act(sweep, rows):
    """All that a driver does: claims, publishes, merges, keeps checkpoints, takes requests, ends, tests the winner."""
    epoch = sweep.claim()
    try:
        with Writer(sweep, epoch, interval_s=60, sealing=True) as writer:
            writer.add("curves", rows.curve(1, [0, 1], attempt=1, loss=[1.0, 2.0]))
            writer.flush()
            merge(sweep)
            writer.add("attempts", rows.attempt(1, attempt=1, rows=2))
        write_carried(sweep, epoch, carried(SAVE, b"state"))
        ask_to_stop(sweep)
        pop_requests(sweep, epoch)
        finalize(sweep, epoch)
        add_final(sweep, {"trial": 0})
    finally:
        sweep.release(epoch)


def save(sweep, data):
    """As a worker does."""
    CheckpointFolder(sweep.path / CHECKPOINTS, sweep.path / "_build" / "000002", 7).write(SAVE, data)


VERBS = {
    "act": act,
    "compact": lambda sweep, rows: compact(sweep),
    "check": lambda sweep, rows: (quarantine(sweep, check(sweep)), skip_lost(sweep)),
    "amend": lambda sweep, rows: sweep.amend(trials=9, code=("d" * 64, b"zip")),
    "save": lambda sweep, rows: save(sweep, b"state"),
    "remove": lambda sweep, rows: Store(path=sweep.path.parent, disk=sweep.disk).remove(sweep),
    "create": lambda sweep, rows: Store(path=sweep.path.parent, disk=sweep.disk).create_sweep({"plan": {}}, b""),
}


@pytest.fixture(scope="module")
def lived(tmp_path_factory, rows, describe):
    """A store with a sweep that has something of everything, and is interrupted."""
    store = Store.open(tmp_path_factory.mktemp("lived") / "store", create=True)
    sweep = store.create_sweep(describe(), b"code")
    epoch = sweep.claim()
    with Writer(sweep, epoch, interval_s=60) as writer:
        writer.add("configs", rows.configs([0, 1]))
        writer.add("curves", rows.curve(0, [0, 1], loss=[1.0, 2.0]))
        writer.add("attempts", rows.attempt(0, rows=2, last_loss=2.0))
    finalize(sweep, epoch)
    epoch = sweep.claim()
    with Writer(sweep, epoch, interval_s=60) as writer:
        writer.add("curves", rows.curve(1, [0], loss=[1.0]))
        writer.flush()
        merge(sweep)
        writer.add("curves", rows.curve(1, [1], seq=1, loss=[1.0]))
    sweep.release(epoch)
    save(sweep, b"older")
    add_final(sweep, {"trial": 0})
    sweep.amend(trials=3)
    ask_to_stop(sweep)
    (sweep.path / "_quarantine").mkdir()
    return sweep


@pytest.fixture
def given(lived, tmp_path):
    """A copy of it, and the reader's own folder, which nothing may change."""
    own = tmp_path / "own"
    (own / "thesis").mkdir(parents=True)
    for name in ("a.txt", "thesis/b.txt", "0001-000000000-curves-00000000.parquet", "000001-0001-0000.parquet"):
        (own / name).write_bytes(b"precious")
    shutil.copytree(lived.path.parent, tmp_path / "store")
    sweep = Store.open(tmp_path / "store").find()
    assert foreign(sweep.disk, sweep.path) == []
    return sweep, own


def contents(folder):
    return {str(path.relative_to(folder)): path.is_dir() or path.read_bytes() for path in folder.rglob("*")}


def places(sweep):
    """Every file and folder of a sweep."""
    return sorted(str(path.relative_to(sweep)) for path in sweep.rglob("*"))


def attempt(verb, sweep, rows):
    with suppress(CaviarError, OSError, FileExistsError):
        VERBS[verb](sweep, rows)


def suffer(given, rows, verb, place, target):
    """Put a link in the place of what is there, and let a verb act."""
    sweep, own = given
    path = sweep.path / place
    if path.is_dir():
        shutil.copytree(path, own / "copied")
        shutil.rmtree(path)
        aim = own / "copied" if target == "copy" else own
    else:
        shutil.copy(path, own / "copied")
        path.unlink()
        aim = own / "copied" if target == "copy" else own / "a.txt"
    if target == "nothing":
        aim = own / "none"
    if target == "itself":
        aim = path
    path.symlink_to(aim)
    before = contents(own)
    attempt(verb, sweep, rows)
    assert contents(own) == before, "something outside the sweep was changed"
    assert path.is_symlink(), "a link that is not ours was removed"
    assert os.readlink(path) == str(aim)


FOLDERS = (HOT, MERGED, "_owner", "_manifest", "_build", "_final", "_requests", "_amendments", "_quarantine")
PLACES = (*FOLDERS, *FINAL_TABLES, CHECKPOINTS, f"{CHECKPOINTS}/0", "sweep.json", "code.zip")


@pytest.mark.parametrize("verb", ["act", "compact", "remove"])
@pytest.mark.parametrize("place", PLACES)
def test_a_link_in_the_place_of_a_folder_is_not_followed(given, rows, place, verb):
    suffer(given, rows, verb, place, "copy")


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("target", ["copy", "other", "nothing", "itself"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_link_in_any_place_is_not_followed(lived, rows, tmp_path, verb, target):
    for number, place in enumerate(places(lived.path)):
        own, store = tmp_path / f"own{number}", tmp_path / f"store{number}"
        own.mkdir()
        for name in ("a.txt", "0001-000000000-curves-00000000.parquet"):
            (own / name).write_bytes(b"precious")
        shutil.copytree(lived.path.parent, store)
        suffer((Store.open(store).find(), own), rows, verb, place, target)


@pytest.mark.parametrize("verb", ["act", "compact", "check", "remove"])
def test_foreign_things_in_every_folder_stay_and_are_named(given, rows, verb):
    sweep, own = given
    planted = {}
    for folder in ("", *FOLDERS, *FINAL_TABLES, SUPERSEDED, CHECKPOINTS, f"{CHECKPOINTS}/0"):
        home = sweep.path / folder
        home.mkdir(exist_ok=True)
        (home / "mine").mkdir()
        (home / "mine" / "notes.txt").write_text("mine")
        (home / "to a folder").symlink_to(own)
        (home / "to a file").symlink_to(own / "a.txt")
        (home / "to nothing").symlink_to(own / "none")
        (home / "loop").symlink_to(home / "loop")
        if folder not in ("", "_quarantine", CHECKPOINTS):
            (home / "notes.txt").write_text("mine")
        prefix = f"{folder}/" if folder else ""
        planted |= {f"{prefix}{name}": 1 for name in ("mine/", "to a folder", "to a file", "to nothing", "loop")}
    names = set(foreign(sweep.disk, sweep.path))
    assert set(planted) <= names
    before = contents(own)
    attempt(verb, sweep, rows)
    assert contents(own) == before
    assert names <= set(foreign(sweep.disk, sweep.path))


def test_what_is_foreign_is_said_by_who_refuses_and_who_goes_on(given, rows):
    sweep, own = given
    (sweep.path / "notes.txt").write_text("mine")
    (sweep.path / "curves" / "mine.parquet").symlink_to(own / "000001-0001-0000.parquet")
    with pytest.raises(StoreError, match=r"did not write, and so does not delete \(curves/mine.parquet, notes.txt\)"):
        Store(path=sweep.path.parent, disk=sweep.disk).remove(sweep)
    compact(sweep)
    assert sweep.visible_files().plain
    assert foreign(sweep.disk, sweep.path) == ["curves/mine.parquet", "notes.txt"]
    (sweep.path / "notes.txt").unlink()
    (sweep.path / "curves" / "mine.parquet").unlink()
    Store(path=sweep.path.parent, disk=sweep.disk).remove(sweep)
    assert not sweep.path.exists()


def test_a_link_to_a_sweep_is_none_of_the_store(given, rows, tmp_path):
    sweep, own = given
    shutil.move(sweep.path, own / "elsewhere")
    sweep.path.symlink_to(own / "elsewhere")
    store = Store.open(sweep.path.parent)
    assert store.sweeps() == []
    assert store.links() == [sweep.path.name]
    before = contents(own)
    for verb in VERBS:
        attempt(verb, SweepDir(path=sweep.path, disk=store.disk), rows)
    assert contents(own) == before


def test_the_way_to_the_store_may_lead_through_a_link(given, rows, tmp_path):
    sweep, _ = given
    (tmp_path / "link").symlink_to(sweep.path.parent)
    compact(Store.open(tmp_path / "link").find())
    assert sweep.visible_files().plain


def test_a_pen_that_holds_something_else_is_not_taken_away(given, rows):
    sweep, _ = given
    mine = sweep.path / "_build" / "000001" / "mine.txt"
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(StoreError, match=r"_build/000001/mine.txt"):
        sweep.claim()
    assert mine.read_text() == "mine"


def test_every_name_that_a_sweep_has_is_ours(lived):
    assert [name for name in places(lived.path) if (lived.path / name).is_file() and not is_ours(name)] == []
    for name in (
        "curves/mine.parquet",
        "_hot/x.parquet",
        "notes.txt",
        "curves/a/000001-0001-0000.parquet",
        "_x/1.json",
    ):
        assert not is_ours(name)


WITH_A_PATH = {
    "publish": lambda disk, path: disk.publish([(path, b"x")]),
    "create": lambda disk, path: disk.create(path, b"x"),
    "stream": lambda disk, path: disk.stream(path).__enter__(),
    "publish_folder": lambda disk, path: disk.publish_folder(path, [("a", b"x")], []),
    "remove_folder": lambda disk, path: disk.remove_folder(path),
    "folders": lambda disk, path: disk.folders(path),
    "clear_folders": lambda disk, path: disk.clear_folders(path, re.compile(".*"), lambda _folder: True),
    "make_folder": lambda disk, path: disk.make_folder(path / "new"),
    "delete_folder": lambda disk, path: disk.delete_folder(path),
    "sync_folder": lambda disk, path: disk.sync_folder(path),
    "rename": lambda disk, path: disk.rename(path, path.with_name("z")),
    "move": lambda disk, path: disk.move(path, path.with_name("z")),
    "list": lambda disk, path: disk.list(path),
    "kinds": lambda disk, path: disk.kinds(path),
    "sizes": lambda disk, path: disk.sizes(path),
    "read": lambda disk, path: disk.read(path),
    "reading": lambda disk, path: disk.reading(path),
    "exists": lambda disk, path: disk.exists(path),
    "is_file": lambda disk, path: disk.is_file(path),
    "local": lambda disk, path: disk.local([(path, "")]),
    "scratch": lambda disk, path: disk.scratch(path).__enter__(),
    "size": lambda disk, path: disk.size(path),
    "written": lambda disk, path: disk.written(path),
    "delete": lambda disk, path: disk.delete([path / "x"]),
    "touch": lambda disk, path: disk.touch(path),
    "age_s": lambda disk, path: disk.age_s(path),
}
WITHOUT = {"each", "with_backoff", "whole", "now", "local_folder"}


@pytest.mark.parametrize("within", [False, True], ids=["a link", "within one"])
@pytest.mark.parametrize("name", [name for name in dir(PosixDisk) if not name.startswith("_")])
def test_every_method_of_the_disk_refuses_links(tmp_path, name, within):
    """A new one cannot be forgotten: it is here, or known to touch no file."""
    if name in WITHOUT or not callable(getattr(PosixDisk, name)):
        return
    own, root = tmp_path / "own", tmp_path / "store"
    for folder in (own / "inner", root):
        folder.mkdir(parents=True)
    for file in (own / "x", own / "inner" / "x"):
        file.write_bytes(b"precious")
    (root / "link").symlink_to(own)
    before = contents(own)
    path = root / "link" / "inner" if within else root / "link"
    with pytest.raises(OSError, match="is a link, and no link within a store is followed"):
        WITH_A_PATH[name](PosixDisk(root), path)
    assert contents(own) == before


@pytest.mark.parametrize("name", ["²", "٣", "①", "1.0", "-1", "+1", " 1", "1_0", "x" * 200])
def test_a_folder_that_is_no_number_among_the_checkpoints_is_named_and_left(sweep, name):
    folder = sweep.path / "_checkpoints" / name
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("mine")
    assert check(sweep) == []
    assert foreign(sweep.disk, sweep.path) == [f"_checkpoints/{name}/"]
    sweep.release(sweep.claim())
    assert (folder / "a.txt").read_text() == "mine"
