"""A word at the end of a sweep, to a program or a web address; what goes wrong with it changes nothing."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from caviar.store import Store

EXPERIMENT = """
    from caviar import Float, Sweep


    def train(config, trial, fail=False):
        if fail or trial.number == 1:
            raise ValueError("no such layer")
        return {"loss": config["x"]}


    sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=4, name="night")
"""
pytestmark = pytest.mark.usefixtures("inline")


@pytest.fixture
def hook():
    """A web address, and what was posted to it."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/T0SECRET", heard
    server.shutdown()
    server.server_close()


def test_an_address_hears_how_it_ended_and_is_stored_nowhere(caviar, write, store, hook, monkeypatch):
    url, heard = hook
    monkeypatch.setattr("sys.argv", ["caviar", "run", "x.py", "--notify", url, f"--notify={url}"])
    ran = caviar("run", write(EXPERIMENT), "-q", "--notify", url)
    assert ran.code == 0, ran.err
    (message,) = heard
    best = message["best"]
    assert message["text"].startswith(f"night ({message['sweep']}) finished: 4 of 4 trials, 1 failed; best loss ")
    assert (message["state"], message["done"], message["failed"], message["error"]) == ("finished", 4, 1, None)
    assert best["trial"] in {0, 2, 3}
    kept = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert b"T0SECRET" not in kept
    assert "T0SECRET" not in ran.err + ran.out
    command = Store.open(store).sweeps()[0].description()["provenance"]["command"]
    assert command[-3:] == ["--notify", "***", "--notify=***"]


def test_a_program_gets_a_line_and_the_facts(caviar, write, tmp_path):
    script = tmp_path / "tell.sh"
    script.write_text(f'#!/bin/sh\nprintf "%s" "$2" > {tmp_path}/text; cat > {tmp_path}/facts\n')
    script.chmod(0o755)
    assert caviar("run", write(EXPERIMENT), "-q", "--notify", f"{script} 'two words'").code == 0
    facts = json.loads((tmp_path / "facts").read_text())
    assert (tmp_path / "text").read_text() == facts["text"]


def test_failures_are_told_too(caviar, write, hook):
    url, heard = hook
    ran = caviar("run", write(EXPERIMENT), "-q", "--set", "train.fail=true", "--notify", url)
    assert ran.code == 3
    assert heard[0]["error"] in ran.err
    assert caviar("resume", "--retry-failed", "-q", "--notify", url).code == 3
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ("http://127.0.0.1:9/T0SECRET", "nobody was notified: "),
        ("no-such-program T0SECRET", "nobody was notified: there is no such command"),
        ("sh -c 'exit 3' T0SECRET", "nobody was notified: the command ended with exit code 3"),
    ],
)
def test_what_cannot_be_told_is_said_and_ends_nothing(caviar, write, wish, why):
    ran = caviar("run", write(EXPERIMENT), "-q", "--notify", wish)
    assert ran.code == 0
    assert why in ran.err
    assert "T0SECRET" not in ran.err


def test_a_server_that_refuses(caviar, write, hook):
    url, _ = hook
    ran = caviar("run", write(EXPERIMENT), "-q", "--notify", url.replace("T0SECRET", "broken"))
    assert (ran.code, "nobody was notified: " in ran.err) == (0, True)


def test_an_address_may_come_from_the_environment(caviar, write, hook, monkeypatch):
    url, heard = hook
    monkeypatch.setenv("HOOK", url)
    assert caviar("run", write(EXPERIMENT), "-q", "--notify", "env:HOOK").code == 0
    assert len(heard) == 1


@pytest.mark.parametrize("wish", ["env:NOT_THERE", "ftp://x/y", "file:///etc/passwd", " ", "'open"])
def test_what_is_nobody_is_refused_before_anything_runs(caviar, write, store, wish):
    ran = caviar("run", write(EXPERIMENT), "-q", "--notify", wish)
    assert ran.code == 2
    assert "--notify" in ran.err
    assert not store.exists()
