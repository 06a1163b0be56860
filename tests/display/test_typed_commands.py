"""Commands that a user is told to type work as they are told: with the store, and the program as it was called."""

import io
import shlex
import sys
import types

import pytest

from caviar.cli.verb_store import verb as store_verb
from caviar.display.live import LiveProgress
from caviar.display.notebook import NotebookProgress
from caviar.display.plain import PlainProgress, SilentProgress
from caviar.display.typed_commands import told_for, typed
from caviar.display.verb_names import VERBS
from caviar.errors import CaviarError, NotFoundError, SpecError, StoreError, SweepInterrupted

STORES = ["/a/b", "a b", "s3://bucket/x", "it's", "~/runs"]
READING = [*(verb for verb in VERBS if verb not in {"run", "store"}), *(f"store {one}" for one in store_verb.commands)]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in ("CAVIAR_STORE", "CAVIAR_CALLED"):
        monkeypatch.delenv(name, raising=False)
    with told_for(None):  # what an earlier call of the program remembered is another test's
        yield


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("command", READING)
def test_every_verb_that_reads_a_store_is_told_with_it(store, command):
    with told_for(store):
        for before, after in (("go on with: ", " x1"), ("`", "` sets it aside"), ("", "")):
            said = typed(f"{before}caviar {command}{after}")
            assert said == f"{before}caviar {command} --store {shlex.quote(store)}{after}"
            assert typed(said) == said, "told twice, as an error is that passes through Python and the program"
    assert typed(f"caviar {command} x1") == f"caviar {command} x1"


@pytest.mark.parametrize(
    "text",
    [
        "caviar run FILE",
        "(caviar best --help)",
        "(caviar store check --help)",
        "caviar best --store y",
        "the caviar shown",
    ],
)
def test_what_needs_no_store_stays(text):
    with told_for("/a/b"):
        assert typed(text) == text


@pytest.mark.parametrize(
    ("variable", "store", "named"),
    [
        (None, None, False),
        (None, "./caviar-store", False),
        (None, "caviar-store/", False),
        (None, "other", True),
        ("other", "other", False),
        ("other", "./other", False),
        ("other", None, False),
        ("other", "./caviar-store", True),
        ("s3://b/x", "s3://b/x", False),
        ("s3://b/x", "x", True),
        ("x", "s3://b/x", True),
    ],
)
def test_a_store_is_named_where_the_next_command_would_look_into_another(monkeypatch, variable, store, named):
    if variable:
        monkeypatch.setenv("CAVIAR_STORE", variable)
    with told_for(store):
        assert ("--store" in typed("caviar ls")) == named


@pytest.mark.parametrize("kind", [SpecError, NotFoundError, StoreError, CaviarError])
def test_an_error_tells_commands_for_the_store_it_comes_from(kind):
    with pytest.raises(kind, match=r"^no: type caviar status --store 'a b' x1$"), told_for("a b"):
        raise kind("no: type caviar status x1")
    with pytest.raises(SweepInterrupted, match="caviar resume --store x") as told, told_for("x"):
        raise SweepInterrupted("caviar resume", 143)
    assert told.value.exit_code == 143


@pytest.mark.parametrize("kind", [SilentProgress, PlainProgress, LiveProgress])
def test_the_notes_of_every_display_tell_commands_so(kind):
    stream = io.StringIO()
    display = kind(stream)
    with told_for("a  b"):
        display.note("out of time;\n go on with: caviar resume x1")
    display.end()
    assert "out of time; go on with: caviar resume --store 'a  b' x1\n" in stream.getvalue()


def test_a_notebook_tells_commands_so(monkeypatch):
    shown = []
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace())
    display = types.SimpleNamespace(display=lambda bundle, **_: shown.append(bundle["text/plain"]))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with told_for("a b"):
        NotebookProgress().note("caviar resume x1")
    assert shown == ["caviar resume --store 'a b' x1"]


@pytest.mark.parametrize("called", ["./caviar", "../a b/caviar", "/opt/caviar"])
@pytest.mark.parametrize("verb", VERBS)
def test_commands_to_type_name_the_program_as_it_was_called(monkeypatch, called, verb):
    monkeypatch.setenv("CAVIAR_CALLED", called)
    assert shlex.split(typed(f"go on with: caviar {verb} x1"))[-3:] == [called, verb, "x1"]
    for text in (
        "[caviar] stopping",
        "the caviar of the house",
        "/usr/bin/caviar ls",
        "caviar: no",
        "pip install caviar",
    ):
        assert typed(text) == text
    with told_for("/a b"):
        assert typed("`caviar resume`") == f"`{shlex.quote(called)} resume --store '/a b'`"
