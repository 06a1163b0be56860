"""What is there stays: one rule, in the same words and with the same flag, for every verb that writes a file."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from caviar.cli import options
from caviar.cli.main import cli, main
from caviar.store import Store
from caviar_workers.checkpoint import Save, carried

from ..small_stores import add_every_kind

CALLS = {
    "caviar export": ("digits --to csv -o", "there.csv"),
    "caviar get": ("digits t2 -o", "there.pt"),
    "caviar next": ("digits -o", "there.py"),
    "caviar pack": ("digits -o", "there.caviar"),
    "caviar plot": ("digits --kind curves -o", "there.svg"),
    "caviar query": ("'select 1 as x' -o", "there.csv"),
    "caviar report": ("digits -o", "there.html"),
}
"""A call of each verb that writes a file, up to that file, and what it may be called."""
WORDS = "there already: name another file, or add --force to replace it"


def verbs(group: click.Group, above: str = "caviar") -> Iterator[tuple[str, click.Command]]:
    """Every verb, and the verbs of verbs."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from verbs(command, f"{above} {name}")
        elif command is not None:
            yield f"{above} {name}", command


def writers() -> dict[str, click.Command]:
    """Those that write a file that their user names."""
    return {
        name: command
        for name, command in verbs(cli)
        if any("-o" in one.opts or "--output" in one.opts for one in command.params)
    }


def test_each_verb_that_writes_a_file_has_the_flag_and_is_tried_here() -> None:
    assert set(writers()) == set(CALLS)
    for name, command in writers().items():
        (flag,) = [one for one in command.params if "--force" in one.opts]
        assert isinstance(flag, click.Option)
        assert flag.help in ("Replace a file that is there.", "Replace a file that is there and no report."), name


def test_no_verb_writes_a_file_by_itself() -> None:
    """A new one would not be found by its option, if it had another: it writes through `whole_file`, or not at all."""
    for file in Path(options.__file__).parent.glob("*.py"):
        text = file.read_text()
        lines = [line for line in text.splitlines() if "os.devnull" not in line and "aside" not in line]
        writes = [line for line in lines if re.search(r"\.write_(text|bytes)\(|open\(.*, \"[wxa]", line)]
        assert not writes, f"{file.name}: {writes}"
        if "whole_file import" in text and file.name not in ("options.py", "at_the_end.py"):
            verb = f"caviar {file.stem.removeprefix('verb_').removesuffix('_page').removesuffix('_output')}"
            assert verb in CALLS, f"{file.name} writes a file: let {verb} have output_options"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which each verb has something to write."""
    folder = tmp_path_factory.mktemp("taken")
    add_every_kind(Store.open(folder / "store", create=True))
    sweep = Store.open(folder / "store").find("digits")
    save = carried(Save(trial=2, attempt=0, step=0, rows=0, value=1.0, checksum=""), b"model")
    file = Path(str(sweep.path)) / "_checkpoints" / save.name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"model")
    return folder


@pytest.mark.parametrize("verb", CALLS)
def test_a_file_that_is_there_stays_and_is_replaced_with_the_flag(
    home: Path, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, name = CALLS[verb]
    command = [*verb.split()[1:], *shlex.split(words)]

    def call(*more: object) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([*map(str, (*command, *more)), "--store", str(home / "store")])
        return int(end.value.code or 0), capsys.readouterr().err

    file = tmp_path / name
    file.write_text("mine")
    code, said = call(file)
    assert (code, WORDS in said, file.read_text()) == (2, True, "mine"), said
    code, said = call(tmp_path)
    assert (code, "is there already, and no folder is replaced: name another place" in said) == (2, True), said
    if verb == "caviar next":  # which needs a sweep with code: tests/run/test_next.py
        return
    code, said = call(file, "--force")
    assert code == 0, said
    assert file.read_bytes() != b"mine"
    assert os.listdir(tmp_path) == [name], "nothing is left beside it"
    code, said = call(file)
    assert (code == 0) == (verb == "caviar report"), "a report may be written anew"
