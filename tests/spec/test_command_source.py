"""A command as the source of a module, and read back without running it."""

import subprocess
import sys
from dataclasses import replace

import pytest

from caviar import Command
from caviar.errors import StoreError
from caviar.spec.command_source import MODULE, changed_files, command_program, stored_command
from caviar_workers.load import load_function


def with_source(text: str):
    program = command_program(Command("true {args}"))
    return replace(program, files={MODULE: (program.files[MODULE][0], text)})


def test_it_comes_back_as_it_was(tmp_path):
    command = Command(["p\"'", "a\\b\n", "{args}", "é"], read="json", step="n", folder=str(tmp_path))
    program = command_program(command)
    assert stored_command(program) == command
    assert load_function(program, program.train) == command


def test_another_script_is_another_program(tmp_path):
    (tmp_path / "train.py").write_text("1")
    command = Command("python train.py {args}", folder=str(tmp_path))
    before = command_program(command)
    assert changed_files(before) == []
    (tmp_path / "train.py").write_text("2")
    assert changed_files(before) == ["train.py"]
    assert command_program(command).digest != before.digest
    (tmp_path / "train.py").unlink()
    assert changed_files(before) == [], "what is not here is not said to have changed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "train = (",
        "train = 5",
        "train = Command(words=open('/etc/passwd'))",
        "train = Command(words=('a',), **{'x': 1})",
        "train = Command(words=__import__('os').system('touch gone'))",
        "train = Command(words=" + "(" * 5000,
        "train = Command(words='x')\nFILES = 5",
        "train = Command(words='x')\nFILES = print",
    ],
)
def test_what_a_stranger_wrote_is_read_and_not_run(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=r"the stored command of the sweep cannot be read"):
        changed_files(with_source(text))
    assert not list(tmp_path.iterdir())


def test_the_reaper_imports_nothing_of_ours():
    """It is run as a file by itself."""
    from caviar_workers import reaper

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", reaper.__file__], input=b"", capture_output=True, check=True
    )
    assert b"caviar" not in done.stderr
