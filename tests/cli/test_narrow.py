"""On 80 columns nothing overflows, whatever a verb shows; colours are those that both backgrounds bear."""

import os
import re
import subprocess
import sys
from itertools import product

import click
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from caviar.cli.main import cli
from caviar.display.verb_names import VERBS
from caviar.store import Store

from ..small_stores import add_digits, add_interrupted, make_plan

SUBVERBS = [("store", name) for name in ("check", "info", "compact")]
HELPS = [(), *((verb,) for verb in VERBS), *SUBVERBS]
READING = [
    ("ls", "--all"),
    ("status", "{s}"),
    ("best", "{s}", "-k", "20"),
    ("best", "{s}", "--family"),
    ("curves", "{s}"),
    ("show", "{s}", "2"),
    ("show", "{s}", "3"),
    ("explain", "{s}", "2"),
    ("simulate", "{s}", "--orders", "2"),
    ("zoom", "{s}", "--dry-run"),
    ("store", "info", "{s}"),
    ("query", "select * exclude (error) from trials", "--sweep", "{s}"),
    ("query", "select sweep, note, command from sweeps"),
]
LEGIBLE = {"", "0", "1", "2", "22", "31", "32", "35", "39"}


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A store with long names, tags and notes, and the ids of its three sweeps."""
    store = Store.open(tmp_path_factory.mktemp("wide") / "store", create=True)
    long = "a-name-that-somebody-found-telling-" * 3
    ideograms = "長い名前を付けた人がいて🎉" * 6
    ids = [
        *(add_digits(store, make_plan(long, 8, tags=("baseline",) * 9, note="word " * 40)), add_interrupted(store)),
        add_digits(store, make_plan(ideograms, 8, tags=("基準",) * 9, note="メモ" * 60)),
    ]
    return str(store.path), ids


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_help_fits(words):
    output = CliRunner().invoke(cli, [*words, "--help"], env={"COLUMNS": "80"}).output
    assert output.startswith("Usage: ")
    assert [line for line in output.splitlines() if len(line) > 80] == []


def test_every_subverb_is_looked_at():
    group = cli.get_command(click.Context(cli), "store")
    assert {name for _, name in SUBVERBS} == set(group.commands)


@pytest.mark.parametrize(("words", "of"), list(product(READING, [0, 1, 2])), ids=str)
def test_what_verbs_show_fits(caviar, wide, monkeypatch, words, of):
    path, ids = wide
    monkeypatch.setenv("COLUMNS", "80")
    got = caviar(*(word.format(s=ids[of]) for word in words), "--store", path)
    assert got.code in {0, 3, 4}, got.err  # the interrupted one has no third trial, and too few to zoom
    assert [line for line in got.out.splitlines() if cell_len(line) > 80 and not to_copy(line)] == []


def to_copy(line):
    """A path on a line of its own, or a configuration as Python source."""
    return line.strip().startswith(("/", "{", "'")) and (
        " " not in line.strip() or line.lstrip().startswith(("{", "'"))
    )


def test_nothing_is_lost_where_lines_end(caviar, wide, monkeypatch):
    path, ids = wide
    monkeypatch.setenv("COLUMNS", "80")
    narrow = caviar("status", ids[0], "--store", path)
    monkeypatch.setenv("COLUMNS", "1000")
    assert "".join(narrow.out.split()) == "".join(caviar("status", ids[0], "--store", path).out.split())


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_colours_are_legible_on_dark_and_on_light(caviar, wide, monkeypatch, words):
    path, ids = wide
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    given = [*(word.format(s=ids[0]) for word in words), "--store", path]
    codes = {code for codes in re.findall(r"\x1b\[([\d;]*)m", caviar(*given).out) for code in codes.split(";")}
    assert codes <= LEGIBLE
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[\d;]*3\dm", caviar(*given).out)


def test_a_sentence_on_a_terminal_breaks_between_words(tmp_path):
    ours, theirs = os.openpty()
    code = "from caviar.cli.main import main; main(['best', '--store', 'there-is-no-such-store-in-the-folder'])"
    environment = {**os.environ, "COLUMNS": "60", "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", code], stderr=theirs, cwd=tmp_path, env=environment, check=False)
    os.close(theirs)
    lines = os.read(ours, 10_000).decode().splitlines()
    os.close(ours)
    assert len(lines) > 1
    assert all(len(line) <= 60 or " " not in line.strip() for line in lines)
    assert " ".join(" ".join(lines).split()).endswith("or type `caviar run FILE`.")


def test_no_other_colour_is_named_anywhere():
    import caviar

    faint = re.compile(r"""["'](?:bold )?(?:cyan|yellow|white|black|blue|bright_\w+)["']""")
    for folder in caviar.__path__:
        for where, _, names in os.walk(folder):
            for name in names:
                if name.endswith(".py"):
                    with open(os.path.join(where, name), encoding="utf-8") as source:
                        assert not faint.search(source.read()), name
