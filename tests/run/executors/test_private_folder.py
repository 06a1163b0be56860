"""What the Ray that we start leaves on the machine: nothing that others can enter, and nothing at all after its end."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from caviar.run.executors import private_folder as private
from caviar.run.executors.private_folder import MOST_PATH, close_token, private_folder, remove

PROGRAM = """
import os, stat, sys
from pathlib import Path
from caviar.run.executors.ray_session import RaySession, folders
how = sys.argv[1]
with RaySession(cpus=1):
    import ray
    (folder,) = map(Path, folders)
    print(folder, oct(stat.S_IMODE(folder.stat().st_mode)), os.umask(0o022), os.getpid())
    sockets = [path for path in folder.rglob("*") if path.is_socket()]
    assert sockets and all(len(os.fsencode(path)) <= 107 for path in sockets), sockets
    token = Path(os.environ["HOME"]) / ".ray" / "auth_token"
    print(oct(stat.S_IMODE(token.stat().st_mode)))
    @ray.remote
    def umask():
        return os.umask(0o022)
    assert ray.get(umask.remote()) == 0o022
    if how == "error":
        raise ValueError("train")
    if how == "interrupt":
        raise KeyboardInterrupt
"""


@pytest.mark.ray
@pytest.mark.parametrize("how", ["end", pytest.param("error", marks=pytest.mark.nightly), "interrupt"])
def test_nobody_else_may_enter_and_nothing_stays(tmp_path: Path, how: str) -> None:
    long = tmp_path / ("a" * 90)
    long.mkdir()
    environment = {**os.environ, "TMPDIR": str(long), "HOME": str(tmp_path)}
    for name in ("RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE", "RAY_ADDRESS"):
        environment.pop(name, None)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=False, env=environment, umask=0o022
    )

    assert (done.returncode == 0) is (how == "end"), done
    (folder, mode, umask, pid), token = done.stdout.splitlines()[0].split(), done.stdout.splitlines()[1]
    assert (mode, umask, token) == ("0o700", "18", "0o600")
    assert not Path(folder).exists()
    assert not list(Path("/tmp").glob(f"ray/session_*_{pid}"))
    assert not list(long.iterdir())


def test_a_folder_is_closed_short_and_goes_with_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("a" * 90)))

    folder = Path(private_folder())

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(os.fsencode(folder.parent)) <= MOST_PATH
    (folder / "a").mkdir()
    remove(str(folder))
    assert not folder.exists()


def test_folders_of_processes_that_were_killed_go_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(private, "MOST_PATH", 1000)
    code = "from caviar.run.executors import private_folder as p; p.MOST_PATH = 1000; import os, tempfile\n"
    code += f"tempfile.tempdir = {str(tmp_path)!r}\n"
    code += "p.private_folder(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], check=False)
    (killed,) = tmp_path.glob("caviar-*")
    (killed / "r" / "session").mkdir(parents=True)
    for other in ("caviar-data", "other"):
        (tmp_path / other).mkdir()
        (tmp_path / other / "file").touch()
    (tmp_path / "caviar-link").symlink_to(killed)

    mine = Path(private_folder())

    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"caviar-data", "other", "caviar-link", mine.name}
    (tmp_path / "caviar-link").unlink()
    another = Path(private_folder())  # in use: both stay
    assert mine.is_dir()
    remove(str(mine))
    remove(str(another))
    assert {path.name for path in tmp_path.iterdir()} == {"caviar-data", "other"}


def test_a_folder_of_another_user_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(private, "MOST_PATH", 1000)
    another = tmp_path / "caviar-another"
    another.mkdir()
    (another / ".caviar-ray-lock").touch()  # nobody holds it
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)

    remove(private_folder())
    assert another.is_dir()
    monkeypatch.setattr(os, "geteuid", lambda: owner)
    remove(private_folder())
    assert not another.exists()


@pytest.mark.parametrize("there", [True, False])
def test_the_token_is_the_user_s_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    token = tmp_path / ".ray" / "auth_token"
    if there:
        token.parent.mkdir()
        token.write_text("0" * 64)
        token.chmod(0o644)

    close_token()

    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert len(token.read_text()) == 64
