"""`caviar board`: what it prints, how it ends, and what it refuses to begin with. Its answers: `tests/board`."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from caviar.board import server
from caviar.results.packing import pack_document
from caviar.store import Store

from ..small_stores import add_digits

HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""A shell starts what is in the foreground so; what is in the background is born deaf to Ctrl-C."""
PROGRAM = f"{HEARING}; from caviar.cli.main import main; main()"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CAVIAR_", "SSH_"))}
    return kept | {"XDG_STATE_HOME": str(tmp_path / "state")}


def begin(words, env, program=PROGRAM):
    """Start the program, as a shell does in the foreground: Ctrl-C is heard."""
    return subprocess.Popen(
        [sys.executable, "-c", program, "board", *map(str, words)],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated"), (signal.SIGHUP, 129, "terminal")],
)
def test_it_says_where_it_is_and_ends_in_a_line(filled, environment, number, code, word):
    process = begin([filled.path, "--port", 0], environment)
    link = process.stdout.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert link.startswith("http://127.0.0.1:")
    assert "/#token=" in link
    assert (process.returncode, out) == (code, "")
    first, last = err.splitlines()
    assert "Ctrl-C" in first
    assert word in last


def test_from_elsewhere_it_says_how_to_get_there(filled, environment):
    process = begin([filled.path, "--port", 0], environment | {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"})
    port = process.stdout.readline().partition("#")[0].strip("/\n").rpartition(":")[2]
    process.terminate()
    err = process.communicate(timeout=120)[1]
    assert f"ssh -N -L {port}:127.0.0.1:{port} " in err


def test_without_its_extra_it_says_what_to_install(filled, environment):
    process = begin([filled.path], environment, f"import sys; sys.modules['uvicorn'] = None; {PROGRAM}")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err.count("\n")) == (2, "", 1)
    assert "the board needs Starlette and uvicorn" in err
    assert "starlette uvicorn" in err.partition("type")[2]


@pytest.fixture
def ending(monkeypatch, tmp_path):
    """Boards of this process end as soon as they would wait."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    serving = server.serving

    @contextmanager
    def briefly(*how, **options):
        with serving(*how, **options) as (document, _):
            yield document, SimpleNamespace(wait=lambda: None)

    monkeypatch.setattr(server, "serving", briefly)


def test_the_store_is_an_argument_or_an_option(caviar, filled, ending):
    for words in ([filled.path], ["--store", filled.path], [filled.path, "--store", filled.path]):
        got = caviar("board", *words, "--port", "0", "--json")
        assert got.code == 0
        assert f'"store": "{filled.path}"' in got.out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["PATH", "--store", "other"], 2, "STORE is given twice"),
        (["  "], 2, "got an empty text"),
        (["nowhere"], 4, "nowhere"),
        (["PATH", "--port", "70000"], 2, "--port"),
        (["PATH", "--port", "TAKEN"], 2, "is taken: type caviar board"),
    ],
)
def test_what_cannot_begin_is_one_sentence(caviar, filled, ending, words, code, sentence):
    with server.listen(0) as other:
        known = {"PATH": filled.path, "TAKEN": str(other.getsockname()[1])}
        got = caviar("board", *(known.get(word, word) for word in words))
    assert (got.code, got.out, got.err.count("\n")) == (code, "", 1)
    assert sentence in got.err


def test_a_token_that_others_may_read_is_no_token(caviar, filled, ending, tmp_path):
    caviar("board", filled.path, "--port", "0")
    (token,) = (tmp_path / "state").rglob("*.token")
    token.chmod(0o644)
    got = caviar("board", filled.path, "--port", "0")
    assert (got.code, got.out) == (2, "")
    assert "only its owner may read it" in got.err


def test_a_port_beside_the_usual_one_is_told(caviar, filled, ending):
    with server.listen(None) as first:
        taken = first.getsockname()[1]
        got = caviar("board", filled.path)
    assert f"port {server.PORT} is taken: this board is on" in got.err
    assert f"127.0.0.1:{taken}/" not in got.out


def test_a_store_that_may_only_be_read_is_not_edited(tmp_path: Path, environment: dict[str, str]) -> None:
    store = Store.open(tmp_path / "store", create=True)
    add_digits(store)
    pack_document(str(tmp_path / "store"), store.sweeps(), str(tmp_path / "a.caviar"))
    board = begin([tmp_path / "a.caviar", "--edit"], environment)
    _, err = board.communicate(timeout=120)
    assert (board.returncode, "a.caviar" in err) == (5, True), err
