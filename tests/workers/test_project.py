"""Unpacking the files of a project, which may come from a stranger."""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from caviar_workers import project
from caviar_workers.messages import Program
from caviar_workers.project import digest_of, in_place, unpack
from caviar_workers.unpacked import let_go

FILES = {"exp.py": b"x = 1\n", "data/a.csv": b"1\n2\n"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path / f"caviar-code-{os.getuid()}"
    let_go("project")


def zip_of(files: dict[str, bytes], mode: int = 0o100644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def sum_of(files: dict[str, bytes]) -> str:
    return digest_of((name, hashlib.sha256(data).hexdigest()) for name, data in files.items())


@pytest.mark.parametrize(
    "name", ["../up", "a/../../up", "/etc/x", "a//b", "./a", "a/.", "", "c:\\x", "a\\..\\b", "a\nb", "folder/"]
)
def test_names_stay_within(tmp_path: Path, name: str) -> None:
    data = zip_of({"ok": b"1", "X" * len(name) if name else "X": b"2"})
    data = data.replace(b"X" * len(name), name.encode()) if name else zip_of({"ok": b"1", "": b"2"})

    with pytest.raises(ValueError, match=r"plain files within|no sound zip"):
        unpack(data, tmp_path / "there", "")
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("mode", [0o120777, 0o040755, 0o060644, 0o010644])
def test_links_and_devices_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ValueError, match="plain files within"):
        unpack(zip_of({"a": b"/etc/passwd"}, mode), tmp_path / "there", "")


def test_a_bomb_is_seen_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "MOST", 1000)
    with pytest.raises(ValueError, match="says it is larger"):
        unpack(zip_of({"a": bytes(600), "b": bytes(600)}), tmp_path / "there", "")
    assert not (tmp_path / "there").exists()


def test_a_bomb_that_lies_is_seen_while_it_is_written(tmp_path: Path) -> None:
    honest = zip_of({"a": bytes(5_000_000)})
    lying = honest.replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != honest

    with pytest.raises(ValueError, match=r"no sound zip|larger than"):
        unpack(lying, tmp_path / "there", "")
    assert (tmp_path / "there" / "a").stat().st_size <= 2**20


def damaged(how: int) -> bytes:
    """A zip whose compressed bytes are no such, or were compressed in another way."""
    data = bytearray(zip_of({"a": bytes(1000)}))
    if how == zipfile.ZIP_DEFLATED:
        data[31:35] = b"\xff" * 4
    data[8], data[data.find(b"PK\1\2") + 10] = how, how
    return bytes(data)


WAYS = (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@pytest.mark.parametrize(
    "data", [b"", b"PK nothing", zip_of(FILES)[:-30], zip_of({"exp.py": b"other"}), *map(damaged, WAYS)]
)
def test_another_project_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ValueError, match="project"):
        unpack(data, tmp_path / "there", sum_of(FILES))


def test_names_that_this_machine_cannot_tell_apart_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def blind(path: Path, *mode: str) -> object:
        return opened(path.with_name(path.name.lower()), *mode)

    monkeypatch.setattr(Path, "open", blind)  # as on a disk of macOS
    files = {"data.csv": b"1", "DATA.csv": b"2"}
    with pytest.raises(ValueError, match="differ in case only"):
        unpack(zip_of(files), tmp_path / "there", sum_of(files))


def test_the_code_lies_beside_its_files_wherever_it_came_from(home: Path) -> None:
    calls: list[int] = []

    def fetch() -> bytes:
        calls.append(1)
        return zip_of(FILES)

    files = {"m": ("/gone/p/exp.py", ""), "else": ("/other/lib.py", "")}
    program = Program(digest="d", train="", module="m", files=files, project=sum_of(FILES), root="/gone/p")

    first, second = in_place(program, fetch), in_place(program, fetch)

    assert first == second
    assert calls == [1]
    path = Path(first.files["m"][0])
    assert path.is_relative_to(home)
    assert (path.parent / "data" / "a.csv").read_bytes() == FILES["data/a.csv"]
    assert first.files["else"] == files["else"]
    assert not os.stat(path).st_mode & 0o222


def test_what_cannot_be_unpacked_leaves_nothing(home: Path) -> None:
    program = Program(digest="d", train="", project=sum_of(FILES), root="/p", archive=b"PK nothing")
    with pytest.raises(ValueError, match="no sound zip"):
        in_place(program)
    assert list(home.iterdir()) == []
