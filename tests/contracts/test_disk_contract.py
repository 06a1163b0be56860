"""What every disk promises: a file system, the simulated one, and object stores in two dialects."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

import pytest

from caviar.errors import StoreError
from caviar.store.disk import Disk, PosixDisk, locate
from caviar.store.disk.checksum import checksum
from caviar.store.disk.disk import STALE_S

sys.path.insert(0, str(Path(__file__).parents[1] / "store" / "simulation"))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A place, and a way to it of a process of its own at each call."""

    root: PurePath
    disk: Callable[[], Disk]


def file_system(request, folder):
    return World(root=folder, disk=PosixDisk)


def simulated(request, folder):
    from simulated_disk import Platter, SimulatedDisk

    platter = Platter(folder / "disk")
    platter.restore(platter.tree)
    return World(root=folder / "disk", disk=lambda: SimulatedDisk(platter))


def s3(request, folder):
    uri = request.getfixturevalue("cloud").uri
    return World(root=locate(uri)[0], disk=lambda: locate(uri)[1])


def gs(request, folder):
    cloud = request.getfixturevalue("cloud")
    account = folder / "account.json"  # the form in which Google's own emulators are reached
    account.write_text(
        json.dumps(
            {
                "gcs_base_url": cloud.proxy.url,
                "disable_oauth": True,
                "client_email": "",
                "private_key": "",
                "private_key_id": "",
            }
        )
    )
    request.getfixturevalue("monkeypatch").setenv("GOOGLE_SERVICE_ACCOUNT", str(account))
    uri = f"gs://{cloud.name}/some/store"
    return World(root=locate(uri)[0], disk=lambda: locate(uri)[1])


@pytest.fixture(params=[file_system, simulated, s3, gs], ids=lambda make: make.__name__)
def world(request, tmp_path):
    return request.param(request, tmp_path)


def test_a_published_file_is_whole_and_seen_by_all(world):
    folder = world.root / "a" / "b"
    world.disk().make_folder(folder)
    world.disk().publish([(folder / "two.parquet", b"22"), (folder / "one.parquet", memoryview(b"1"))])
    disk = world.disk()
    assert disk.list(folder) == ["one.parquet", "two.parquet"]
    assert disk.list(world.root / "a") == ["b"]
    assert disk.list(world.root / "none") == []
    assert disk.read(folder / "two.parquet") == b"22"
    assert disk.size(folder / "two.parquet") == 2
    assert disk.exists(folder / "one.parquet")
    assert not disk.exists(folder / "three.parquet")
    assert {name: size for name, size in disk.sizes(folder).items() if name[0] != "."} == {
        "one.parquet": 1,
        "two.parquet": 2,
    }
    with disk.reading(folder / "two.parquet") as file:
        assert file.read(1) + file.read() == b"22"
        file.seek(0)
        assert file.read() == b"22"
    for call in (
        disk.read,
        disk.reading,
        disk.size,
        disk.written,
        disk.age_s,
        lambda path: disk.local([(path, "0" * 8)]),
    ):
        with pytest.raises(FileNotFoundError):
            call(folder / "three.parquet")


def test_publishing_again_is_the_same(world):
    world.disk().make_folder(world.root)
    for _ in range(2):
        world.disk().publish([(world.root / "a", b"same")])
    assert world.disk().list(world.root) == ["a"]
    assert world.disk().read(world.root / "a") == b"same"


def test_one_of_two_creates_a_file(world):
    world.disk().make_folder(world.root)
    world.disk().create(world.root / "0.json", b"mine")
    for data in (b"yours", b"mine"):
        with pytest.raises(FileExistsError):
            world.disk().create(world.root / "0.json", data)
    assert world.disk().read(world.root / "0.json") == b"mine"
    assert world.disk().list(world.root, hidden=True)[-1] == "0.json"


@pytest.mark.parametrize("size", [0, 5, 17 * 2**20], ids=["empty", "small", "in parts"])
def test_a_stream_shows_a_whole_file_when_its_block_ends(world, size):
    disk, build = world.disk(), world.root / "_build" / "1"
    disk.make_folder(build)
    disk.make_folder(world.root / "curves")
    target = world.root / "curves" / "1.parquet"
    with pytest.raises(RuntimeError), disk.stream(target, build) as file:  # noqa: PT012 - the block is the test
        file.write(b"half")
        raise RuntimeError
    assert world.disk().list(world.root / "curves") == []
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with disk.stream(target, build) as file:
        for start in range(0, size, 2**20):
            file.write(content[start : start + 2**20])
        assert world.disk().list(world.root / "curves") == []
    assert world.disk().read(target) == content
    assert world.disk().list(build) == []


def test_a_stream_whose_folder_was_taken_away_shows_nothing(world):
    disk, build = world.disk(), world.root / "_build" / "1"
    disk.make_folder(build)
    disk.make_folder(world.root / "curves")
    with pytest.raises(OSError, match="No such"), disk.stream(world.root / "curves" / "1.parquet", build) as file:  # noqa: PT012
        file.write(b"late")
        world.disk().delete_folder(build)
    assert world.disk().list(world.root / "curves", hidden=True) in ([], [".folder"])


FILES = [("sweep.json", b"{}"), ("sub/0.json", b"0")]


def test_a_folder_is_shown_whole_and_vanishes_whole(world):
    world.disk().make_folder(world.root)
    world.disk().publish_folder(world.root / "sweep=1", FILES, ["sub", "empty"])
    with pytest.raises(FileExistsError):
        world.disk().publish_folder(world.root / "sweep=1", [("sweep.json", b"other")], [])
    world.disk().publish_folder(world.root / "sweep=2", FILES, ["sub"])
    assert world.disk().folders(world.root) == ["sweep=1", "sweep=2"]
    assert world.disk().read(world.root / "sweep=1" / "sweep.json") == b"{}"
    assert world.disk().list(world.root / "sweep=1" / "empty") == []
    world.disk().remove_folder(world.root / "sweep=1")
    assert world.disk().folders(world.root) == ["sweep=2"]
    assert not world.disk().exists(world.root / "sweep=1" / "sub" / "0.json")
    world.disk().clear_folders(world.root, re.compile(r"sweep=\d"), lambda _folder: True)
    assert world.disk().list(world.root) == ["sweep=2"]
    assert world.disk().read(world.root / "sweep=2" / "sub" / "0.json") == b"0"


@pytest.mark.parametrize("form", ["a folder", "an object"])
def test_what_crashes_left_is_only_what_has_our_names_and_holds_ours(world, monkeypatch, form):
    """Whatever stands in a store, and however old it is, a person's folders stay whole."""
    disk, root = world.disk(), world.root / "store"
    for name in ("notes", "sweep=x", "a" * 32):
        disk.make_folder(root / name)
        disk.create(root / name / "thesis.txt", b"all of it")
    disk.publish_folder(root / "sweep=1", FILES, ["sub"])
    marks = [
        f"{prefix}{rest}" for prefix in ("_gone-", "_new-", "_clock-") for rest in ("", "notes", "sweep=x", "a" * 32)
    ]
    for mark in marks:
        if form == "a folder":
            disk.make_folder(root / mark)
            disk.create(root / mark / "mine.txt", b"precious")
        else:
            disk.create(root / mark, b"\nthesis.txt")
    for kind in ("posix", "objects"):
        monkeypatch.setattr(f"caviar.store.disk.{kind}.STALE_S", -10.0)

    disk.clear_folders(root, re.compile(r"sweep=\d"), lambda folder: "mine.txt" not in disk.list(folder))

    for name in ("notes", "sweep=x", "a" * 32):
        assert disk.read(root / name / "thesis.txt") == b"all of it"
    assert disk.read(root / "sweep=1" / "sub" / "0.json") == b"0"
    if form == "a folder":
        assert all(disk.read(root / mark / "mine.txt") == b"precious" for mark in marks)


def test_a_folder_is_there_from_make_to_delete(world):
    for _ in range(2):
        world.disk().make_folder(world.root / "_build" / "000001")
    world.disk().make_folder(world.root / "_build" / "000002")
    assert world.disk().list(world.root / "_build") == ["000001", "000002"]
    world.disk().delete_folder(world.root / "_build" / "000001")
    assert world.disk().list(world.root / "_build") == ["000002"]
    world.disk().delete_folder(world.root / "_build" / "none")
    world.disk().sync_folder(world.root)


def test_files_are_renamed_moved_and_deleted(world):
    disk, root = world.disk(), world.root
    disk.make_folder(root / "_quarantine")
    disk.publish([(root / name, name.encode()) for name in "abc"])
    disk.rename(root / "a", root / "z")
    disk.move(root / "b", root / "_quarantine" / "b")
    disk.delete([root / "c", root / "none"], durable=True)
    assert world.disk().list(root) == ["_quarantine", "z"]
    assert world.disk().read(root / "z") == b"a"
    assert world.disk().read(root / "_quarantine" / "b") == b"b"
    with pytest.raises(FileNotFoundError):
        disk.rename(root / "none", root / "new")


def test_local_files_are_compared_with_their_checksums(world):
    world.disk().make_folder(world.root)
    content = {name: name.encode() * 1000 for name in ("a.parquet", "b.parquet")}
    world.disk().publish([(world.root / name, data) for name, data in content.items()])
    files = [(world.root / name, checksum(data)) for name, data in content.items()]
    found = world.disk().local(files)
    assert [path.read_bytes() for path in found] == list(content.values())
    assert all(path.is_relative_to(world.disk().local_folder(world.root)) for path in found)
    world.disk().publish([(world.root / "c.parquet", b"changed")])
    with pytest.raises(StoreError, match=r"c\.parquet is damaged .* was 00000001"):
        world.disk().local([*files, (world.root / "c.parquet", "00000001")])


def test_times_are_by_the_clock_of_the_store(world):
    disk = world.disk()
    disk.make_folder(world.root)
    disk.publish([(world.root / "a", b"1")])
    written = disk.written(world.root / "a")
    assert -1.5 < disk.age_s(world.root / "a") < 30
    assert abs(disk.now() - written) < 30
    if isinstance(disk, PosixDisk) and type(disk) is not PosixDisk:
        disk.platter.clock += 5  # type: ignore[attr-defined]
    else:
        time.sleep(1.1)
    world.disk().touch(world.root / "a")
    assert world.disk().written(world.root / "a") > written
    assert world.disk().read(world.root / "a") == b"1"


def test_scratch_is_a_folder_here(world):
    build = world.root / "_build" / "1"
    world.disk().make_folder(build)
    with world.disk().scratch(build) as folder:
        (folder / "spilled").write_bytes(b"1")
    assert STALE_S > 3600


@pytest.mark.nightly
def test_what_lies_in_a_folder_may_be_much(world):
    world.disk().make_folder(world.root)
    if isinstance(world.disk(), PosixDisk):
        pytest.skip("listings of object stores come in pages of 1,000")
    world.disk().publish([(world.root / f"{number:05d}", b"") for number in range(1100)])
    assert len(world.disk().list(world.root)) == 1100
    world.disk().delete_folder(world.root)
    assert world.disk().list(world.root) == []


def test_each_gives_all_results_in_order_or_the_first_error(world):
    assert list(world.disk().each(lambda number: number * 2, range(40))) == [number * 2 for number in range(40)]
    with pytest.raises(FileNotFoundError):
        world.disk().each(world.disk().read, [world.root / "none"])
