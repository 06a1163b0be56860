"""Sweeps in one file: what comes out is what went in, and what a stranger made is taken for nothing else."""

import errno
import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar import Store as WholeStore
from caviar.cli.main import main
from caviar.errors import NotFoundError, StoreError
from caviar.results.packing import pack_document
from caviar.run.code_to_run import strangers
from caviar.store import Store
from caviar.store.disk.posix import PosixDisk
from caviar.store.owner import user_name

from ..small_stores import add_digits, add_interrupted, add_resumed, make_plan

ID = "20261123-044230-c728"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    """A store with a finished and an interrupted sweep, and both in a file."""
    home = tmp_path_factory.mktemp("packed")
    store = Store.open(home / "store", create=True)
    plan = make_plan("digits", 8)
    add_digits(store, plan)
    add_interrupted(store)
    pack_document("store", store.sweeps(), str(home / "both.caviar"))
    return store, home / "both.caviar"


def rows(place: Path) -> list[list[object]]:
    whole = WholeStore(place)
    tables = [whole.trials(), whole.curves(), whole.sweeps().drop(columns=["state"])]
    return [table.astype(str).to_numpy().tolist() for table in tables]


def test_what_is_unpacked_is_what_was_packed(packed: tuple[Store, Path], tmp_path: Path) -> None:
    store, file = packed
    there = Store.open(tmp_path / "other", create=True)
    found = there.add_packed(file)
    assert [sweep.id for sweep in found] == [sweep.id for sweep in store.sweeps()]
    assert rows(tmp_path / "other") == rows(Path(store.path))
    assert [sweep.state() for sweep in found] == ["finished", "interrupted"]
    with pytest.raises(StoreError, match="already: nothing was unpacked"):
        there.add_packed(file)


def test_it_is_read_in_place_and_only_read(packed: tuple[Store, Path], capsys: pytest.CaptureFixture[str]) -> None:
    store, file = packed
    before = file.read_bytes()
    assert rows(file) == rows(Path(store.path))
    assert Result(file, "digits").best == Result(store.path, "digits").best
    for words in (["rm", "digits", "--yes"], ["store", "compact", "later"], ["import", "x.csv"]):
        if words[0] == "import":
            with pytest.raises(StoreError, match="which is only read: unpack it"):
                Store.open(file, create=True)
            continue
        with pytest.raises(SystemExit) as end:
            main([*words, "--store", str(file)])
        assert end.value.code == 5
        assert "which is only read: unpack it" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_its_code_is_a_strangers(packed: tuple[Store, Path], tmp_path: Path) -> None:
    _, file = packed
    there = Store.open(tmp_path / "other", create=True)
    store = Store.open(tmp_path / "mine", create=True)
    mine = store.create_sweep({"plan": make_plan("mine", 8).to_json(), "provenance": {"user": user_name()}}, b"")
    assert strangers(mine) == []
    pack_document("mine", [mine], str(tmp_path / "mine.caviar"))
    assert strangers(there.add_packed(tmp_path / "mine.caviar")[0]) == [None], "although it says that I made it"
    assert strangers(Store.open(tmp_path / "mine.caviar").find()) == [None]
    assert all(None in strangers(sweep) for sweep in there.add_packed(file))


def test_one_that_runs_is_not_packed(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    add_resumed(store)  # by this process
    with pytest.raises(StoreError, match="is running, and would be packed in part"):
        pack_document("store", store.sweeps(), str(tmp_path / "x.caviar"))
    assert not (tmp_path / "x.caviar").exists()


def made(members: dict[str, bytes], how: Callable[[zipfile.ZipInfo], None] = lambda _: None) -> bytes:
    """A zip with these members, each changed before it is written."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in {"FORMAT": b'{"format": 2}', f"sweep={ID}/sweep.json": b"{}", **members}.items():
            member = zipfile.ZipInfo(name)
            how(member)
            archive.writestr(member, content)
    return data.getvalue()


def deflated(member: zipfile.ZipInfo) -> None:
    member.compress_type = zipfile.ZIP_DEFLATED


def a_link(member: zipfile.ZipInfo) -> None:
    member.external_attr = (stat.S_IFLNK | 0o777) << 16


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (made({}).replace(b'{"format": 2}', b'{"format": 9}'), "is damaged"),
        (made({"FORMAT": b'{"format": 9}'}), "was written by a newer caviar"),
        (b"", "is no whole file of sweeps"),
        (b"PK\x05\x06" + b"\0" * 18, "holds no whole sweep"),
        (made({f"sweep={ID}/../../x": b"x"}), "is no file of a sweep"),
        (made({"/etc/passwd": b"x"}), "is no file of a sweep"),
        (made({f"sweep={ID}/trials/../../x.parquet": b"x"}), "is no file of a sweep"),
        (made({f"sweep={ID}\\..\\x": b"x"}), "is no file of a sweep"),
        (made({"sweep=../sweep.json": b"x"}), "is no file of a sweep"),
        (made({f"sweep={ID}/_requests/000001.json": b"{}"}), "is no file of a sweep"),
        (made({f"sweep={ID}/_build/000001/.folder": b"{}"}), "is no file of a sweep"),
        (made({f"sweep={ID}/code.zip/": b""}), "is no file of a sweep"),
        (made({f"sweep={ID}/code.zip": b"0" * 60}, deflated), "is compressed"),
        (made({f"sweep={ID}/code.zip": b"/etc/passwd"}, a_link), "is no plain file"),
        (made({}).replace(b"{}PK", b"[]PK"), "is damaged"),
        (made({f"sweep={ID}/_quarantine/{'a' * 300}": b"x"}), "name too long"),
    ],
)
def test_what_a_stranger_made_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "x.caviar"
    file.write_bytes(data)
    store = Store.open(tmp_path / "store", create=True)
    for take in (store.add_packed, Store.open):
        with pytest.raises(StoreError, match=said) as error:
            take(file)
        assert "\n" not in str(error.value)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["store", "x.caviar"]
    assert [one.name for one in (tmp_path / "store").iterdir()] == ["FORMAT"]


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    """One megabyte that a thousand members mean would become a gigabyte."""
    data = bytearray(made({f"sweep={ID}/trials/{n}-0.parquet": b"x" * 5000 if not n else b"" for n in range(200)}))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first = archive.getinfo(f"sweep={ID}/trials/0-0.parquet")
    at = 0
    while (at := data.find(b"PK\x01\x02", at + 1)) > 0:  # the directory: each means the bytes of the first
        data[at + 16 : at + 28] = first.CRC.to_bytes(4, "little") + (5000).to_bytes(4, "little") * 2
        data[at + 42 : at + 46] = first.header_offset.to_bytes(4, "little")
    file = tmp_path / "x.caviar"
    file.write_bytes(data)
    with pytest.raises(StoreError, match="would be larger than itself"):
        Store.open(file)


def test_any_changed_byte_of_a_file_is_found(packed: tuple[Store, Path], tmp_path: Path) -> None:
    _, file = packed
    with zipfile.ZipFile(file) as archive:
        places = [(one.header_offset + 30 + len(one.filename) + 20, one.file_size) for one in archive.infolist()]
    for at, size in places[1::7]:
        changed = bytearray(file.read_bytes())
        changed[at + size // 2] ^= 1
        (tmp_path / "x.caviar").write_bytes(changed)
        with pytest.raises(StoreError, match="is damaged"):
            Store.open(tmp_path / "x.caviar")


def test_no_file_is_told(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    with pytest.raises(NotFoundError, match="There is no file"):
        store.add_packed(tmp_path / "none.caviar")
    with pytest.raises(StoreError, match="Cannot unpack"):
        store.add_packed(Path("a" * 300))


def test_of_several_all_are_unpacked_or_none(
    packed: tuple[Store, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Store.open(tmp_path / "other", create=True)
    publish, made = PosixDisk.publish_folder, []

    def full(disk: PosixDisk, path: Path, *others: Any) -> None:
        if made:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        made.append(path)
        publish(disk, path, *others)

    monkeypatch.setattr(PosixDisk, "publish_folder", full)
    with pytest.raises(StoreError, match="No space left"):
        there.add_packed(packed[1])
    assert (len(made), there.sweeps()) == (1, [])
    assert list((tmp_path / "other").iterdir()) == [tmp_path / "other" / "FORMAT"]


def test_a_whole_store_says_what_it_holds(packed: tuple[Store, Path]) -> None:
    store, _ = packed
    whole = WholeStore(store.path)
    assert list(whole.sweeps()["name"]) == ["digits", "later"]
    assert len(whole.trials()) == 11
    assert whole.sql("SELECT count(DISTINCT sweep) FROM curves").fetchall() == [(2,)]
    assert whole.result("digits").best.trial == 2
    assert rows(Path(whole.pack(store.path.with_name("again.caviar"), "digits", "later"))) == rows(Path(store.path))
    assert repr(whole) == f"Store({str(store.path)!r})"
