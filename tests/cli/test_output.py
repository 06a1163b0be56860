import ast
import io
import json
import math
import subprocess
from dataclasses import make_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import caviar as caviar_package
from caviar.cli.best_page import literal
from caviar.cli.output import emit, emit_json, say
from caviar.export.text_tables import write_csv
from caviar.results.json_form import as_json


def document(**values: Any) -> Any:
    """A document with these fields."""
    return make_dataclass("Document", values)(**values)


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 11, 23, 4, 12, 33, tzinfo=UTC)
    emit_json(document(nan=math.nan, list=(1.5, math.inf), at=moment, path=Path("x"), dec=Decimal("0.5")))
    text = capsys.readouterr().out
    assert json.loads(text, parse_constant=pytest.fail) == {
        "nan": None,
        "list": [1.5, None],
        "at": "2026-11-23T04:12:33+00:00",
        "path": "x",
        "dec": 0.5,
    }


def test_json_holds_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json(document(note="\x1b[2J\x9b1mé"))
    text = capsys.readouterr().out
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text) == {"note": "\x1b[2J\x9b1mé"}


def test_keys_become_text_and_numbers_stay() -> None:
    assert as_json({1: True, "big": 2**70}) == {"1": True, "big": 2**70}


def test_lines_are_made_safe(capsys: pytest.CaptureFixture[str]) -> None:
    emit("a\x1b]0;t\x07b\nc")
    assert capsys.readouterr().out == "ab\nc\n"


@pytest.mark.parametrize("how", ["option", "variable", "default"])
def test_a_store_that_the_next_command_finds_by_itself_is_not_named(caviar, filled, how, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ("--store", filled.path) if how == "option" else ()
    if how == "variable":
        monkeypatch.setenv("CAVIAR_STORE", filled.path)
    elif how == "default":
        (tmp_path / "caviar-store").symlink_to(filled.path)
    got = caviar("status", "later", *given)
    assert got.lines[-1].endswith(f"caviar resume {'--store ' + filled.path + ' ' if given else ''}{filled.later}")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "shown"), [(io.StringIO, "a\x1b[31m"), (Terminal, "a")])
def test_a_file_gets_every_character_as_csv_and_a_terminal_none_that_steers_it(stream, shown):
    out = stream()
    write_csv(["x\x1b[31m", "n"], iter([("a\x1b[31m", 1)]), out)
    assert out.getvalue() == f"{shown.replace('a', 'x')},n\n{shown},1\n"


@pytest.mark.parametrize(("said", "known"), [("./caviar", ""), ("{at}/caviar", ""), ("{at}/caviar", "{at}")])
def test_the_script_of_a_checkout_says_how_it_was_called(tmp_path, said, known):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    script = (Path(caviar_package.__file__).parents[2] / "caviar").read_text()
    last = script[script.index("unset CAVIAR_CALLED") : script.index('exec "$bin/caviar"')]
    (tmp_path / "caviar").write_text(
        f'#!/bin/sh\nset -eu\nwanted=$1\n{last}\nfi\nprintf %s "${{CAVIAR_CALLED-none}}"\n', encoding="utf-8"
    )
    (tmp_path / "caviar").chmod(0o755)
    path = f"{known.format(at=tmp_path)}:/usr/bin:/bin".lstrip(":")
    environment = {"PATH": path, "CAVIAR_CALLED": "of another one"}
    command = said.format(at=tmp_path)
    for wanted, called in (("base", "none" if known else command), ("dev", "none")):  # no test is told
        got = subprocess.run(
            [command, wanted], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert (got.stdout, got.stderr) == (called, "")


def test_a_name_of_several_lines_is_one_in_every_line(capsys):
    emit("a\nb: c", hang=2)
    say("  next: a\r\nb\u2028c")
    out, err = capsys.readouterr()
    assert (out, err) == ("a b: c\n", "  next: a bc\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp437"])
@pytest.mark.parametrize("many", [1, 9])
def test_a_configuration_can_be_copied_from_every_terminal(monkeypatch, encoding, many):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr("sys.stdout", stream)
    config = {f"学習率 é{n}": ["ß🐟\\\n'\"", 0.1, None][n % 3] for n in range(many)}
    text = literal(config)
    text.encode(encoding)
    assert ast.literal_eval(text) == config
