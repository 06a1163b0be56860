"""The token is its owner's alone, and stays until another one is asked for."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from caviar.board.token_file import read_token, token_path
from caviar.errors import SpecError
from caviar.store.disk.location import object_path


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return token_path(tmp_path / "store")


def test_it_is_made_once_and_for_its_owner_alone(path):
    before = os.umask(0)
    try:
        token = read_token(path)
    finally:
        os.umask(before)
    assert read_token(path) == token
    assert len(token) == 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == [path.name]


def test_each_store_has_its_own_wherever_it_is_named_from(path, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to("store")
    assert token_path(tmp_path / "link") == path
    assert token_path(tmp_path / "other") != path
    assert token_path(object_path("s3://bucket/sweeps")) != token_path(object_path("s3://bucket/sweep"))
    assert tmp_path / "store" not in path.parents


def test_a_relative_place_of_state_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert token_path(Path("/store")).is_relative_to(tmp_path / ".local" / "state")


def test_another_one_is_made_when_asked_for(path):
    first = read_token(path)
    second = read_token(path, new=True)
    assert second != first
    assert read_token(path) == second
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_of_boards_that_start_at_once_all_take_the_same(path):
    path.parent.mkdir(parents=True, mode=0o700)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: read_token(path), range(8)))
    assert found == {read_token(path)}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o660, 0o700])
def test_a_file_that_others_may_read_or_write_is_refused(path, mode):
    read_token(path)
    path.chmod(mode)
    with pytest.raises(SpecError, match=r"has mode .* type rm .* && caviar board"):
        read_token(path)


def test_a_link_is_refused(path, tmp_path):
    read_token(path)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpecError, match="is a link"):
        read_token(path)
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(SpecError, match="is a link"):
        read_token(path)


def test_what_is_no_file_is_refused(path):
    path.mkdir(parents=True)
    path.parent.chmod(0o700)
    with pytest.raises(SpecError, match=r"is no file"):
        read_token(path)
    path.rmdir()
    os.mkfifo(path, 0o600)
    with pytest.raises(SpecError, match="is no file"):
        read_token(path)


@pytest.mark.parametrize("text", ["", "short\n", "a" * 43, "a" * 44 + "\n", "a" * 42 + "%\n"])
def test_what_is_no_token_is_refused(path, text):
    read_token(path)
    path.write_text(text)
    with pytest.raises(SpecError, match="holds something else than a token"):
        read_token(path)


def test_a_file_of_another_user_is_refused(path, monkeypatch):
    read_token(path)
    own = os.getuid()
    monkeypatch.setattr("caviar.board.token_file._need_own_folder", lambda folder: None)
    monkeypatch.setattr("os.getuid", lambda: own + 1)
    with pytest.raises(SpecError, match="is another user's"):
        read_token(path)


def test_a_folder_that_others_may_write_to_is_refused(path, tmp_path):
    read_token(path)
    path.parent.chmod(0o770)
    with pytest.raises(SpecError, match="folder of the board's tokens"):
        read_token(path)
    path.parent.chmod(0o700)
    path.parent.rename(tmp_path / "board")
    path.parent.symlink_to(tmp_path / "board")
    with pytest.raises(SpecError, match="folder of the board's tokens"):
        read_token(path)


def test_where_nothing_can_be_kept_is_one_sentence(path):
    path.parent.parent.parent.mkdir(parents=True)
    path.parent.parent.write_text("a file")
    with pytest.raises(SpecError, match=r"cannot be kept in .* XDG_STATE_HOME=DIR caviar board"):
        read_token(path)
