"""Folders of unpacked code are private, and go when nobody has used them for a week."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from caviar_workers.unpacked import KEPT_S, _private, let_go, unpacked


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path / f"caviar-code-{os.getuid()}"
    let_go()


def age(path: Path, seconds: float) -> Path:
    os.utime(path, (time.time() - seconds,) * 2, follow_symlinks=False)
    return path


def test_the_folder_is_private_or_a_fresh_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = _private()
    assert home.stat().st_mode & 0o777 == 0o700
    assert _private() == home

    home.chmod(0o755)
    assert _private() != home


def test_what_nobody_has_used_for_a_week_goes_when_a_new_one_comes(home: Path) -> None:
    old, young = Path(unpacked(b"old", {"a.py": "1"})), Path(unpacked(b"young", {"a.py": "1"}))
    (torn := home / "tmpabc").mkdir()
    (fresh := home / "tmpdef").mkdir()
    age(old, KEPT_S + 60)
    age(torn, KEPT_S + 60)
    age(young, KEPT_S - 60)

    new = Path(unpacked(b"new", {"a.py": "1"}))

    assert set(home.iterdir()) == {young, fresh, new}
    assert (new / "a.py").read_text() == "1"


def test_what_is_used_again_stays(home: Path) -> None:
    old = age(Path(unpacked(b"old", {})), KEPT_S + 60)
    assert unpacked(b"old", {}) == str(old)
    unpacked(b"new", {})

    assert old.is_dir()


@pytest.mark.parametrize("lives", [True, False])
def test_what_a_living_process_uses_stays_however_old_it_is(home: Path, tmp_path: Path, lives: bool) -> None:
    code = "import sys, tempfile; tempfile.tempdir = sys.argv[1]; from caviar_workers.unpacked import unpacked\n"
    code += "print(unpacked(b'other', {}), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        folder = Path(other.stdout.readline().strip())
        if not lives:
            other.kill()
            other.wait()
        age(folder, 10 * KEPT_S)
        unpacked(b"new", {})
        assert folder.is_dir() == lives
        other.kill()


def test_links_are_neither_followed_nor_removed(home: Path, tmp_path: Path) -> None:
    unpacked(b"first", {})
    (outside := tmp_path / "outside").mkdir()
    (outside / "precious").write_text("x")
    (home / "link").symlink_to(outside)
    (inside := home / "folder").mkdir()
    (inside / "link").symlink_to(outside)
    age(outside, 2 * KEPT_S)
    age(home / "link", 2 * KEPT_S)
    age(inside, 2 * KEPT_S)

    unpacked(b"new", {})

    assert (home / "link").is_symlink()
    assert not inside.exists()
    assert (outside / "precious").read_text() == "x"


def test_a_folder_that_is_being_removed_is_written_anew(home: Path) -> None:
    import fcntl

    folder = Path(unpacked(b"one", {"a.py": "1"}))
    let_go()
    with (folder / "snapshot.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        folder.rename(home / "tmpgoing")
        assert Path(unpacked(b"one", {"a.py": "1"})) == folder
    assert (folder / "a.py").read_text() == "1"
