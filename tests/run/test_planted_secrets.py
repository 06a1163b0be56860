"""Secrets are planted wherever one may be given, and looked for in all that is left: the store, Ray's files, pages."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from caviar import Result

from .conftest import MAIN, Write

pytestmark = [pytest.mark.ray, pytest.mark.nightly, pytest.mark.timeout(400)]

SEEN, BY_REFERENCE, IN_AN_ADDRESS, OF_RAY = (
    "planted-to-be-found",
    "hunter2-by-reference",
    "T0-in-an-address",
    "a1b2" * 16,
)
SECRETS = [BY_REFERENCE, IN_AN_ADDRESS, OF_RAY]
EXPERIMENT = f"""
    import pathlib
    import time
    from caviar import Float, Sweep

    def train(config, trial, token="", go=""):
        print("{SEEN}", "token", token, repr(token), flush=True)
        trial.report(0, loss=config["x"])
        trial.save(0, str(config["x"]).encode())
        if trial.number == 1:
            raise ValueError("no entry with " + token)
        while trial.number == 3 and not pathlib.Path(go).exists():
            time.sleep(0.1)

    sweep = Sweep(train, space={{"x": Float(0, 1)}}, metric="loss", trials=4, name="planted")
"""


class Quiet(BaseHTTPRequestHandler):
    """Takes what is posted."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{IN_AN_ADDRESS}"
        server.shutdown()
        thread.join()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder for temporary files whose path leaves room for Ray's sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="cv") as folder:
        yield Path(folder)


def found(folder: Path) -> set[str]:
    """Which of the planted words stand in the files below a folder, as they are."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    data = [path.read_bytes() for path in files]
    return {word for word in (SEEN, *SECRETS) if any(word.encode() in one for one in data)}


def asked(store: Path) -> str:
    """All rows of all views."""
    result = Result(store)
    views = ("sweeps", "trials", "curves", "attempts", "configs", "logs", "artifacts", "decisions")
    return "".join(str(result.sql(f"SELECT * FROM {view}").fetchall()) for view in views)


def command(*words: object) -> list[str]:
    return [sys.executable, "-c", MAIN, *map(str, words)]


def wait_for_logs(store: Path, temporary: Path, driver: subprocess.Popen[str]) -> None:
    """Wait until trials have ended while another one runs; Ray's own logs are there."""
    until = time.monotonic() + 120
    while not list(store.glob("sweep=*")) or "COMPLETED" not in asked(store):
        assert driver.poll() is None, driver.communicate()
        assert time.monotonic() < until
        time.sleep(0.5)
    assert len(list(temporary.glob("*/r/session_*/logs/*"))) > 3, "Ray's own logs were not found"


def write_pages(env: dict[str, str], store: Path, pages: Path) -> None:
    """What each reading verb says, the report, and all rows."""
    verbs = (["status"], ["best"], ["show", "1"], ["logs", "1"], ["ls"], ["query", "SELECT * FROM logs"])
    for number, verb in enumerate(verbs):
        done = subprocess.run(command(*verb, "--json"), env=env, capture_output=True, check=True)
        (pages / str(number)).write_bytes(done.stdout + done.stderr)
    subprocess.run(command("report", "-o", pages / "report.html"), env=env, capture_output=True, check=True)
    (pages / "rows").write_text(asked(store))


def test_no_planted_secret_is_left_anywhere(write: Write, store: Path, hook: str, short: Path, tmp_path: Path) -> None:
    home, temporary, pages, go = short / "home", short / "t", tmp_path / "pages", tmp_path / "go"
    for folder in (home / ".ray", temporary, pages):
        folder.mkdir(parents=True)
    (home / ".ray" / "auth_token").write_text(OF_RAY)
    (home / ".ray" / "auth_token").chmod(0o600)
    env = os.environ | {"TMPDIR": str(temporary), "HOME": str(home), "CAVIAR_RAY": "full"}
    env |= {"PLANTED": BY_REFERENCE, "CAVIAR_STORE": str(store)}
    options = [
        "--set",
        "train.token=env:PLANTED",
        "--set",
        f"train.go={go}",
        "--notify",
        hook,
        "--report",
        tmp_path / "r",
    ]
    run = command("run", write(EXPERIMENT), *options)
    driver = subprocess.Popen(run, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for_logs(store, temporary, driver)
        assert found(temporary).isdisjoint(SECRETS), "Ray's files while it runs"
    finally:
        go.touch()
        said = driver.communicate(timeout=120)
    assert driver.returncode == 0, said
    (pages / "driver").write_text("".join(said))
    write_pages(env, store, pages)

    assert found(pages) == {SEEN}, "what a trial prints is shown, without the secret in it"
    for folder in (store, temporary, tmp_path):
        assert found(folder).isdisjoint(SECRETS)
