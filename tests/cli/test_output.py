import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from caviar.cli.output import clean, emit, emit_json


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 11, 23, 4, 12, 33, tzinfo=UTC)
    emit_json({"nan": math.nan, "list": (1.5, math.inf), "at": moment, "path": Path("x"), "dec": Decimal("0.5")})
    text = capsys.readouterr().out
    assert json.loads(text, parse_constant=pytest.fail) == {
        "nan": None,
        "list": [1.5, None],
        "at": "2026-11-23T04:12:33+00:00",
        "path": "x",
        "dec": 0.5,
    }


def test_json_holds_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"note": "\x1b[2J\x9b1mé"})
    text = capsys.readouterr().out
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text) == {"note": "\x1b[2J\x9b1mé"}


def test_keys_become_text_and_numbers_stay() -> None:
    assert clean({1: True, "big": 2**70}) == {"1": True, "big": 2**70}


def test_lines_are_made_safe(capsys: pytest.CaptureFixture[str]) -> None:
    emit("a\x1b]0;t\x07b\nc")
    assert capsys.readouterr().out == "ab\nc\n"
