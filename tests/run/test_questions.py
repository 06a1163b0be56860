"""The questions of docs/questions.md, asked as they are written there."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
LINES = [line for kind, block in BLOCKS for line in block.splitlines() if kind == "sh"]
SNIPPETS = [block for kind, block in BLOCKS if kind == "python"]

EXPERIMENT = """
    from caviar import Choice, Float, Sweep


    def train(config, trial):
        if trial.number % 7 == 3:
            raise ValueError("no such layer")
        for epoch in range(3):
            loss = (config["lr"] - 0.1) ** 2 + 1 / (epoch + 1) + trial.seed % 97 / 1e4
            trial.report(epoch, train_loss=loss, val_loss=loss * 1.1)
        trial.save(2, b"model")


    sweep = Sweep(
        train,
        {"optimizer": Choice(["sgd", "adam"]), "lr": Float(1e-3, 1, "log"), "batch": Choice([16, 32])},
        "val_loss",
        trials=24,
    )
"""


@pytest.fixture
def asked(inline, caviar, write, tmp_path, monkeypatch):
    """Two sweeps in a store, and the folder that is worked in."""
    file = write(EXPERIMENT)
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        assert caviar("run", file, "-q", "--name", name, at="caviar-store").code == 0
    return caviar


def test_each_line_answers(asked, tmp_path):
    assert len(LINES) >= 13
    for line in LINES:
        program, *words = shlex.split(line)
        assert program == "caviar"
        got = asked(*words, at="caviar-store")
        assert got.code == 0, (line, got.err)
        assert got.out.strip() or "-o" in words, line
        if "-o" in words:
            assert (tmp_path / words[words.index("-o") + 1]).stat().st_size > 0


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("snippet", SNIPPETS)
def test_and_so_does_the_python(snippet):
    names: dict = {}
    exec(snippet, names)
    if "trials" in names:
        assert len(names["trials"]) >= 48
        assert names["trials"]["sweep"] is not None
        return
    assert "figure" in names or (names["better"] in {True, False} and len(names["table"]) == 24)
